"""What was taken back takes back the case that it opened, unless something else still wants the case."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.builders import event, query, rating, results_of
from tests.cases.conftest import Desk
from tests.conftest import Server

ANNA = {"type": "email", "value": "anna@example.com"}


def bad(name: str, desk: Desk, value: int = 1, **fields: Any) -> dict[str, Any]:
    when = fields.pop("when", desk.clock().isoformat())
    return rating(name, value, scale="csat_1_5", question="call", customer=ANNA, when=when, **fields)


def taken_back(name: str, desk: Desk) -> dict[str, Any]:
    return event("event.retracted", f"no-{name}", data={"event": name}, when=desk.clock().isoformat())


async def cases(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    items = (await client.get("/v1/cases")).json()["items"]
    return sorted((item["state"], item["opened_at"]) for item in items)


@pytest.mark.parametrize("together", [False, True])
async def test_a_case_falls_with_the_feedback_that_opened_it(
    desk: Desk, server: Server, together: bool
) -> None:
    posts = [bad("f1", desk), taken_back("f1", desk)]
    for body in [posts] if together else [[item] for item in posts]:
        assert "rejected" not in results_of(await desk.client.post("/v1/events", json=body))
    assert [state for state, _ in await cases(desk.client)] == ["invalid"]
    timers = (await desk.client.get("/v1/sla/timers?limit=100")).json()["items"]
    assert [timer["timer"] for timer in timers if timer["state"] in ("running", "breached")] == []
    case_id = (await desk.client.get("/v1/cases")).json()["items"][0]["id"]
    assert (await desk.client.get(f"/v1/cases/{case_id}/sla")).json()["timers"] == []


async def test_a_case_that_somebody_worked_on_falls_too_and_one_of_the_crm_stays(desk: Desk) -> None:
    await desk.client.post("/v1/events", json=[bad("f1", desk)])
    await desk.post("case.opened", "T-1", {"kind": "complaint"})
    await desk.done((await desk.case("feedback:crm:f1"))["id"], "acknowledge")
    await desk.client.post("/v1/events", json=[taken_back("f1", desk)])
    assert [state for state, _ in await cases(desk.client)] == ["invalid", "open"]
    assert (await desk.case("T-1"))["state"] == "open"


async def test_subscribers_hear_that_a_source_takes_back_what_opened_its_case(
    desk: Desk, server: Server
) -> None:
    for ref in ("T-1", "T-2"):
        await desk.post("case.opened", ref, {"kind": "complaint"}, id=ref)
    await desk.post("case.opened", "T-2", {"kind": "complaint"}, source="chat", id="T-2")
    await desk.client.post("/v1/events", json=[bad("f1", desk)])
    for name in ("T-1", "T-2", "f1"):
        await desk.client.post("/v1/events", json=[taken_back(name, desk)])
    rows = await query(server, "SELECT type, data FROM outbox WHERE type LIKE 'case.%' ORDER BY outbox_id")
    told = [(row["type"], json.loads(row["data"])) for row in rows if row["type"] != "case.opened"]
    assert [(kind, data["ref"] or data["case"]["refs"][0]) for kind, data in told] == [
        ("case.opening_retracted", "T-1"), ("case.marked_invalid", "feedback:crm:f1"),
    ], "T-2 is opened by another source still"  # fmt: skip
    assert {data["case"]["state"] for _, data in told} == {"invalid"}
    assert all(data["details"]["opening"].startswith("evt_") for _, data in told)
    assert (await desk.case("T-1"))["state"] == "invalid"


async def test_a_state_of_the_same_review_that_is_still_bad_keeps_its_case(desk: Desk) -> None:
    first = bad("r1", desk, object="R", version=1)
    desk.clock.advance(minutes=5)
    second = bad("r2", desk, 2, object="R", version=2)
    for body in (first, second, taken_back("r1", desk)):
        await desk.client.post("/v1/events", json=[body])
    [(state, opened_at)] = await cases(desk.client)
    assert (state, opened_at[:19]) == ("open", second["occurred_at"][:19])
    await desk.client.post("/v1/events", json=[taken_back("r2", desk)])
    assert [state for state, _ in await cases(desk.client)] == ["invalid"]


async def test_an_internal_case_stays_for_the_presses_that_remain(desk: Desk) -> None:
    def press(name: str) -> dict[str, Any]:
        when = desk.clock().isoformat()
        return rating(name, 1, scale="csat_1_5", question="till", touchpoint="till",
                      collection_mode="passive", when=when)  # fmt: skip

    await desk.client.post("/v1/events", json=[press("p1")])
    desk.clock.advance(seconds=40)
    await desk.client.post("/v1/events", json=[press("p2")])
    await desk.client.post("/v1/events", json=[taken_back("p1", desk)])
    assert [state for state, _ in await cases(desk.client)] == ["open"]
    await desk.client.post("/v1/events", json=[taken_back("p2", desk)])
    assert [state for state, _ in await cases(desk.client)] == ["invalid"]
