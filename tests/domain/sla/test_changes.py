"""A definition that changes while the clock runs: severity, policy, a timer that comes or goes."""

from __future__ import annotations

from app.domain.sla import (
    ClockState,
    TimerPlan,
    TimerVersion,
    explain,
    read,
    read_plan,
)
from app.domain.sla.reading import Shift

from .builders import (
    DAY,
    OPENED,
    a_timer,
    an_event,
    at,
    changed,
)


def test_a_change_counts_from_the_original_start() -> None:
    (reading,) = read_plan(changed(4, "2026-03-04 11:00"), [OPENED], at("2026-03-04 12:00"))
    assert (reading.due_at, reading.breach_reason) == (at("2026-03-04 14:00"), "")


def test_a_change_that_puts_the_due_time_into_the_past_breaches_by_the_change() -> None:
    plan = changed(1, "2026-03-04 13:00")
    (before,) = read_plan(plan, [OPENED], at("2026-03-04 12:59"))
    (after,) = read_plan(plan, [OPENED], at("2026-03-04 13:00"))
    assert before.state is ClockState.RUNNING
    assert (after.state, after.breach_reason) == (ClockState.BREACHED, "severity_change")
    assert (after.breached_at, after.fell_due_at) == (at("2026-03-04 11:00"), at("2026-03-04 13:00"))


def test_a_breach_that_stands_before_a_change_stays() -> None:
    (reading,) = read_plan(changed(24, "2026-03-04 12:00", first_hours=1), [OPENED], at("2026-03-04 12:30"))
    assert (reading.state, reading.due_at) == (ClockState.BREACHED, at("2026-03-04 11:00"))
    remedied = an_event("case.remedied", "2026-03-04 14:00")
    (stopped,) = read_plan(
        changed(24, "2026-03-04 12:00", first_hours=1), [OPENED, remedied], at("2026-03-05 00:00")
    )
    assert stopped.state is ClockState.MET_LATE


def test_a_change_at_the_very_due_time_acts_since_equality_is_no_breach() -> None:
    (reading,) = read_plan(changed(24, "2026-03-04 11:00", first_hours=1), [OPENED], at("2026-03-04 12:30"))
    assert (reading.state, reading.due_at) == (ClockState.RUNNING, at("2026-03-05 10:00"))


def test_a_cycle_that_had_ended_keeps_its_verdict() -> None:
    remedied = an_event("case.remedied", "2026-03-04 12:00")
    (reading,) = read_plan(changed(1, "2026-03-04 13:00"), [OPENED, remedied], at("2026-03-05 00:00"))
    assert (reading.state, reading.due_at) == (ClockState.MET, at("2026-03-04 18:00"))


def test_a_timer_that_a_change_takes_away_is_cancelled() -> None:
    plan = TimerPlan(
        "reply",
        (TimerVersion(a_timer(), DAY), TimerVersion(None, DAY, at("2026-03-04 10:30"), "severity_change")),
    )
    (reading,) = read_plan(plan, [OPENED], at("2026-03-05 00:00"))
    assert (reading.state, reading.cancelled_by) == (ClockState.CANCELLED, "severity_change")


def test_a_timer_that_a_change_brings_counts_from_the_opening_unless_it_was_done_by_then() -> None:
    plan = TimerPlan(
        "reply",
        (TimerVersion(None, DAY), TimerVersion(a_timer(), DAY, at("2026-03-04 10:30"), "severity_change")),
    )
    (reading,) = read_plan(plan, [OPENED], at("2026-03-04 10:40"))
    assert (reading.state, reading.due_at) == (ClockState.RUNNING, at("2026-03-04 11:00"))
    replied = an_event("case.replied", "2026-03-04 10:20")
    assert read_plan(plan, [OPENED, replied], at("2026-03-04 10:40")) == ()


def test_a_breach_stays_even_when_the_stop_is_taken_back_under_a_longer_target() -> None:
    short, long = (
        a_timer(stop=["case.remedied"], due={"duration": target}, reopen={"mode": "total_resolution"})
        for target in ("PT1H", "P9D")
    )
    changed_at = at("2026-03-04 13:00")
    plan = TimerPlan(
        "reply", (TimerVersion(short, DAY), TimerVersion(long, DAY, changed_at, "severity_change"))
    )
    reopened = an_event("case.reopened", "2026-03-04 14:00")
    late, in_time = (an_event("case.remedied", f"2026-03-04 {hour}") for hour in ("12:00", "10:30"))
    as_of = at("2026-03-04 15:00")
    (breached,) = read_plan(plan, [OPENED, late, reopened], as_of)
    assert (breached.state, breached.due_at) == (ClockState.BREACHED, at("2026-03-04 11:00"))
    (running,) = read_plan(plan, [OPENED, in_time, reopened], as_of)
    assert (running.state, running.due_at) == (ClockState.RUNNING, at("2026-03-13 10:00"))


def test_an_explanation_says_when_it_was_due_before_a_change_and_what_changed() -> None:
    plan = changed(4, "2026-03-04 11:00")
    (reading,) = read_plan(plan, [OPENED], at("2026-03-04 12:00"))
    assert reading.shifts == (Shift(at("2026-03-04 11:00"), "severity_change", at("2026-03-04 18:00")),)
    assert (
        "Before severity change on Wed 2026-03-04 11:00:00 UTC it was due Wed 2026-03-04 18:00:00 UTC."
    ) in explain(reading)
    (before,) = read_plan(plan, [OPENED], at("2026-03-04 10:59"))
    assert (before.shifts, "Before" in explain(before)) == ((), False)


def test_a_change_that_leaves_the_due_time_where_it_was_is_not_told() -> None:
    (reading,) = read_plan(changed(8, "2026-03-04 11:00"), [OPENED], at("2026-03-04 12:00"))
    assert reading.shifts == ()


def test_a_holding_response_is_told_as_what_moved_the_due_time() -> None:
    timer = a_timer(alternatives=[{"event": "case.promised", "moves_to": {"duration": "PT5H"}}])
    promised = an_event("case.promised", "2026-03-04 10:30")
    (reading,) = read(timer, DAY, [OPENED, promised], at("2026-03-04 11:00"))
    assert reading.due_at == at("2026-03-04 15:00")
    assert reading.shifts == (Shift(at("2026-03-04 10:30"), "case.promised", at("2026-03-04 11:00")),)
    late = an_event("case.promised", "2026-03-04 11:30")
    (missed,) = read(timer, DAY, [OPENED, late], at("2026-03-04 12:00"))
    assert (missed.due_at, missed.shifts) == (at("2026-03-04 11:00"), ())


def test_a_cycle_that_begins_as_its_definition_ends_never_ran_under_it() -> None:
    reopened = an_event("case.reopened", "2026-03-04 12:00")
    timer = a_timer(reopen={"mode": "new_cycle"})
    versions = (TimerVersion(timer, DAY), TimerVersion(None, DAY, reopened.occurred_at, "policy_change"))
    events = [OPENED, an_event("case.replied", "2026-03-04 10:30"), reopened]
    (only,) = read_plan(TimerPlan("reply", versions), events, at("2026-03-04 13:00"))
    assert (only.number, only.state) == (1, ClockState.MET)
