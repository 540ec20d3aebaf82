"""The sentence that tells a human why a deadline is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from app.domain.sla.reading import ClockReading, ClockState, Interval, IntervalKind
from app.domain.sla.timer import Counting, GivenByEvent

_SHORT_HOURS = 72
_NOT_COUNTED = {
    IntervalKind.OUT_OF_HOURS: "outside working hours",
    IntervalKind.HOLIDAY: "of days off",
    IntervalKind.PAUSED: "of waiting",
}


def explain(reading: ClockReading, parts: Sequence[Interval] = ()) -> str:
    """What ran since when on which clock, when it was due, and how it stands (English, local times).

    `parts`: its intervals; given, it says too how much of the time was left out, and why.
    """
    sentences = [_run(reading), _due(reading), *_moved(reading), *_left_out(parts), _standing(reading)]
    if reading.timer.basis:
        sentences.append(f"It rests on {reading.timer.basis}.")
    if reading.breach_reason:
        sentences.append(f"The due time came into the past by: {reading.breach_reason.replace('_', ' ')}.")
    if reading.anomalies:
        listed = ", ".join(sorted({anomaly.reason.replace("_", " ") for anomaly in reading.anomalies}))
        sentences.append(f"Noted: {listed}.")
    return " ".join(sentences)


def _run(reading: ClockReading) -> str:
    cycle = "" if reading.number == 1 else f" (cycle {reading.number})"
    kind = reading.timer.correlate_by
    of = "" if kind == reading.timer.key else f" of {kind}"
    concerns = f"{of} {reading.concerns}" if reading.concerns else ""
    return f"{reading.timer.key}{concerns}{cycle} runs from {_local(reading, reading.started_at)}."


def _due(reading: ClockReading) -> str:
    calendar = f"calendar {reading.calendar.key} version {reading.calendar.version}"
    clock = "elapsed time" if reading.counting is Counting.ELAPSED else f"working time of {calendar}"
    target = f"{_span(reading.target_seconds)} of {clock}"
    paused = f", {_span(reading.paused_seconds)} of pauses left out" if reading.paused_seconds else ""
    if reading.due_at is None:
        return f"Its target is {target}{paused}; the due time is open while it is paused."
    due = reading.timer.due
    given = f" as `{due.name}` was given," if isinstance(due, GivenByEvent) else ""
    return f"It is due {_local(reading, reading.due_at)}{given or ':'} {target}{paused}."


def _moved(reading: ClockReading) -> list[str]:
    """When it had been due before something moved it, and what did."""
    return [
        f"Before {shift.reason.replace('_', ' ')} on {_local(reading, shift.at)} "
        + (f"it was due {_local(reading, shift.due_before)}." if shift.due_before else "it was paused.")
        for shift in reading.shifts
    ]


def _left_out(parts: Sequence[Interval]) -> list[str]:
    """How much of each kind of time did not count."""
    sums: dict[IntervalKind, timedelta] = {}
    for part in parts:
        if part.kind is not IntervalKind.COUNTED:
            sums[part.kind] = sums.get(part.kind, timedelta()) + (part.to_at - part.from_at)
    told = [f"{_wall(span / timedelta(seconds=1))} {_NOT_COUNTED[kind]}" for kind, span in sums.items()]
    return [f"Not counted so far: {', '.join(told)}."] if told else []


def _standing(reading: ClockReading) -> str:
    state, stopped_at = reading.state, reading.stopped_at
    spent = f"{_span(reading.consumed_seconds)} used"
    match state:
        case ClockState.PENDING:
            return "It has not begun yet."
        case ClockState.RUNNING:
            return f"It is running: {spent}, {_left(reading)} left."
        case ClockState.PAUSED:
            return f"It is paused: {spent}, {_left(reading)} left."
        case ClockState.MET:
            return f"Met {_local(reading, stopped_at)}: {spent}."
        case ClockState.MET_LATE:
            late = _wall(reading.late_seconds)
            return f"Met late {_local(reading, stopped_at)}: {spent}, {late} after it was due."
        case ClockState.BREACHED:
            return f"Breached: {spent}, {_wall(reading.late_seconds)} overdue{_ended(reading)}."
        case ClockState.CANCELLED:
            return f"Cancelled {_local(reading, reading.cancelled_at)} ({reading.cancelled_by}): {spent}."
        case _:
            assert_never(state)


def _left(reading: ClockReading) -> str:
    return _span(max(reading.remaining_seconds, 0))


def _ended(reading: ClockReading) -> str:
    at = reading.cancelled_at
    return f"; ended {_local(reading, at)} by {reading.cancelled_by} without a stop" if at else ""


def _local(reading: ClockReading, at: datetime | None) -> str:
    assert at is not None, "this state has that time"
    zone = reading.calendar.tz
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S} {zone.key}"


def _wall(seconds: float) -> str:
    """The same on the wall clock, where a day has 24 hours: "5 d 2 h" from three days on."""
    hours = int(seconds) // 3600
    return _span(seconds) if hours < _SHORT_HOURS else f"{hours // 24} d {hours % 24} h"


def _span(seconds: float) -> str:
    """Hours, minutes and seconds that are not zero: "26 h 5 min"."""
    whole = int(seconds)
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount) or "0 s"
