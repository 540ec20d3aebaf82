"""The sentence that tells a human why a deadline is what it is."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from app.domain.sla.reading import ClockReading, ClockState
from app.domain.sla.timer import Counting


def explain(reading: ClockReading) -> str:
    """What ran since when on which clock, when it was due, and how it stands (English, local times)."""
    sentences = [_run(reading), _due(reading), _standing(reading)]
    if reading.breach_reason:
        sentences.append(f"The due time came into the past by: {reading.breach_reason.replace('_', ' ')}.")
    if reading.anomalies:
        listed = ", ".join(sorted({anomaly.reason.replace("_", " ") for anomaly in reading.anomalies}))
        sentences.append(f"Noted: {listed}.")
    return " ".join(sentences)


def _run(reading: ClockReading) -> str:
    cycle = "" if reading.number == 1 else f" (cycle {reading.number})"
    return f"{reading.timer.key}{cycle} runs from {_local(reading, reading.started_at)}."


def _due(reading: ClockReading) -> str:
    calendar = f"calendar {reading.calendar.key} version {reading.calendar.version}"
    clock = "elapsed time" if reading.counting is Counting.ELAPSED else f"working time of {calendar}"
    target = f"{_span(reading.target_seconds)} of {clock}"
    paused = f", {_span(reading.paused_seconds)} of pauses left out" if reading.paused_seconds else ""
    if reading.due_at is None:
        return f"Its target is {target}{paused}; the due time is open while it is paused."
    return f"It is due {_local(reading, reading.due_at)}: {target}{paused}."


def _standing(reading: ClockReading) -> str:
    state, stopped_at = reading.state, reading.stopped_at
    spent = f"{_span(reading.consumed_seconds)} used"
    left, late = _span(max(reading.remaining_seconds, 0)), _span(reading.late_seconds)
    match state:
        case ClockState.PENDING:
            return "It has not begun yet."
        case ClockState.RUNNING:
            return f"It is running: {spent}, {left} left."
        case ClockState.PAUSED:
            return f"It is paused: {spent}, {left} left."
        case ClockState.MET:
            return f"Met {_local(reading, stopped_at)}: {spent}."
        case ClockState.MET_LATE:
            return f"Met late {_local(reading, stopped_at)}: {spent}, {late} after it was due."
        case ClockState.BREACHED:
            return f"Breached: {spent}, {late} overdue{_ended(reading)}."
        case ClockState.CANCELLED:
            return f"Cancelled {_local(reading, reading.cancelled_at)} ({reading.cancelled_by}): {spent}."
        case _:
            assert_never(state)


def _ended(reading: ClockReading) -> str:
    at = reading.cancelled_at
    return f"; ended {_local(reading, at)} by {reading.cancelled_by} without a stop" if at else ""


def _local(reading: ClockReading, at: datetime | None) -> str:
    assert at is not None, "this state has that time"
    zone = reading.calendar.tz
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S} {zone.key}"


def _span(seconds: float) -> str:
    """Hours, minutes and seconds that are not zero: "26 h 5 min"."""
    whole = int(seconds)
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount) or "0 s"
