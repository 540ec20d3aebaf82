"""What cases teach: one action for many of them, failures that recur, talks with employees."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.builders import assert_problem, event, query
from tests.cases.conftest import Desk, in_time
from tests.conftest import Server


async def call(desk: Desk, path: str, body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await desk.client.post(path, json=body, headers=named)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def items(desk: Desk, path: str) -> list[dict[str, Any]]:
    answer = await desk.client.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def outgoing(server: Server, family: str) -> list[str]:
    rows = await query(server, "SELECT type FROM outbox WHERE type LIKE $1 ORDER BY outbox_id", f"{family}.%")
    return [row["type"] for row in rows]


ACTION = {"ref": "FIX-1", "name": "Second till at lunch", "cause": "office_process.queue", "owner": "taras"}


async def test_one_action_serves_many_cases_and_each_customer_is_owed_a_word(
    desk: Desk, server: Server
) -> None:
    first, second = await desk.open("T-1", severity="sev2"), await desk.open("T-2")
    late, unreachable = await desk.open("T-3"), await desk.open("T-4")
    action = await call(desk, "/v1/corrective-actions", {**ACTION, "cases": [first, "T-2"]})
    path = f"/v1/corrective-actions/{action['id']}"
    assert (action["state"], action["severity"], action["cases"], action["owed"]) == ("open", "sev2", 2, 0)
    early = await desk.send(first, "inform-of-improvement")
    assert (early.status_code, early.json()["code"]) == (409, "nothing_owed")
    assert (await call(desk, f"{path}/deploy"))["owed"] == 2
    await desk.done(late, "link-action", {"action": action["id"]})
    assert (await call(desk, f"{path}/link", {"cases": [unreachable]}))["owed"] == 4
    owed = await items(desk, "/v1/improvements-owed")
    assert {item["case_id"] for item in owed} == {first, second, late, unreachable}
    one = next(item for item in owed if item["case_id"] == first)
    running = (await desk.client.get(f"/v1/cases/{first}/sla")).json()["timers"]
    due = next(timer["due_at"] for timer in running if timer["timer"] == "inform_improvement")
    assert (one["refs"], one["action_name"], one["due_at"]) == (["T-1"], ACTION["name"], due)
    rows = await query(server, "SELECT fact FROM events WHERE type = 'case.improvement_deployed'")
    assert {json.loads(row["fact"])["action_name"] for row in rows} == {ACTION["name"]}
    told = (await desk.done(first, "inform-of-improvement", {"text": "thanks to you"}))["case"]
    assert told["actions"][0]["informed_at"] is not None
    assert first not in {item["case_id"] for item in await items(desk, "/v1/improvements-owed?action=FIX-1")}
    again = await desk.send(first, "inform-of-improvement", {"action": "FIX-1"})
    assert (again.status_code, again.json()["code"]) == (409, "already_informed")
    assert await outgoing(server, "corrective_action") == [
        "corrective_action.opened", "corrective_action.deployed",
    ]  # fmt: skip
    assert (await items(desk, "/v1/corrective-actions?state=deployed"))[0]["owed"] == 3


async def test_a_merge_loses_no_word_that_is_owed(desk: Desk) -> None:
    absorbed, survivor = await desk.open("T-1"), await desk.open("T-2")
    action = await call(desk, "/v1/corrective-actions", {**ACTION, "cases": [absorbed]})
    await call(desk, f"/v1/corrective-actions/{action['id']}/deploy")
    await desk.done(absorbed, "merge", {"into": survivor})
    assert [item["case_id"] for item in await items(desk, "/v1/improvements-owed")] == [survivor]
    case = (await desk.done(survivor, "inform-of-improvement"))["case"]
    assert (case["anomalies"], await items(desk, "/v1/improvements-owed")) == ([], [])


async def test_a_link_that_becomes_known_after_the_merge_is_owed_by_the_survivor_too(desk: Desk) -> None:
    survivor = await desk.open("T-2")
    await desk.post("case.opened", "T-1", {"kind": "complaint"}, ago=timedelta(hours=3))
    action = await call(desk, "/v1/corrective-actions", ACTION)
    await desk.post("case.merged", "T-1", {"into": "T-2"}, ago=timedelta(hours=1))
    for _ in range(2):
        await desk.post("case.action_linked", "T-1", {"action": action["ref"]}, ago=timedelta(hours=2))
    await call(desk, f"/v1/corrective-actions/{action['id']}/deploy")
    assert [item["case_id"] for item in await items(desk, "/v1/improvements-owed")] == [survivor]


async def test_nobody_is_thanked_twice_when_the_thanks_become_known_after_the_merge(desk: Desk) -> None:
    for ref in ("T-1", "T-2", "T-3", "T-4"):
        await desk.post("case.opened", ref, {"kind": "complaint"}, ago=timedelta(hours=9))
    cases = ["T-1", "T-3", "T-4"]
    action = await call(desk, "/v1/corrective-actions", {**ACTION, "cases": cases})
    await call(desk, f"/v1/corrective-actions/{action['id']}/deploy")
    desk.clock.advance(hours=5)
    for absorbed, survivor in (("T-1", "T-2"), ("T-3", "T-4")):
        await desk.post("case.merged", absorbed, {"into": survivor}, ago=timedelta(hours=1))
    assert len(await items(desk, "/v1/improvements-owed")) == 2
    thanks = {"action": ACTION["ref"]}
    await desk.post("case.improvement_informed", "T-1", thanks, ago=timedelta(hours=2))
    await desk.post("case.improvement_informed", "T-3", thanks, ago=timedelta(hours=2))
    owed = [item["refs"] for item in await items(desk, "/v1/improvements-owed")]
    assert owed == [["T-3", "T-4"]], "T-2 only took the link over; T-4 had one of its own"
    case = await desk.case("T-2")
    assert (case["actions"][0]["informed_at"] is not None, case["anomalies"]) == (True, [])


async def test_commands_on_actions_are_checked_and_repeats_done_once(desk: Desk) -> None:
    action = await call(desk, "/v1/corrective-actions", ACTION, idempotency_key="k1")
    assert await call(desk, "/v1/corrective-actions", ACTION, idempotency_key="k1") == action
    client, path = desk.client, f"/v1/corrective-actions/{action['id']}"
    other = await client.post(
        "/v1/corrective-actions", json={**ACTION, "name": "x"}, headers={"Idempotency-Key": "k1"}
    )
    assert_problem(other, 409, "idempotency_conflict")
    assert_problem(await client.post("/v1/corrective-actions", json=ACTION), 409, "action_exists")
    unknown = await client.post("/v1/corrective-actions", json={"name": "y", "cases": ["T-404"]})
    assert assert_problem(unknown, 422, "unknown_case")["errors"][0]["pointer"] == "/cases/0"
    await call(desk, f"{path}/cancel", {"reason": "no money"})
    assert_problem(await client.post(f"{path}/deploy"), 409, "action_cancelled")
    case_id = await desk.open()
    link = await desk.send(case_id, "link-action", {"action": "FIX-1"})
    assert (link.status_code, link.json()["code"]) == (422, "unknown_action")
    assert_problem(await client.get("/v1/corrective-actions/action_x"), 404, "not_found")
    case = (await desk.done(case_id, "action-not-needed", {"reason": "a single slip"}))["case"]
    assert case["action_not_needed_at"] is not None


async def test_the_fifth_case_of_a_cause_makes_a_recurring_failure_once(desk: Desk, server: Server) -> None:
    for number in range(6):
        await desk.post("case.opened", f"Q-{number}", {"cause": "office_process.queue", "severity": "sev3"})
        found = await items(desk, "/v1/recurring-failures?registry=true")
        assert len(found) == (1 if number >= 4 else 0)
    await desk.post("case.opened", "Z-1", {"cause": "product_price", "severity": "sev3"})
    assert await outgoing(server, "recurring_failure") == ["recurring_failure.detected"]
    [failure] = found
    assert (failure["rule"], failure["cases"], failure["cases_now"], failure["weight"]) == (
        "many_cases",
        5,
        6,
        12,
    )
    path = f"/v1/recurring-failures/{failure['id']}"
    await call(desk, "/v1/corrective-actions", ACTION)
    taken = await call(desk, f"{path}/take", {"owner": "taras", "action": "FIX-1"})
    assert (taken["owner"], taken["action"], taken["rank"]) == ("taras", "FIX-1", 1)
    assert_problem(await desk.client.post(f"{path}/take", json={"action": "none"}), 422, "unknown_action")
    assert (await call(desk, f"{path}/close", {"reason": "fixed"}))["state"] == "closed"
    await desk.post("case.opened", "Q-9", {"cause": "office_process.queue"})
    assert await items(desk, "/v1/recurring-failures?state=open") == []


async def test_a_case_counts_towards_a_failure_when_it_was_opened_however_late_its_cause_is_found(
    desk: Desk,
) -> None:
    for days, cause in ((35, "external.carrier"), (20, "office_process.queue")):
        told = [
            event("case.assessed", f"{days}-{n}", when=desk.clock().isoformat(), subject=f"case/{days}-{n}",
                  data={"cause": cause})
            for n in range(5)
        ]  # fmt: skip
        for n in range(5):
            await desk.post("case.opened", f"{days}-{n}", ago=timedelta(days=days))
        assert (await desk.client.post("/v1/events", json=told)).status_code == 200
    assert [item["cause"] for item in await items(desk, "/v1/recurring-failures")] == ["office_process.queue"]


async def test_cases_filled_in_afterwards_announce_no_failure(desk: Desk) -> None:
    events = [
        {
            "type": "case.opened", "id": f"old-{number}", "source": "crm",
            "occurred_at": (desk.clock() - timedelta(days=3)).isoformat(),
            "subject": {"kind": "case", "ref": f"O-{number}"}, "data": {"cause": "external.carrier"},
        }
        for number in range(6)
    ]  # fmt: skip
    answer = await desk.client.post("/v1/events?backfill=true", json=events)
    assert answer.status_code == 200
    assert await items(desk, "/v1/recurring-failures") == []


async def test_a_talk_is_as_urgent_as_the_case_that_a_rule_made_graver(desk: Desk) -> None:
    await desk.post("case.opened", "R-1", {"cause": "staff.rudeness", "employee": "ivan"})
    await desk.post("case.opened", "R-2", {"cause": "staff.manner", "employee": "ivan", "severity": "sev4"})
    assert (await desk.case("R-1"))["severity"] == "sev2"
    found = {item["cause"]: item["severity"] for item in await items(desk, "/v1/debriefs")}
    assert found == {"staff.rudeness": "sev2", "staff.manner": "sev4"}


async def test_a_rude_word_of_staff_calls_for_a_talk_of_seven_steps(desk: Desk, server: Server) -> None:
    case_id = await desk.open("T-1", employee="ivan")
    await desk.done(case_id, "assess", {"cause": "staff.rudeness"})
    await desk.done(case_id, "assess", {"cause": "staff.manner"})
    [debrief] = await items(desk, "/v1/debriefs?state=open")
    assert (debrief["employee"], debrief["case_id"], debrief["checklist"]) == (
        "ivan",
        case_id,
        "debrief_negative",
    )
    path = f"/v1/debriefs/{debrief['id']}/steps"
    assert_problem(await desk.client.post(path, json={"step": "shout"}), 422, "unknown_checklist_step")
    early = (desk.clock() - timedelta(hours=1)).isoformat()
    assert_problem(
        await desk.client.post(path, json={"step": "show", "occurred_at": early}), 422, "before_opening"
    )
    desk.clock.advance(hours=2)
    done_at = (desk.clock() - timedelta(hours=1)).isoformat()
    for step in ("make_sure", "show", "support", "point_out", "ask_why"):
        await call(desk, path, {"step": step})
    talk = await call(desk, path, {"step": "discuss", "occurred_at": done_at})
    assert (talk["state"], talk["held_at"]) == ("held", talk["steps"]["ask_why"]), "told late, not held early"
    assert in_time(talk["steps"]["discuss"]) == in_time(done_at)
    assert_problem(await desk.client.post(path, json={"step": "show"}), 409, "already_done")
    assert (await call(desk, path, {"step": "check"}))["state"] == "completed"
    told = await outgoing(server, "debrief")
    assert (told[0], told.count("debrief.step_done"), told[-1]) == ("debrief.opened", 7, "debrief.completed")


async def test_praise_by_name_is_shown_once_in_three_steps(desk: Desk, server: Server) -> None:
    praise = {
        "type": "feedback.received", "id": "p1", "source": "crm", "occurred_at": desk.clock().isoformat(),
        "data": {"kind": "praise", "employee": "olena", "text": "so kind"},
    }  # fmt: skip
    for version in (1, 2):
        body = {**praise, "id": f"p{version}", "object": "praise-1", "version": version}
        assert (await desk.client.post("/v1/events", json=body)).status_code in (200, 201)
    [debrief] = await items(desk, "/v1/debriefs?employee=olena")
    for step in ("show", "praise", "gift"):
        state = (await call(desk, f"/v1/debriefs/{debrief['id']}/steps", {"step": step}))["state"]
    assert (debrief["checklist"], state) == ("debrief_positive", "completed")
    assert (await outgoing(server, "debrief")).count("debrief.opened") == 1


async def test_a_proactive_notice_counts_whom_it_concerns_and_whom_it_reached(desk: Desk) -> None:
    notice = {
        "type": "proactive_notice.sent", "source": "ops", "occurred_at": desk.clock().isoformat(),
        "object": "outage-1", "data": {"affected": 120, "reached": 90, "cause": "external.carrier"},
    }  # fmt: skip
    more = {**notice, "data": {**notice["data"], "reached": 110}}
    for version, body in ((1, notice), (2, more)):
        answer = await desk.client.post("/v1/events", json={**body, "id": f"n{version}", "version": version})
        assert answer.status_code in (200, 201), answer.text
    [shown] = await items(desk, "/v1/proactive-notices?cause=external.carrier")
    assert (shown["affected"], shown["reached"]) == (120, 110)
