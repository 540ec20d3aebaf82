"""Questions: created at first sight, defined later, never redefined under their answers."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

NPS = {"measure": "nps", "scale_id": "nps_0_10", "wording": "Would you recommend us?"}


def answer(event_id: str, question: str = "q1", **data: Any) -> dict[str, Any]:
    return {
        "type": "feedback.received",
        "id": event_id,
        "source": "crm",
        "occurred_at": "2026-03-01T10:00:00Z",
        "data": {"channel": "call", "question": question, **data},
    }


async def test_a_question_met_in_an_event_is_completed_later(client: httpx.AsyncClient) -> None:
    await client.post("/v1/events", json=answer("a1", scale="nps_0_10", value=9))
    [met] = (await client.get("/v1/questions?uncategorised=true")).json()["items"]
    assert (met["key"], met["measure"], met["wording"], met["relational"]) == ("q1", "nps", None, True)
    put = await client.put("/v1/questions/q1", json=NPS)
    assert put.status_code == 200, put.text
    assert (put.json()["wording"], put.json()["wording_version"]) == (NPS["wording"], 1)
    assert (await client.get("/v1/questions?uncategorised=true")).json()["items"] == []


async def test_the_first_to_name_a_question_in_a_commit_says_what_it_asks(client: httpx.AsyncClient) -> None:
    silent = {**answer("s1"), "type": "survey.refused"}
    posted = [silent, answer("a1", scale="csat_1_5", value=4), answer("a2", scale="nps_0_10", value=9)]
    assert (await client.post("/v1/events", json=posted)).status_code == 200
    [met] = (await client.get("/v1/questions?uncategorised=true")).json()["items"]
    assert (met["key"], met["measure"], met["scale_id"]) == ("q1", "csat", "csat_1_5")


async def test_a_silent_customer_alone_defines_no_question(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/events", json={**answer("s1"), "type": "survey.refused"})).is_success
    assert (await client.get("/v1/questions?uncategorised=true")).json()["items"] == []


async def test_a_defined_question_spares_events_the_scale(client: httpx.AsyncClient) -> None:
    await client.put("/v1/questions/q1", json=NPS)
    assert (await client.post("/v1/events", json=answer("a1", value=9))).status_code == 201
    wrong = await client.post("/v1/events", json=answer("a2", scale="csat_1_5", value=3))
    assert wrong.json()["code"] == "scale_conflict"


async def test_an_unanswered_question_may_be_redefined_freely(client: httpx.AsyncClient) -> None:
    await client.put("/v1/questions/q1", json=NPS)
    put = await client.put("/v1/questions/q1", json={"measure": "csat", "scale_id": "csat_1_5"})
    assert put.status_code == 200
    assert put.json()["scale_id"] == "csat_1_5"


async def test_an_answered_question_changes_only_as_a_new_version(client: httpx.AsyncClient) -> None:
    await client.put("/v1/questions/q1", json=NPS)
    await client.post("/v1/events", json=answer("a1", value=9))
    for change in ({"measure": "recommend"}, {"scale_id": "nps_1_10"}, {"wording": "Will you come back?"}):
        refused = await client.put("/v1/questions/q1", json={**NPS, **change})
        assert (refused.status_code, refused.json()["code"]) == (409, "question_answered"), change
        assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(change))}"
    newer = {"measure": "csat", "scale_id": "csat_1_5", "wording": "Content?", "wording_version": 2}
    assert (await client.put("/v1/questions/q1", json=newer)).status_code == 200
    await client.post("/v1/events", json=answer("a2", value=3))
    items = (await client.get("/v1/feedback")).json()["items"]
    read = sorted((item["scale_id"], item["measure"], item["value"]) for item in items)
    assert read == [("csat_1_5", "csat", 3), ("nps_0_10", "nps", 9)]


async def test_a_withdrawn_answer_still_binds_the_question(client: httpx.AsyncClient) -> None:
    await client.put("/v1/questions/q1", json=NPS)
    await client.post("/v1/events", json=answer("a1", value=9))
    retraction = {**answer("x1"), "type": "event.retracted", "data": {"event": "a1"}}
    assert (await client.post("/v1/events", json=retraction)).status_code == 201
    refused = await client.put("/v1/questions/q1", json={"measure": "csat", "scale_id": "csat_1_5"})
    assert refused.status_code == 409


async def test_the_wording_version_never_shrinks(client: httpx.AsyncClient) -> None:
    await client.put("/v1/questions/q1", json={**NPS, "wording_version": 3})
    refused = await client.put("/v1/questions/q1", json={**NPS, "wording_version": 2})
    assert refused.json()["code"] == "wording_version_shrinks"
    assert (await client.put("/v1/questions/q1", json=NPS)).json()["wording_version"] == 3


async def test_many_questions_are_defined_together_or_not_at_all(client: httpx.AsyncClient) -> None:
    items = [{"key": "q1", **NPS}, {"key": "q2", "measure": "csat", "scale_id": "csat_1_6"}]
    refused = await client.put("/v1/questions", json={"items": items})
    assert refused.json()["code"] == "unknown_scale"
    assert refused.json()["errors"][0]["pointer"] == "/items/1/scale_id"
    assert "csat_1_5" in refused.json()["errors"][0]["cure"]
    assert (await client.get("/v1/questions")).json()["items"] == []
    items[1]["scale_id"] = "csat_1_5"
    stored = await client.put("/v1/questions", json={"items": items})
    assert [(item["key"], item["relational"]) for item in stored.json()["items"]] == [
        ("q1", True),
        ("q2", False),
    ]
    of_csat = (await client.get("/v1/questions?measure=csat")).json()["items"]
    assert [item["key"] for item in of_csat] == ["q2"]


async def test_wrong_definitions_are_refused_with_the_place(client: httpx.AsyncClient) -> None:
    twice = await client.put("/v1/questions", json={"items": [{"key": "q", **NPS}] * 2})
    assert twice.json()["errors"][0]["pointer"] == "/items/1/key"
    assert (await client.put("/v1/questions/none", json=NPS)).json()["code"] == "reserved_key"
    unknown = await client.put("/v1/questions/q", json={**NPS, "measure": "joy"})
    assert unknown.json()["errors"][0]["pointer"] == "/measure"
    assert (await client.put("/v1/questions/q", json={**NPS, "scale": "x"})).status_code == 422
    assert (await client.get("/v1/questions/q")).status_code == 404


async def test_if_match_guards_a_question(client: httpx.AsyncClient) -> None:
    seen = (await client.put("/v1/questions/q1", json=NPS)).headers["etag"]
    changed = {**NPS, "relational": False}
    assert (await client.put("/v1/questions/q1", json=changed, headers={"If-Match": seen})).is_success
    late = await client.put("/v1/questions/q1", json=NPS, headers={"If-Match": seen})
    assert late.status_code == 412


async def test_of_writers_who_saw_the_same_version_one_wins(client: httpx.AsyncClient) -> None:
    seen = (await client.put("/v1/questions/q1", json=NPS)).headers["etag"]
    puts = [
        client.put("/v1/questions/q1", json={**NPS, "wording": f"w{n}"}, headers={"If-Match": seen})
        for n in range(5)
    ]
    statuses = sorted(result.status_code for result in await asyncio.gather(*puts))
    assert statuses == [200, 412, 412, 412, 412]


async def test_the_scale_registry_tells_where_classes_begin(client: httpx.AsyncClient) -> None:
    scales = {scale["id"]: scale for scale in (await client.get("/v1/scales")).json()["items"]}
    nps = scales["nps_0_10"]
    assert (nps["negative"], nps["neutral"]) == ({"low": 0, "high": 6}, {"low": 7, "high": 8})
    assert scales["smiley_4"]["neutral"] is None
    assert scales["ces1_effort_1_5"]["reversed"] is True
