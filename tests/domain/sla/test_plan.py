"""The plan of a timer over time: severity, kind and policy as they change."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.errors import InvalidError
from app.domain.sla import (
    ClockState,
    Pin,
    plan_timers,
    read_plan,
)

from .builders import DAY, OFFICE, PRESET, a_policy, an_event, at, timed

OPENED = an_event("case.opened", "2026-03-04 10:00", severity="sev3", kind="complaint")
RAISED = an_event("case.assessed", "2026-03-04 12:00", severity="sev1")


def acknowledge(events: list[Any], as_of: str, **more: Any) -> Any:
    plans = plan_timers(PRESET, {"subject": "case"}, events, OFFICE, **more)
    (plan,) = (plan for plan in plans if plan.key == "acknowledge")
    (reading,) = read_plan(plan, events, at(as_of))
    return reading


def test_a_severity_acts_from_when_it_was_assessed() -> None:
    assert acknowledge([RAISED, OPENED], "2026-03-04 11:59").due_at == at("2026-03-04 14:00")
    raised = acknowledge([RAISED, OPENED], "2026-03-04 12:00")
    assert (raised.due_at, raised.breach_reason) == (at("2026-03-04 10:15"), "severity_change")
    assert raised.fell_due_at == RAISED.occurred_at


def test_an_assessment_that_says_the_same_or_nonsense_changes_nothing() -> None:
    same = an_event("case.assessed", "2026-03-04 12:00", severity="sev3", kind="complaint")
    nonsense = an_event("case.assessed", "2026-03-04 12:00", severity="high")
    for event in (same, nonsense):
        plans = plan_timers(PRESET, {"subject": "case"}, [OPENED, event], OFFICE)
        assert all(len(plan.versions) == 1 for plan in plans)


def test_a_case_without_a_severity_is_ordinary_until_it_is_assessed() -> None:
    bare = an_event("case.opened", "2026-03-04 10:00")
    assert acknowledge([bare], "2026-03-04 10:00").target_seconds == 4 * 3600


def test_a_policy_pinned_on_reopening_binds_the_new_cycle_only() -> None:
    strict = a_policy(
        {"timers": [timed("acknowledge", stop=["case.acknowledged"], due={"duration": "PT5M"})]}
    )
    reopened = an_event("case.reopened", "2026-03-06 10:00")
    events = [OPENED, an_event("case.acknowledged", "2026-03-04 11:00"), reopened]
    pins = (Pin(reopened.occurred_at, strict, OFFICE),)
    plans = plan_timers(PRESET, {"subject": "case"}, events, OFFICE, pins)
    (plan,) = (plan for plan in plans if plan.key == "acknowledge")
    first, second = read_plan(plan, events, at("2026-03-06 10:01"))
    assert (first.target_seconds, second.target_seconds) == (4 * 3600, 300)
    assert (first.state, second.state) == (ClockState.MET, ClockState.RUNNING)


def test_a_calendar_that_is_not_at_hand_is_an_error_and_not_a_wrong_deadline() -> None:
    with pytest.raises(InvalidError) as refused:
        plan_timers(PRESET, {"subject": "case"}, [OPENED], {"24x7": DAY})
    assert refused.value.reason == "unknown_calendar"
