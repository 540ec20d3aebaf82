"""The metrics over HTTP: catalogue, POST, flat GET, CSV, ETag, pages, refusals, suppression."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.domain.measures.registry import METRICS
from app.main import create_api
from app.metrics.formats import MEDIA_TYPES, Form
from app.wiring import Services
from tests.conftest import MakeKey, MovedClock
from tests.metrics.world import Answer, World, several

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}


@pytest.fixture
def api(services: Services) -> FastAPI:
    return create_api(services)


@pytest.fixture
async def http(api: FastAPI, api_key: MakeKey) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may read metrics and rows."""
    headers = {"Authorization": f"Bearer {await api_key('metrics:read', 'feedback:read')}"}
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test", headers=headers) as http:
        yield http


async def post(http: httpx.AsyncClient, *metrics: str, **query: Any) -> dict[str, Any]:
    answer = await http.post("/v1/metrics/query", json={"metrics": metrics, "period": MARCH, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(http: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    document = {"metrics": ["nps"], "period": MARCH, **query}
    answer = await http.post("/v1/metrics/query", json=document)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    return {"code": problem["code"], **problem["errors"][0]}


@pytest.fixture
async def march(world: World) -> World:
    """kyiv: 6 promoters, 4 detractors -> NPS 20; lviv: 5 promoters -> 100; "=cmd" : 3 answers."""
    await world.commit(
        *several(6, Answer(10, location="kyiv")),
        *several(4, Answer(0, location="kyiv")),
        *several(5, Answer(9, location="lviv")),
        *several(3, Answer(9, location="=cmd|' /C calc'!A0")),
    )
    return world


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
    assert beyond["drill"] == {}


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


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/metrics/query.csv?", {}),
        ("/v1/metrics/query?format=csv&", {}),
        ("/v1/metrics/query?", {"Accept": "text/csv"}),
        ("/v1/metrics/query?", {"Accept": "application/json;q=0.5, text/csv"}),
    ],
)
async def test_csv_holds_the_same_cells_as_json(http, march: World, path: str, headers) -> None:
    flat = "metrics=nps,happiness&group_by=location&granularity=day&from=2026-03-01&to=2026-04-01"
    document = (await http.get(f"/v1/metrics/query?{flat}")).json()
    answer = await http.get(path + flat, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    names = [column["name"] for column in document["columns"]]
    assert list(rows[0]) == names
    assert len(rows) == len(document["rows"]) == 3
    for from_csv, from_json in zip(rows, document["rows"], strict=True):
        for name in names:
            value = from_json[name]
            text = "|".join(value) if isinstance(value, list) else "" if value is None else str(value)
            assert from_csv[name].removeprefix("'") == text


async def test_json_is_the_default_and_a_careless_accept_changes_nothing(http, march: World) -> None:
    for accept in ("*/*", "text/html", "", "text/csv;q=0.1, application/json", ";;q=x,,"):
        answer = await http.get("/v1/metrics/query?metrics=nps&period=1y", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"


async def test_a_cell_that_a_spreadsheet_would_run_is_text(http: httpx.AsyncClient, march: World) -> None:
    flat = "metrics=responses&group_by=location&from=2026-03-01&to=2026-04-01"
    text = (await http.get(f"/v1/metrics/query.csv?{flat}")).text
    assert "'=cmd|' /C calc'!A0" in text
    assert not [line for line in text.splitlines() if line.startswith("=")]


async def test_negative_numbers_stay_numbers_in_csv(http: httpx.AsyncClient, world: World) -> None:
    await world.commit(*several(5, Answer(0)))
    flat = "metrics=nps&from=2026-03-01&to=2026-04-01"
    [row] = csv.DictReader(io.StringIO((await http.get(f"/v1/metrics/query.csv?{flat}")).text))
    assert row["nps"] == "-100.0"


async def test_an_unchanged_answer_is_not_sent_again(http: httpx.AsyncClient, march: World) -> None:
    url = "/v1/metrics/query?metrics=nps&from=2026-03-01&to=2026-04-01"
    first = await http.get(url)
    again = await http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other_form = await http.get(url + "&format=csv", headers={"If-None-Match": first.headers["etag"]})
    assert other_form.status_code == 200
    await march.commit(Answer(0))
    changed = await http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_what_reads_the_clock_changes_its_tag_every_minute(
    http, world: World, clock: MovedClock
) -> None:
    by_clock = "/v1/metrics/query?metrics=sla_attainment&from=2026-03-01&to=2026-04-01"
    frozen = by_clock + "&as_of=2026-03-20"
    tags = {url: (await http.get(url)).headers["etag"] for url in (by_clock, frozen)}
    clock.advance(minutes=1)
    assert (await http.get(by_clock, headers={"If-None-Match": tags[by_clock]})).status_code == 200
    assert (await http.get(frozen, headers={"If-None-Match": tags[frozen]})).status_code == 304


async def test_pages_follow_each_other_without_gap_or_repeat(http: httpx.AsyncClient, world: World) -> None:
    places = [f"l{n:02}" for n in range(7)]
    for number, place in enumerate(places):
        await world.commit(*several(5 + number % 3, Answer(9, location=place)))
    query = {"group_by": ["location"], "order": ["-nps_n"], "limit": 3}
    whole = [row["location"] for row in (await post(http, "nps", **query | {"limit": 100}))["rows"]]
    seen: list[str] = []
    cursor = None
    while True:
        page = await post(http, "nps", **query, cursor=cursor)
        seen += [row["location"] for row in page["rows"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == whole
    assert sorted(seen) == places


async def test_a_flat_page_links_to_the_next_one(http: httpx.AsyncClient, march: World) -> None:
    url = "/v1/metrics/query?metrics=nps&group_by=location&from=2026-03-01&to=2026-04-01&limit=2"
    first = await http.get(url)
    following = await http.get(first.links["next"]["url"])
    assert [row["location"] for row in following.json()["rows"]] == ["lviv"]
    assert "next" not in following.links


@pytest.mark.parametrize("cursor", ["x", "", "W10", "WzEsMl0", "\x00", "é" * 9])
async def test_a_cursor_of_another_query_is_refused(
    http: httpx.AsyncClient, march: World, cursor: str
) -> None:
    page = await post(http, "nps", group_by=["location"], limit=1)
    for wrong in (cursor, page["next_cursor"]):
        problem = await refused(http, group_by=["channel"], cursor=wrong)
        assert (problem["code"], problem["pointer"]) == ("invalid_cursor", "/cursor")


@pytest.mark.parametrize(
    ("query", "code", "pointer", "near"),
    [
        ({"metrics": ["npss"]}, "unknown_metric", "/metrics/0", "'nps'"),
        ({"group_by": ["chanel"]}, "unknown_dimension", "/group_by/0", "is 'channel'"),
        ({"group_by": ["attributes.agencyy"]}, "unknown_dimension", "/group_by/0", "'attributes.agency'"),
        ({"group_by": ["attributes.note"]}, "attribute_not_groupable", "/group_by/0", "groupable"),
        ({"group_by": ["timer"]}, "dimension_not_valid", "/group_by/0", "channel"),
        (
            {"filters": [{"dimension": "locations"}]},
            "unknown_dimension",
            "/filters/0/dimension",
            "'location'",
        ),
        (
            {"filters": [{"dimension": "state", "values": ["x"]}]},
            "dimension_not_valid",
            "/filters/0/dimension",
            "",
        ),
        (
            {"filters": [{"dimension": "channel", "op": "eq"}]},
            "wrong_number_of_values",
            "/filters/0/values",
            "in",
        ),
        (
            {"filters": [{"dimension": "channel", "op": "is_null", "values": ["x"]}]},
            "wrong_number_of_values",
            "",
            "",
        ),
        (
            {"filters": [{"dimension": "channel", "op": "gte", "values": ["x"]}]},
            "operator_not_supported",
            "",
            "",
        ),
        (
            {"filters": [{"dimension": "channel", "values": [5]}]},
            "wrong_type_of_value",
            "/filters/0/values/0",
            "",
        ),
        ({"filters": [{"dimension": "channel", "values": ["a\x00"]}]}, "wrong_type_of_value", "", ""),
        ({"time_zone": "Europe/Kiyv"}, "unknown_time_zone", "/time_zone", "'Europe/Kyiv'"),
        ({"period": "28 days"}, "invalid_period", "/period", "28d"),
        ({"order": ["npss"]}, "unknown_column", "/order/0", "'nps'"),
        ({"metrics": ["nps", "visitors"]}, "metrics_not_together", "/metrics/1", "query of its own"),
        ({"granularity": "hour", "period": "9000d"}, "too_many_buckets", "/granularity", "coarser"),
    ],
)
async def test_what_is_unknown_is_refused_with_its_place_and_the_nearest(
    http: httpx.AsyncClient, world: World, query: dict[str, Any], code: str, pointer: str, near: str
) -> None:
    await world.attribute("agency")
    await world.attribute("note", groupable=False)
    problem = await refused(http, **query)
    assert problem["code"] == code
    assert problem["pointer"].startswith(pointer)
    assert near in problem["cure"]


@pytest.mark.parametrize(
    "query",
    [
        {"metrics": []},
        {"metrics": "nps"},
        {"metric": ["nps"]},
        {"limit": 0},
        {"limit": 20_001},
        {"granularity": "minute"},
        {"respondents": "everyone"},
        {"filters": [{"dimension": "channel", "values": [None]}]},
        {"filters": [{"dimension": "channel", "values": ["x"], "negate": True}]},
        {"period": {"from": "2026-03-01"}},
        {"known_at": -1},
    ],
)
async def test_a_malformed_query_is_refused_with_its_place(http: httpx.AsyncClient, query) -> None:
    assert (await refused(http, **query))["pointer"].startswith("/")


@pytest.mark.parametrize(
    ("flat", "pointer"),
    [
        ("metrics=npss", "query:metrics"),
        ("metrics=nps&chanel=web", "query:chanel"),
        ("metrics=nps&group_by=chanel", "query:group_by"),
        ("metrics=nps&filter=chanel:eq:web", "query:filter"),
        ("metrics=nps&filter=channel:is:web", "query:filters.0.op"),
        ("metrics=nps&granularity=minute", "query:granularity"),
        ("metrics=nps&from=2026-03-01", "query:period"),
        ("metrics=nps&from=2026-03-01&to=soon", "query:to"),
        ("metrics=nps&attributes.nothing=1", "query:filter"),
        ("metrics=nps&limit=many", "query:limit"),
        ("metrics=nps&time_zone=Mars", "query:time_zone"),
        ("group_by=channel", "query:metrics"),
    ],
)
async def test_a_flat_refusal_names_the_parameter(http: httpx.AsyncClient, flat: str, pointer: str) -> None:
    answer = await http.get(f"/v1/metrics/query?{flat}")
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


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


async def test_a_key_without_the_scope_is_refused(api: FastAPI, api_key: MakeKey) -> None:
    headers = {"Authorization": f"Bearer {await api_key('events:write')}"}
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test", headers=headers) as http:
        assert (await http.get("/v1/metrics")).status_code == 403
        assert (await http.post("/v1/metrics/query", json={"metrics": ["nps"]})).status_code == 403


async def test_the_previous_period_is_compared_with_its_uncertainty(http, world: World) -> None:
    # now 20/0/10 of 30 -> 33.33; before 12/0/18 of 30 -> -20: up 53.33, p .0371 (domain.md 4.1)
    now, before = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 2, 20, tzinfo=UTC)
    await world.commit(
        *several(20, Answer(10, at=now)),
        *several(10, Answer(0, at=now)),
        *several(12, Answer(10, at=before)),
        *several(18, Answer(0, at=before)),
    )
    answer = await post(http, "nps", "responses", compare="previous_period")
    [row] = answer["rows"]
    assert (row["nps"], row["nps_previous"], row["nps_previous_n"]) == (33.33, -20.0, 30)
    assert (row["nps_difference"], row["nps_p_value"], row["nps_verdict"]) == (53.33, 0.0371, "up")
    assert row["nps_difference_ci_low"] > 0
    assert (row["responses_difference"], row["responses_verdict"]) == (0, None)
    assert answer["query"]["compare_period"]["to"] == answer["query"]["period"]["from"]
    assert list(row) == [column["name"] for column in answer["columns"]]


async def test_buckets_are_compared_one_by_one_and_small_ones_not_at_all(http, world: World) -> None:
    start = datetime(2026, 3, 9, tzinfo=UTC)
    await world.commit(
        *several(6, Answer(10, at=start)),
        *several(6, Answer(10, at=start + timedelta(days=1))),
        *several(5, Answer(0, at=start - timedelta(days=2))),
        *several(3, Answer(0, at=start - timedelta(days=1))),
    )
    period = {"from": "2026-03-09", "to": "2026-03-11"}
    answer = await post(http, "nps", granularity="day", period=period, compare="previous_period")
    first, second = answer["rows"]
    assert (first["nps_previous"], first["nps_difference"], first["nps_verdict"]) == (
        -100.0,
        200.0,
        "not_enough_data",
    )
    assert (second["nps_previous"], second["nps_previous_n"]) == (None, 3)
    assert (second["nps_difference"], second["nps_verdict"]) == (None, None)


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


@pytest.mark.parametrize("ending", ["json", "csv", "ndjson", "arrow", "parquet", "xlsx"])
async def test_an_answer_is_a_file_of_the_asked_form(http, march: World, ending: str) -> None:
    address = f"/v1/metrics/query.{ending}?metrics=nps&from=2026-03-01&to=2026-04-01"
    answer = await http.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[Form(ending)]
    again = await http.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_unknown_ending_is_refused(http, march: World) -> None:
    assert (await http.get("/v1/metrics/query.xml?metrics=nps")).status_code == 422


async def test_the_sql_of_an_answer_is_told_to_those_who_may_read_rows(
    http, api, api_key, world, march
) -> None:
    asked = {"metrics": ["happiness", "cases_opened"], "period": MARCH}
    plain = await http.post("/v1/metrics/query", json=asked)
    told = await http.post("/v1/metrics/query?explain=true", json=asked)
    assert "statements" not in plain.json()
    assert told.json()["rows"] == plain.json()["rows"]
    feedback, opened = told.json()["statements"]
    assert (feedback["population"], opened["population"]) == ("feedback", "cases_opened")
    assert str(world.tenant_id) in feedback["parameters"]
    assert f"${len(feedback['parameters'])}" in feedback["sql"]
    assert f"${len(feedback['parameters']) + 1}" not in feedback["sql"]
    others = {"Authorization": f"Bearer {await api_key('metrics:read')}"}
    refused = await http.post("/v1/metrics/query?explain=true", json=asked, headers=others)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
