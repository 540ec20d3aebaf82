"""Cases that open because somebody calls stored feedback a complaint, and touchpoints that are renamed."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.builders import at, event, query
from tests.cases.conftest import Desk
from tests.conftest import Server


def note(event_id: str, **more: Any) -> dict[str, Any]:
    """A text without a score, which says nothing of itself."""
    data = {"channel": "call", "text": "Was at the desk today.", "collection_mode": "invited", **more}
    return event("feedback.received", event_id, when=at(), data=data)


def classified(target: str, event_id: str = "word", **more: Any) -> dict[str, Any]:
    data = {"event": target, "is_complaint": True, "model": "m-1", "confidence": 0.93, **more}
    return event("feedback.classified", event_id, when=at(hours=1), data=data)


def qualified(target: str, **more: Any) -> dict[str, Any]:
    data = {"event": target, "is_complaint": True, **more}
    return event("response.qualified", "expert", when=at(hours=2), data=data)


async def openings(server: Server) -> list[Any]:
    return await query(server, "SELECT occurred_at, fact FROM events WHERE type = 'case.opened' ORDER BY seq")


async def post(desk: Desk, *events: dict[str, Any]) -> None:
    answer = await desk.client.post("/v1/events", json=list(events))
    assert [item["status"] for item in answer.json()["results"]] == ["created"] * len(events), answer.text


@pytest.mark.parametrize("order", list(permutations(range(2))))
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_classifier_opens_the_case_before_or_after_the_feedback_once(
    desk: Desk, order: tuple[int, ...], at_once: bool
) -> None:
    facts = [note("f-1"), classified("f-1")]
    if at_once:
        await post(desk, *(facts[index] for index in order))
    else:
        for index in order:
            await post(desk, facts[index])
    case = await desk.case("feedback:crm:f-1")
    assert (case["kind"], case["opened_at"], case["source"]) == ("complaint", at(), "crm")
    found = {name: case["detection"][name] for name in ("decided_by", "rule_id")}
    assert found == {"decided_by": "model", "rule_id": "m-1"}
    await post(desk, classified("f-1", "word-2"), qualified("f-1"))
    assert len((await desk.client.get("/v1/cases")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("fact", "word", "decided_by"),
    [
        (note("f-1"), classified("f-1", confidence=0.5), None),
        (note("f-1"), classified("f-2"), None),
        (note("f-1"), classified("f-1", is_complaint=False), None),
        (note("f-1", is_complaint=False), classified("f-1"), None),
        (note("f-1"), qualified("f-1", qualification="valid"), "explicit"),
        (note("f-1", is_complaint=False), qualified("f-1"), "explicit"),
    ],
)
async def test_who_is_heard_and_who_is_not(
    desk: Desk, fact: dict[str, Any], word: dict[str, Any], decided_by: str | None
) -> None:
    await post(desk, fact, word)
    cases = (await desk.client.get("/v1/cases")).json()["items"]
    found = [(await desk.client.get(f"/v1/cases/{case['id']}")).json()["detection"] for case in cases]
    assert [item["decided_by"] for item in found] == ([] if decided_by is None else [decided_by])


async def test_a_word_of_a_whole_contact_and_one_of_what_was_taken_back(desk: Desk) -> None:
    await post(desk, {**note("f-1"), "subject": {"kind": "interaction", "ref": "call-1"}}, note("f-2"))
    gone = event("event.retracted", "r", when=at(hours=1), data={"event": "f-2"})
    await post(desk, gone)
    word = event("feedback.classified", "w", when=at(hours=1), data={"is_complaint": True})
    await post(desk, {**word, "subject": {"kind": "interaction", "ref": "call-1"}}, classified("f-2", "w2"))
    [case] = (await desk.client.get("/v1/cases")).json()["items"]
    assert (await desk.case("feedback:crm:f-1"))["id"] == case["id"]


async def test_a_touchpoint_that_gets_another_name_has_it_in_cases_timers_and_messages(
    desk: Desk, server: Server
) -> None:
    await desk.open("T-1", touchpoint="web-chat-2", severity="sev3")
    await desk.open("T-2", touchpoint="till")
    moved = await desk.client.post("/v1/journey/retags", json={"raw": "web-chat-2", "touchpoint": "chat"})
    assert moved.status_code in (200, 201), moved.text
    assert (await desk.case("T-1"))["touchpoint"] == "chat"
    listed = (await desk.client.get("/v1/cases?touchpoint=chat")).json()["items"]
    assert [item["touchpoint"] for item in listed] == ["chat"]
    timers = (await desk.client.get("/v1/sla/timers?limit=100")).json()["items"]
    assert {item["touchpoint"] for item in timers} <= {"chat", "till"}
    done = await desk.done(listed[0]["id"], "acknowledge")
    assert done["case"]["touchpoint"] == "chat"
    await desk.open("T-3", touchpoint="web-chat-2")
    assert (await desk.case("T-3"))["touchpoint"] == "chat"
    told = await query(server, "SELECT data->'case'->>'touchpoint' AS name FROM outbox "
                       "WHERE type IN ('case.acknowledged', 'case.opened') ORDER BY outbox_id")  # fmt: skip
    assert [row["name"] for row in told] == ["web-chat-2", "till", "chat", "chat"]
