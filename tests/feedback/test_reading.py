"""The read API of the feedback store: filters, pages, versions, events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from app.feedback.filters import CLOSED_LISTS
from tests.conftest import MakeKey


def rating(event_id: str, hour: int = 10, **data: Any) -> dict[str, Any]:
    """A rating of 9 given on 1 March at that hour."""
    return {
        "type": "feedback.received",
        "id": event_id,
        "source": "crm",
        "occurred_at": f"2026-03-01T{hour:02}:00:00Z",
        "data": {"channel": "call", "question": "nps", "scale": "nps_0_10", "value": 9, **data},
    }


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def post(client: httpx.AsyncClient, *events: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = await client.post("/v1/events", json=list(events))
    results: list[dict[str, Any]] = answer.json()["results"]
    assert all(result["status"] != "rejected" for result in results), answer.text
    return results


async def values(client: httpx.AsyncClient, query: str) -> list[float]:
    answer = await client.get(f"/v1/feedback?{query}")
    assert answer.status_code == 200, answer.text
    return [item["value"] for item in answer.json()["items"]]


async def test_an_answer_is_shown_with_its_text_and_without_the_customer(client: httpx.AsyncClient) -> None:
    customer = {"type": "email", "value": "olena@example.com"}
    event = rating("a1", text="quick", customer=customer, interaction="call-1", location="kyiv-1", lang="uk")
    await post(client, event)
    page = await client.get("/v1/feedback")
    [item] = page.json()["items"]
    assert item["id"].startswith("fb_")
    assert (item["value"], item["norm01"], item["class"], item["raw_value"]) == (9, 0.9, "positive", "9")
    assert (item["measure"], item["scale_id"], item["channel"]) == ("nps", "nps_0_10", "call")
    assert (item["text"], item["interaction"], item["location"]) == ("quick", "call-1", "kyiv-1")
    assert item["subject"]["kind"] == "interaction"
    assert item["subject"]["ref"] == "call-1"
    assert "olena" not in page.text


async def test_the_newest_comes_first_and_pages_neither_repeat_nor_skip(client: httpx.AsyncClient) -> None:
    # two at each hour: the cursor must tell equals apart
    await post(client, *(rating(f"a{n}", hour=n // 2, value=n) for n in range(10)))
    seen: list[float] = []
    url: str | None = "/v1/feedback?limit=3"
    while url:
        answer = await client.get(url)
        seen += [item["value"] for item in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url")
    assert len(seen) == 10
    assert [value // 2 for value in seen] == [4, 4, 3, 3, 2, 2, 1, 1, 0, 0]
    assert set(seen) == set(range(10))


FILTERED = [
    ("channel=chat", [3]),
    ("channel=chat&channel=call", [3, 1]),
    ("channel=chat&location=odesa", []),
    ("location=kyiv", [3]),
    ("class=negative&kind=complaint", [2]),
    ("scale_id=csat_1_5", [2]),
    ("measure=nps&question=nps", [3, 1]),
    ("source=crm&collection_mode=invited", [2]),
    ("lang=uk", [1]),
    ("employee=oleh", [1]),
    ("from=2026-03-01T11:00:00Z", [3, 2]),
    ("from=2026-03-01T12:00:00%2B01:00&to=2026-03-01T12:00:00Z", [2]),
    ("customer=email:Olena@Example.com", [1]),
    ("customer=email:nobody@example.com", []),
    ("attributes.agency=NYPD", [1]),
    ("attributes.agency=NYPD&attributes.agency=HPD", [2, 1]),
    ("attributes.weight=2.50", [3]),
    ("attributes.weight=2", [1]),
    ("attributes.vip=true", [3]),
    ("attributes.vip=false", []),
]


async def test_filters_keep_what_meets_all_of_them(client: httpx.AsyncClient) -> None:
    for key, kind in (("agency", "text"), ("weight", "number"), ("vip", "boolean")):
        await client.put(f"/v1/attributes/{key}", json={"type": kind, "groupable": True})
    customer = {"type": "email", "value": "olena@example.com"}
    await post(
        client,
        rating(
            "a1",
            10,
            value=1,
            employee="oleh",
            lang="uk",
            customer=customer,
            attributes={"agency": "NYPD", "weight": 2},
        ),
        rating(
            "a2",
            11,
            channel="store",
            question="csat",
            scale="csat_1_5",
            value=2,
            kind="complaint",
            collection_mode="invited",
            attributes={"agency": "HPD"},
        ),
        rating("a3", 12, value=3, channel="chat", location="kyiv", attributes={"weight": 2.5, "vip": True}),
    )
    for query, expected in FILTERED:
        assert await values(client, query) == expected, query


REFUSED = [
    ("chanel=call", "unknown_parameter"),
    ("attributes.agency=x", "unknown_attribute"),
    ("attributes.=x", "unknown_attribute"),
    ("customer=olena", "invalid_value"),
    ("cursor=abc", "invalid_cursor"),
    ("cursor=WyIyMDI2IiwgIngiXQ", "invalid_cursor"),
    ("limit=501", "invalid_request"),
    ("from=2026-03-01", "invalid_request"),
    ("from=0001-01-01T00:00:00%2B14:00", "invalid_request"),
]


async def test_a_filter_that_nobody_reads_is_refused(client: httpx.AsyncClient) -> None:
    for query, code in REFUSED:
        refused = await client.get(f"/v1/feedback?{query}")
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text


@pytest.mark.parametrize(
    ("name", "value", "near"),
    [
        ("class", "negativ", "'negative'"),
        ("class", "bad", "positive"),
        ("kind", "complaints", "'complaint'"),
        ("measure", "npss", "'nps'"),
        ("scale_id", "nps_0_11", "'nps_0_10'"),
        ("channel", "cal", "'call'"),
        ("collection_mode", "invite", "'invited'"),
        ("verification", "verfied", "'verified'"),
        ("stage", "wait", "'waiting'"),
    ],
)
async def test_a_word_of_no_closed_list_is_refused_with_the_nearest(
    client: httpx.AsyncClient, name: str, value: str, near: str
) -> None:
    refused = await client.get("/v1/feedback", params={name: value})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value"), refused.text
    [error] = refused.json()["errors"]
    assert error["pointer"] == f"query:{name}"
    assert near in error["cure"]


async def test_every_word_of_a_closed_list_and_any_word_elsewhere_may_be_asked(
    client: httpx.AsyncClient,
) -> None:
    for name, words in CLOSED_LISTS.items():
        answer = await client.get("/v1/feedback", params={name: list(words)})
        assert answer.status_code == 200, answer.text
    assert (await client.get("/v1/feedback?location=nowhere&question=none&cause=x")).json()["items"] == []


async def test_the_nearest_parameter_is_named(client: httpx.AsyncClient) -> None:
    refused = await client.get("/v1/feedback?chanel=call")
    assert refused.json()["errors"][0]["pointer"] == "query:chanel"
    assert "did you mean `channel`?" in refused.json()["errors"][0]["cure"]


async def test_a_personal_attribute_is_shown_and_no_filter(client: httpx.AsyncClient) -> None:
    await client.put("/v1/attributes/phone", json={"type": "text", "personal": True})
    [result] = await post(client, rating("a1", attributes={"phone": "1", "agency": "NYPD"}))
    [item] = (await client.get("/v1/feedback")).json()["items"]
    assert item["attributes"] == {"phone": "1", "agency": "NYPD"}
    assert (await client.get("/v1/feedback?attributes.phone=1")).json()["code"] == "unknown_attribute"
    event = (await client.get(f"/v1/events/{result['event_id']}")).json()
    assert event["data"]["attributes"] == {"agency": "NYPD"}


async def test_an_edited_review_is_one_answer_with_two_versions(client: httpx.AsyncClient) -> None:
    review = {
        "type": "review.published",
        "id": "r1@1",
        "source": "site",
        "object": "r1",
        "version": 1,
        "occurred_at": "2026-03-01T10:00:00Z",
        "data": {"channel": "review", "scale": "stars_1_5", "value": 1, "text": "bad"},
    }
    edited = {**review, "type": "review.edited", "id": "r1@2", "version": 2}
    edited["data"] = {**review["data"], "value": 5, "text": "mended"}
    await post(client, review)
    await post(client, edited)
    [item] = (await client.get("/v1/feedback")).json()["items"]
    detail = (await client.get(f"/v1/feedback/{item['id']}")).json()
    assert (detail["state"], detail["value"], detail["text"]) == ("current", 5, "mended")
    assert [(version["value"], version["text"]) for version in detail["versions"]] == [
        (1, "bad"),
        (5, "mended"),
    ]
    assert detail["versions"][0]["seq_to"] == detail["versions"][1]["seq_from"]
    assert detail["versions"][1]["seq_to"] is None


async def test_a_retracted_answer_leaves_the_list_and_stays_readable(client: httpx.AsyncClient) -> None:
    await post(client, rating("a1"))
    [item] = (await client.get("/v1/feedback")).json()["items"]
    retraction = {
        "type": "event.retracted",
        "id": "x1",
        "source": "crm",
        "occurred_at": "2026-03-02T10:00:00Z",
        "data": {"event": "a1"},
    }
    await post(client, retraction)
    assert (await client.get("/v1/feedback")).json()["items"] == []
    assert (await client.get(f"/v1/feedback/{item['id']}")).json()["state"] == "withdrawn"


async def test_ids_that_name_nothing_are_not_found(client: httpx.AsyncClient) -> None:
    for url in ("/v1/feedback/fb_1", "/v1/feedback/fb_00000000000000000000000000", "/v1/events/evt_x"):
        assert (await client.get(url)).status_code == 404
    assert (await client.get("/v1/events/evt_00000000000000000000000000")).status_code == 404


async def test_an_event_shows_its_person_only_to_readers_of_feedback(
    client: httpx.AsyncClient, api_key: MakeKey
) -> None:
    [result] = await post(client, rating("a1", text="secret words", interaction="call-7"))
    url = f"/v1/events/{result['event_id']}"
    reader = (await client.get(url, headers=bearer(await api_key("feedback:read")))).json()
    assert reader["personal"]["text"] == "secret words"
    assert reader["subject"]["ref"] == "call-7"
    writer = await client.get(url, headers=bearer(await api_key("events:write")))
    assert writer.json()["personal"] is None
    assert writer.json()["data"]["answers"][0]["value"] == "9"
    assert writer.json()["id"] == "a1"
    assert "secret words" not in writer.text
    assert "call-7" not in writer.text


async def test_rows_are_not_for_keys_that_read_only_metrics(
    client: httpx.AsyncClient, api_key: MakeKey
) -> None:
    headers = bearer(await api_key("metrics:read"))
    for url in ("/v1/feedback", "/v1/feedback/changes", "/v1/feedback/fb_1", "/v1/events/evt_1"):
        assert (await client.get(url, headers=headers)).status_code == 403
