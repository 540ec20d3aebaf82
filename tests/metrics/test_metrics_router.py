"""The metrics over HTTP: the catalogue, what an answer tells, the ways to ask, who may see what."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from app.domain.measures.registry import METRICS
from tests.conftest import MakeKey
from tests.metrics.asking import MARCH, post
from tests.metrics.world import World


async def test_the_catalogue_lists_every_metric_with_its_formula(
    http: httpx.AsyncClient, world: World
) -> None:
    await world.attribute("agency")
    await world.attribute("note", groupable=False)
    catalogue = (await http.get("/v1/metrics")).json()
    assert [metric["id"] for metric in catalogue["metrics"]] == list(METRICS)
    nps = next(metric for metric in catalogue["metrics"] if metric["id"] == "nps")
    assert nps["formula"].startswith("100 * (count of 9-10 - count of 0-6) / n")
    assert (nps["unit"], nps["better"]) == ("points", "higher")
    assert nps["kept_apart_by"] == ["collection_mode", "scale_id"]
    assert catalogue["attributes"] == ["attributes.agency"]


async def test_an_answer_says_what_was_understood_and_where_it_comes_from(http, march: World) -> None:
    answer = await post(
        http,
        "nps",
        group_by=["location"],
        filters=[{"dimension": "location", "op": "in", "values": ["kyiv", "lviv"]}],
    )
    assert [(row["location"], row["nps"]) for row in answer["rows"]] == [("kyiv", 20.0), ("lviv", 100.0)]
    assert list(answer["rows"][0]) == [column["name"] for column in answer["columns"]]
    query = answer["query"]
    assert query["period"] == {"from": "2026-03-01T00:00:00+02:00", "to": "2026-04-01T00:00:00+03:00"}
    assert (query["time_zone"], query["group_by"]) == (
        "Europe/Kyiv",
        ["location", "collection_mode", "scale_id"],
    )
    assert answer["definitions"] == [{"id": "nps", "version": 1}]
    assert answer["data_seq"] == march.seq
    assert answer["plan"] == [{"population": "feedback", "read": "rows", "folded_seq": None}]
    assert answer["drill"]["feedback"] == (
        "/v1/feedback?from=2026-02-28T22%3A00%3A00%2B00%3A00&to=2026-03-31T21%3A00%3A00%2B00%3A00"
        "&measure=nps&location=kyiv&location=lviv"
    )


async def test_the_drill_link_opens_the_rows_that_were_counted(http, march: World) -> None:
    kyiv = [{"dimension": "location", "values": ["kyiv"]}]
    answer = await post(http, "nps", filters=kyiv)
    rows = await http.get(answer["drill"]["feedback"])
    assert rows.status_code == 200, rows.text
    assert len(rows.json()["items"]) == answer["rows"][0]["nps_n"] == 10
    beyond = await post(http, "nps", filters=[{"dimension": "location", "op": "ne", "values": ["kyiv"]}])
    assert set(beyond["drill"]) == {"nps"}
    assert len((await http.get(beyond["drill"]["nps"])).json()["items"]) == beyond["rows"][0]["nps_n"] == 8


async def test_flat_parameters_ask_the_same_question(http: httpx.AsyncClient, march: World) -> None:
    by_post = await post(
        http,
        "nps",
        "responses",
        group_by=["location"],
        granularity="week",
        filters=[
            {"dimension": "channel", "op": "in", "values": ["web", "call"]},
            {"dimension": "location", "op": "not_in", "values": ["lviv"]},
        ],
        order=["-nps"],
    )
    flat = "/v1/metrics/query?metrics=nps,responses&group_by=location&granularity=week&from=2026-03-01"
    flat += "&to=2026-04-01&channel=web&channel=call&filter=location:not_in:lviv&order=-nps"
    by_get = (await http.get(flat)).json()
    for told in (by_post, by_get):
        told["query"].pop("as_of")
    assert by_get == by_post
    assert len(by_get["rows"]) == 2


async def test_a_key_without_rows_sees_no_small_group_and_no_complement(
    api: FastAPI, march: World, api_key: MakeKey
) -> None:
    headers = {"Authorization": f"Bearer {await api_key('metrics:read')}"}
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test", headers=headers) as http:
        answer = await post(http, "nps", group_by=["location"])
    cmd, kyiv, lviv = answer["rows"]
    # "=cmd" has 3 answers; lviv, the smaller of the others, is withheld so that kyiv + total do not tell
    assert (cmd["nps_status"], lviv["nps_status"], kyiv["nps_status"]) == (
        "suppressed",
        "suppressed",
        "low_n",
    )
    for hidden in (cmd, lviv):
        assert [hidden[f"nps{part}"] for part in ("", "_ci_low", "_promoters", "_passives")] == [None] * 4
        assert hidden["nps_n"] in (3, 5)
    assert kyiv["nps"] == 20.0


async def test_a_key_that_reads_rows_sees_what_small_groups_are_made_of(http, march: World) -> None:
    cmd, _kyiv, lviv = (await post(http, "nps", group_by=["location"]))["rows"]
    assert (cmd["nps"], cmd["nps_status"], cmd["nps_promoters"]) == (None, "suppressed", 3)
    assert lviv["nps"] == 100.0


async def test_the_query_method_asks_like_post_and_stays_out_of_the_description(
    http, api: FastAPI, march: World
) -> None:
    document = {"metrics": ["nps"], "period": MARCH}
    answer = await http.request("QUERY", "/v1/metrics/query", json=document)
    assert answer.status_code == 200
    tag = answer.headers["etag"]
    again = await http.request("QUERY", "/v1/metrics/query", json=document, headers={"If-None-Match": tag})
    assert again.status_code == 304
    described = api.openapi()["paths"]["/v1/metrics/query"]
    assert set(described) == {"get", "post"}
    assert {"channel", "metrics", "filter"} <= {p["name"] for p in described["get"]["parameters"]}


async def test_events_posted_over_http_are_in_the_numbers_at_once(client, http, api_key: MakeKey) -> None:
    events = [
        {
            "type": "feedback.received",
            "id": f"e{number}",
            "source": "crm",
            "occurred_at": "2026-03-10T10:00:00Z",
            "data": {"channel": "call", "scale": "nps_0_10", "value": value, "location": "kyiv"},
        }
        for number, value in enumerate([10, 9, 9, 7, 0])
    ]
    stored = await client.post("/v1/events", json=events)
    assert stored.status_code == 200, stored.text
    [row] = (await post(http, "nps", group_by=["location", "channel"]))["rows"]
    # 3 promoters, 1 passive, 1 detractor -> 100 * (3 - 1) / 5 = 40
    assert (row["location"], row["channel"], row["nps"]) == ("kyiv", "call", 40.0)
