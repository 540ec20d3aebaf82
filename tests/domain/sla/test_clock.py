"""The clock: start and stop, late and early, and what ends a case."""

from __future__ import annotations

import pytest

from app.domain.sla import (
    ClockState,
    read,
)

from .builders import (
    DAY,
    OPENED,
    a_timer,
    an_event,
    at,
    one,
    reasons,
)


@pytest.mark.parametrize(
    ("replied", "as_of", "state"),
    [
        (None, "2026-03-04 10:59", ClockState.RUNNING),
        (None, "2026-03-04 11:00", ClockState.RUNNING),
        (None, "2026-03-04 11:00:00.000001", ClockState.BREACHED),
        ("2026-03-04 11:00", "2026-03-04 12:00", ClockState.MET),
        ("2026-03-04 11:00:00.000001", "2026-03-04 12:00", ClockState.MET_LATE),
        ("2026-03-04 11:30", "2026-03-04 11:20", ClockState.BREACHED),
        ("2026-03-04 11:30", "2026-03-04 10:50", ClockState.RUNNING),
    ],
)
def test_a_breach_is_what_lies_after_the_due_time_and_equality_is_met(
    replied: str | None, as_of: str, state: ClockState
) -> None:
    events = [OPENED, *([an_event("case.replied", replied)] if replied else [])]
    reading = one(a_timer(), DAY, events, at(as_of))
    assert reading.state is state
    assert reading.due_at == at("2026-03-04 11:00")
    assert reading.is_breached == (state in (ClockState.BREACHED, ClockState.MET_LATE))


def test_a_breach_is_dated_by_the_deadline_and_a_late_stop_is_kept() -> None:
    replied = an_event("case.replied", "2026-03-04 13:30")
    reading = one(a_timer(), DAY, [OPENED, replied], at("2026-03-05 00:00"))
    assert reading.state is ClockState.MET_LATE
    assert reading.breached_at == reading.fell_due_at == at("2026-03-04 11:00")
    assert (reading.stopped_at, reading.stopped_by) == (replied.occurred_at, replied.event_id)
    assert reading.consumed_seconds == 3.5 * 3600
    assert reading.late_seconds == 2.5 * 3600
    assert reading.remaining_seconds == -2.5 * 3600


def test_without_a_start_there_is_no_reading() -> None:
    assert read(a_timer(), DAY, [an_event("case.replied", "2026-03-04 10:00")], at("2026-03-05 00:00")) == ()


def test_a_start_dated_ahead_is_pending_and_looked_at_when_it_comes() -> None:
    reading = one(a_timer(), DAY, [OPENED], at("2026-03-04 09:58"))
    assert reading.state is ClockState.PENDING
    assert reading.next_at == OPENED.occurred_at


def test_a_stop_before_its_start_is_met_with_nothing_consumed_and_noted() -> None:
    replied = an_event("case.replied", "2026-03-04 09:50")
    reading = one(a_timer(), DAY, [OPENED, replied], at("2026-03-09 00:00"))
    assert (reading.state, reading.consumed_seconds) == (ClockState.MET, 0)
    assert reasons(reading) == ["stop_before_start"]


def test_a_start_and_a_stop_at_one_instant_are_met_and_nothing_is_odd() -> None:
    replied = an_event("case.replied", OPENED.occurred_at)
    reading = one(a_timer(), DAY, [replied, OPENED], at("2026-03-09 00:00"))
    assert (reading.state, reading.consumed_seconds, reading.anomalies) == (ClockState.MET, 0, ())


def test_an_automatic_reply_does_not_satisfy_a_timer_that_wants_a_human() -> None:
    automatic = an_event("case.replied", "2026-03-04 10:01", human=False)
    personal = an_event("case.replied", "2026-03-04 10:40")
    as_of = at("2026-03-04 10:50")
    assert one(a_timer(human_only=True), DAY, [OPENED, automatic], as_of).state is ClockState.RUNNING
    assert (
        one(a_timer(human_only=True), DAY, [OPENED, automatic, personal], as_of).stopped_by
        == personal.event_id
    )
    assert one(a_timer(), DAY, [OPENED, automatic], as_of).state is ClockState.MET


@pytest.mark.parametrize("kind", ["withdrawn", "marked_duplicate", "marked_invalid", "merged", "closed"])
def test_what_ends_a_case_cancels_its_running_timers_but_not_its_breaches(kind: str) -> None:
    before = an_event(f"case.{kind}", "2026-03-04 10:30")
    after = an_event(f"case.{kind}", "2026-03-04 11:30")
    cancelled = one(a_timer(), DAY, [OPENED, before], at("2026-03-09 00:00"))
    assert (cancelled.state, cancelled.cancelled_by) == (ClockState.CANCELLED, f"case.{kind}")
    assert cancelled.next_at is None
    assert not cancelled.is_breached
    breached = one(a_timer(), DAY, [OPENED, after], at("2026-03-09 00:00"))
    assert (breached.state, breached.cancelled_at) == (ClockState.BREACHED, after.occurred_at)
    assert not breached.is_open


def test_closing_a_case_does_not_end_a_statutory_clock() -> None:
    closed = an_event("case.closed", "2026-03-04 10:30")
    reading = one(a_timer(clock_kind="statutory"), DAY, [OPENED, closed], at("2026-03-04 12:00"))
    assert (reading.state, reading.is_open) == (ClockState.BREACHED, True)


def test_a_statutory_clock_counts_from_the_earliest_receipt_of_merged_cases() -> None:
    earlier = at("2026-03-04 09:30")
    as_of = at("2026-03-04 10:45")
    (statutory,) = read(a_timer(clock_kind="statutory"), DAY, [OPENED], as_of, received_at=earlier)
    (internal,) = read(a_timer(), DAY, [OPENED], as_of, received_at=earlier)
    assert (statutory.state, statutory.started_at) == (ClockState.BREACHED, earlier)
    assert (internal.state, internal.started_at) == (ClockState.RUNNING, OPENED.occurred_at)
