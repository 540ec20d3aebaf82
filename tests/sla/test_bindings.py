"""Which of several policies gives a timer when: at the opening, at a reopening, by the severity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.sla import ClockEvent, ClockReading, Pin, Policy, parse_policy, plan_timers, read_plan
from app.sla.bindings import Binding, one_of_each
from tests.domain.sla.builders import KNOWN, OFFICE, OPENED, an_event, at, timed

REOPENED = an_event("case.reopened", "2026-03-04 12:00")
ANSWERED = an_event("case.replied", "2026-03-04 10:05")


def _policy(key: str, version: int, minutes: int | None, order: int = 100, **when: str) -> Policy:
    due = {"duration": f"PT{minutes}M"}
    timers: list[Any] = [] if minutes is None else [timed("reply", due=due, reopen={"mode": "new_cycle"})]
    rules = [{"when": {"subject": "case", **when}, "timers": timers}]
    document = {"format": 1, "calendar": "9x5", "order": order, "rules": rules}
    return parse_policy(document, key, version, KNOWN)


def _read(
    events: Sequence[ClockEvent], as_of: datetime, *items: Binding
) -> list[tuple[ClockReading, tuple[str, int]]]:
    """Each cycle with the policy version that judges it."""
    found = [
        (plan, item)
        for item in items
        for plan in plan_timers(item.policy, {"subject": "case"}, events, OFFICE, item.pins)
    ]
    ((plan, item),) = one_of_each(found)
    readings = read_plan(plan, events, as_of)
    policies = [item.policy_at(max(one.started_at, one.ruled_since or one.started_at)) for one in readings]
    return [(one, (made.key, made.version)) for one, made in zip(readings, policies, strict=True)]


def test_a_policy_that_ceased_to_give_a_timer_leaves_it_to_the_next_one_at_the_reopening() -> None:
    vip = Binding(_policy("vip", 1, 5, 50), (Pin(REOPENED.occurred_at, _policy("vip", 2, None, 50), OFFICE),))
    usual = _policy("default", 1, 60)
    rest = Binding(usual, (Pin(REOPENED.occurred_at, usual, OFFICE),))
    events = [OPENED, ANSWERED, REOPENED]
    first, second = _read(events, at("2026-03-04 12:30"), vip, rest)
    assert (first[0].target_seconds, first[1]) == (300, ("vip", 1))
    assert (second[0].target_seconds, second[1]) == (3600, ("default", 1))
    assert second[0].state == "running", "a reopened case is never without the deadline that the rest promise"


def test_a_policy_that_came_between_gives_the_timer_from_the_reopening_if_it_is_the_first_in_order() -> None:
    nothing = Policy("vip", 0, "9x5", ())
    vip = Binding(nothing, (Pin(REOPENED.occurred_at, _policy("vip", 1, 5, 50), OFFICE),))
    usual = Binding(_policy("default", 1, 60))
    first, second = _read([OPENED, ANSWERED, REOPENED], at("2026-03-04 12:01"), usual, vip)
    assert (first[1], second[1]) == (("default", 1), ("vip", 1))
    assert second[0].due_at == at("2026-03-04 12:05")


def test_a_policy_of_one_severity_gives_the_timer_only_as_long_as_the_case_has_it() -> None:
    grave = Binding(_policy("grave", 1, 240, 50, severity="sev1"))
    usual = Binding(_policy("default", 1, 480))
    opened = an_event("case.opened", "2026-03-04 10:00", severity="sev3")
    raised = an_event("case.assessed", "2026-03-04 11:00", severity="sev1")
    lowered = an_event("case.assessed", "2026-03-04 12:00", severity="sev3")
    for told, due, policy in (
        ([opened], "2026-03-04 18:00", "default"),
        ([opened, raised], "2026-03-04 14:00", "grave"),
        ([opened, raised, lowered], "2026-03-04 18:00", "default"),
    ):
        ((reading, judged_by),) = _read(told, at("2026-03-04 13:00"), grave, usual)
        assert (reading.due_at, judged_by, reading.state) == (at(due), (policy, 1), "running")
        assert {shift.reason for shift in reading.shifts} == ({"severity_change"} if len(told) > 1 else set())


def test_a_cycle_that_a_newer_version_judges_since_the_reopening_names_that_version() -> None:
    newer = _policy("default", 2, 30)
    item = Binding(_policy("default", 1, 480), (Pin(REOPENED.occurred_at, newer, OFFICE),))
    ((reading, judged_by),) = _read([OPENED, REOPENED], at("2026-03-04 12:30"), item)
    assert (reading.target_seconds, reading.breach_reason) == (1800, "policy_change")
    assert judged_by == ("default", 2)
    ((before, judged_by),) = _read([OPENED, REOPENED], at("2026-03-04 11:30"), item)
    assert (before.target_seconds, judged_by) == (480 * 60, ("default", 1))
