"""Policy documents: the preset against the domain table, and the matching of rules."""

from __future__ import annotations

import json
from typing import Any

from app.domain.events import SubjectKind
from app.domain.sla import (
    ClockState,
    default_policy_document,
    parse_policy,
    plan_timers,
    read_plan,
)

from .builders import KNOWN, OFFICE, PRESET, a_policy, an_event, at, timed


def test_the_preset_survives_json_and_is_accepted() -> None:
    document = json.loads(json.dumps(default_policy_document("9x5")))
    assert parse_policy(document, "default", 1, KNOWN) == PRESET


def test_the_preset_takes_the_due_time_that_a_case_brings() -> None:
    opened = an_event("case.opened", "2026-03-04 10:00", due_at="2026-03-20T00:00:00Z")
    plans = {plan.key: plan for plan in plan_timers(PRESET, {"subject": "case"}, [opened], OFFICE)}
    (reading,) = read_plan(plans["given_due"], [opened], opened.occurred_at)
    assert reading.due_at == at("2026-03-20 00:00")


def test_the_preset_misses_a_feedback_offer_after_twenty_minutes() -> None:
    ended = an_event("interaction.ended", "2026-03-07 10:00")
    (plan,) = plan_timers(PRESET, {"subject": "interaction"}, [ended], OFFICE)
    (running,) = read_plan(plan, [ended], at("2026-03-07 10:20"))
    (missed,) = read_plan(plan, [ended], at("2026-03-07 10:20:01"))
    assert (running.state, missed.state) == (ClockState.RUNNING, ClockState.BREACHED)
    received = an_event("feedback.received", "2026-03-07 10:05")
    (met,) = read_plan(plan, [ended, received], at("2026-03-07 10:30"))
    assert met.state is ClockState.MET


def test_an_internal_case_promises_no_reply() -> None:
    facing = PRESET.match({"subject": "case", "severity": "sev3", "customer_facing": True})
    internal = PRESET.match({"subject": "case", "severity": "sev3", "customer_facing": False})
    assert [timer.key for timer in internal] == ["remedy", "given_due"]
    assert {"acknowledge", "first_response", "apology"} <= {timer.key for timer in facing}


def test_the_preset_halves_the_remedy_after_a_reopening_and_pauses_only_that() -> None:
    events = [
        an_event("case.opened", "2026-03-04 10:00", severity="sev1"),
        an_event("case.waiting_customer", "2026-03-04 10:01"),
    ]
    plans = plan_timers(PRESET, {"subject": "case"}, events, OFFICE)
    states = {plan.key: read_plan(plan, events, at("2026-03-04 10:10")) for plan in plans}
    assert [states[key][0].state for key in ("remedy", "acknowledge", "first_response")] == [
        ClockState.PAUSED,
        ClockState.RUNNING,
        ClockState.RUNNING,
    ]
    remedied = [
        *events,
        an_event("case.remedied", "2026-03-04 11:00"),
        an_event("case.reopened", "2026-03-05 10:00"),
    ]
    (plan,) = (plan for plan in plans if plan.key == "remedy")
    assert read_plan(plan, remedied, at("2026-03-05 11:00"))[1].target_seconds == 12 * 3600


def test_the_first_rule_that_holds_gives_the_timers() -> None:
    found = a_policy(
        {"when": {"channel": ["chat", "app"], "attributes": {"vip": True}}, "timers": [timed("vip")]},
        {"when": {"channel": "chat"}, "timers": [timed("chat")]},
        {"timers": [timed("rest")]},
    )

    def match(**facts: Any) -> list[str]:
        return [timer.key for timer in found.match({"subject": "case", **facts})]

    assert match(channel="chat", attributes={"vip": True}) == ["vip"]
    assert match(channel="chat", attributes={"vip": 1}) == ["chat"]
    assert match(channel="chat", attributes=None) == ["chat"]
    assert match(channel=["chat"]) == ["rest"]
    assert match() == ["rest"]


def test_a_rule_for_cases_does_not_hide_the_one_for_interactions() -> None:
    offer = timed("offer", subject="interaction", start=["interaction.ended"], stop=["feedback.offered"])
    found = a_policy({"timers": [timed("reply")]}, {"timers": [offer]})
    assert [timer.key for timer in found.match({"subject": "interaction"})] == ["offer"]
    assert found.match({"subject": "order"}) == ()


def test_a_rule_without_timers_promises_nothing() -> None:
    found = a_policy({"when": {"channel": "letter"}, "timers": []}, {"timers": [timed("reply")]})
    assert found.match({"subject": "case", "channel": "letter"}) == ()
    assert len(found.match({"subject": "case", "channel": "call"})) == 1


def test_a_policy_tells_which_events_can_move_its_timers() -> None:
    watched = PRESET.watches(SubjectKind.CASE)
    assert {"case.opened", "case.customer_contacted", "case.reopened", "case.merged"} <= watched
    assert "case.assigned" not in watched
    assert "order.delivered" in PRESET.watches(SubjectKind.ORDER)
    assert PRESET.watches(SubjectKind.TRANSACTION) == frozenset()
