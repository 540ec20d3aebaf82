"""Pauses: they hold the due time open, move it, and are counted once."""

from __future__ import annotations

from app.domain.sla import (
    ClockState,
)

from .builders import (
    DAY,
    OPENED,
    PAUSABLE,
    RESUMES,
    WAITS,
    a_timer,
    an_event,
    at,
    one,
    reasons,
)


def test_a_pause_holds_the_due_time_open_and_a_resumption_moves_it() -> None:
    paused = one(PAUSABLE, DAY, [OPENED, WAITS], at("2026-03-09 00:00"))
    assert (paused.state, paused.due_at, paused.next_at) == (ClockState.PAUSED, None, None)
    assert (paused.consumed_seconds, paused.remaining_seconds) == (20 * 60, 40 * 60)
    resumed = one(PAUSABLE, DAY, [OPENED, WAITS, RESUMES], at("2026-03-04 12:30"))
    assert (resumed.state, resumed.due_at) == (ClockState.RUNNING, at("2026-03-04 13:00"))
    assert resumed.paused_seconds == 2 * 3600


def test_a_pause_after_the_due_time_undoes_nothing() -> None:
    late = an_event("case.waiting_customer", "2026-03-04 11:00:01")
    reading = one(PAUSABLE, DAY, [OPENED, late], at("2026-03-09 00:00"))
    assert (reading.state, reading.breached_at) == (ClockState.BREACHED, at("2026-03-04 11:00"))


def test_a_pause_at_the_due_instant_comes_too_late_to_move_it() -> None:
    on_time = an_event("case.waiting_customer", "2026-03-04 11:00")
    assert one(PAUSABLE, DAY, [OPENED, on_time], at("2026-03-09 00:00")).state is ClockState.BREACHED


def test_a_remedy_during_a_pause_is_met() -> None:
    remedied = an_event("case.remedied", "2026-03-06 10:00")
    reading = one(PAUSABLE, DAY, [OPENED, WAITS, remedied], at("2026-03-09 00:00"))
    assert (reading.state, reading.consumed_seconds) == (ClockState.MET, 20 * 60)
    assert reading.due_at is not None


def test_unbalanced_pauses_are_counted_once_and_noted() -> None:
    again = an_event("case.waiting_customer", "2026-03-04 10:40")
    twice = an_event("case.resumed", "2026-03-04 12:40")
    reading = one(PAUSABLE, DAY, [OPENED, WAITS, again, RESUMES, twice], at("2026-03-04 12:50"))
    assert reading.paused_seconds == 2 * 3600
    assert reasons(reading) == ["pause_while_paused", "resume_without_pause"]


def test_two_kinds_of_pause_that_overlap_are_one_stretch() -> None:
    timer = a_timer(
        stop=["case.remedied"],
        pause=["waiting_customer", {"start": ["case.escalated"], "stop": ["case.assigned"]}],
    )
    events = [
        OPENED,
        an_event("case.waiting_customer", "2026-03-04 10:10"),
        an_event("case.escalated", "2026-03-04 10:20"),
        an_event("case.resumed", "2026-03-04 10:30"),
        an_event("case.assigned", "2026-03-04 10:40"),
    ]
    reading = one(timer, DAY, events, at("2026-03-04 10:50"))
    assert reading.paused_seconds == 30 * 60
    assert reading.due_at == at("2026-03-04 11:30")


def test_a_pause_that_began_before_the_start_counts_from_the_start() -> None:
    early = an_event("case.waiting_customer", "2026-03-04 09:00")
    reading = one(PAUSABLE, DAY, [early, OPENED], at("2026-03-04 12:00"))
    assert (reading.state, reading.consumed_seconds) == (ClockState.PAUSED, 0)
