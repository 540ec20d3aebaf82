"""What a reading adds up to: attainment, intervals, the explanation, its price."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from time import perf_counter

from app.domain.sla import (
    ClockEvent,
    ClockState,
    IntervalKind,
    explain,
    intervals,
)

from .builders import (
    DAY,
    KYIV,
    LADDER,
    OPENED,
    RESUMES,
    WAITS,
    a_timer,
    an_event,
    at,
    office,
    one,
)


def cohort(answers: list[float | None], ages: list[float], target: str, stop: str) -> list[ClockState]:
    """States of cases opened at one instant whose stop came after some minutes, or whose age is given."""
    states = []
    for answer, age in zip(answers, ages, strict=True):
        events = [OPENED]
        if answer is not None:
            events.append(an_event(stop, OPENED.occurred_at + timedelta(minutes=answer)))
        as_of = OPENED.occurred_at + timedelta(minutes=age)
        states.append(one(a_timer(stop=[stop], due={"duration": target}), DAY, events, as_of).state)
    return states


def attainment(states: list[ClockState]) -> float:
    met = states.count(ClockState.MET)
    return met / (met + states.count(ClockState.BREACHED) + states.count(ClockState.MET_LATE))


def test_vector_r_attainment_of_first_response_and_resolution() -> None:
    day = 24 * 60.0
    first = cohort(
        [10, 30, 70, 15, 200, 45, 20, None, 300, None],
        [5 * day] * 6 + [600.0, day, 2400.0, 3600.0],
        "PT1H",
        "case.replied",
    )
    assert attainment(first) == 5 / 10
    hours = [2, 5, 5, 8, 20, 30]
    resolved = cohort(
        [*(hour * 60.0 for hour in hours), None, None, None, None],
        [5 * day] * 6 + [600.0, day, 2400.0, 3600.0],
        "P1D",
        "case.remedied",
    )
    assert resolved.count(ClockState.MET) == 5
    assert resolved.count(ClockState.RUNNING) == 2  # C07, and C08 exactly at its due time
    assert attainment(resolved) == 0.625


def test_the_counted_intervals_make_what_was_consumed() -> None:
    timer = a_timer(
        stop=["case.remedied"], due={"duration": {"business_days": 5}}, pause=["waiting_customer"]
    )
    reading = one(timer, office(KYIV, ("2026-03-09",)), [OPENED, WAITS, RESUMES], at("2026-03-11 11:00"))
    stretches = intervals(reading)
    counted = sum((i.to_at - i.from_at).total_seconds() for i in stretches if i.kind is IntervalKind.COUNTED)
    paused = sum((i.to_at - i.from_at).total_seconds() for i in stretches if i.kind is IntervalKind.PAUSED)
    assert (counted, paused) == (reading.consumed_seconds, reading.paused_seconds)
    assert all(before.to_at == after.from_at for before, after in pairwise(stretches))


def test_an_explanation_names_the_calendar_the_due_time_and_the_pauses() -> None:
    timer = a_timer(
        stop=["case.remedied"], due={"duration": {"business_hours": 4}}, pause=["waiting_customer"]
    )
    reading = one(timer, office(KYIV), [OPENED, WAITS, RESUMES], at("2026-03-04 12:50"))
    assert explain(reading) == (
        "reply runs from Wed 2026-03-04 12:00:00 Europe/Kyiv. "
        "It is due Wed 2026-03-04 18:00:00 Europe/Kyiv: 4 h of working time of calendar 9x5 version 1, "
        "2 h of pauses left out. It is running: 50 min used, 3 h 10 min left."
    )


def test_an_explanation_says_when_the_source_gave_the_due_time() -> None:
    timer = a_timer(due={"from_event": "due_at"})
    opened = an_event("case.opened", "2026-03-04 10:00", due_at="2026-03-05T18:00:00+02:00")
    assert "is due Thu 2026-03-05 18:00:00 Europe/Kyiv as `due_at` was given, 30 h of" in explain(
        one(timer, office(KYIV), [opened], at("2026-03-04 12:50"))
    )


def test_a_case_open_for_ten_years_is_read_in_no_time() -> None:
    opened = an_event("case.opened", "2016-03-04 10:00")
    timer = a_timer(due={"duration": {"business_days": 5}}, warnings=[75], escalation=LADDER)
    events: list[ClockEvent] = [opened]
    one(timer, office(), events, at("2026-03-04 10:00"))
    calendar = office()
    began = perf_counter()
    for _ in range(100):
        one(timer, calendar, events, at("2026-03-04 10:00"))
    assert perf_counter() - began < 1
