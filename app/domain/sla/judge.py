"""Judging one cycle: what is due when, whether it was met, and when to speak of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.sla.calendar import Calendar
from app.domain.sla.clock_event import ClockEvent
from app.domain.sla.deadline import Clock, Deadline, Rests, deadline
from app.domain.sla.instants import SECOND, instant_of, micros, seconds_of
from app.domain.sla.reading import ClockReading, ClockState, Mark
from app.domain.sla.timer import ClockKind, NoticeHours, Timer
from app.domain.sla.track import Track

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Change:
    """From when, and why, the definition holds for a cycle that was running under another."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Matter:
    """All that one judgement needs."""

    timer: Timer
    calendar: Calendar
    track: Track
    rests: Rests
    as_of: datetime
    change: Change | None = None
    received_at: datetime | None = None
    cancelled: Change | None = None


def judge(matter: Matter) -> ClockReading | None:
    """The reading of a cycle; None when its starting event gives no due time.

    Breach iff the stop, the end or `as_of` lies after the due time: equality is met.
    """
    started_at = _started_at(matter)
    start = micros(started_at)
    ended_at = _ended_at(matter)
    until_at = max(ended_at or matter.as_of, started_at)
    rests = _clip(matter.rests, start, micros(until_at), closed=ended_at is not None)
    due = _deadline(matter, Clock(matter.calendar, start, rests))
    if due is None:
        return None
    cut_at = _cut_at(matter, due)
    stop = matter.track.stop if matter.cancelled is None else None
    breached = _is_breached(matter, due, cut_at)
    due_at = None if due.at is None else instant_of(due.at)
    state = _state(breached, stop, ended_at, resting=bool(rests) and rests[-1][1] is None)
    consumed = due.clock.consumed(due.counting, micros(until_at))
    fell_at, reason = _fell_due(matter, due_at, cut_at, started_at) if breached else (None, "")
    warnings = _warnings(matter, due, until_at if ended_at else None)
    escalations = _escalations(matter, due, fell_at or cut_at, until_at if ended_at else None)
    spans = tuple((instant_of(a), until_at if b is None else instant_of(b)) for a, b in rests)
    return ClockReading(
        timer=matter.timer,
        calendar=matter.calendar,
        counting=due.counting,
        cycle=matter.track.cycle,
        number=matter.track.number,
        as_of=matter.as_of,
        state=state,
        started_at=started_at,
        due_at=due_at,
        target_seconds=seconds_of(due.target),
        consumed_seconds=seconds_of(consumed),
        paused_seconds=sum((b - a) / timedelta(seconds=1) for a, b in spans),
        stopped_at=stop.occurred_at if stop else None,
        stopped_by=stop.event_id if stop else None,
        cancelled_at=ended_at if stop is None else None,
        cancelled_by=_cancelled_by(matter),
        breached_at=due_at if breached else None,
        fell_due_at=fell_at,
        breach_reason=reason,
        warnings=warnings,
        escalations=escalations,
        next_at=None if ended_at else _next_at(matter.as_of, breached, cut_at, warnings, escalations),
        anomalies=tuple(matter.track.anomalies),
        rests=spans,
    )


def _started_at(matter: Matter) -> datetime:
    """A statutory clock counts from the earliest receipt of all cases that were merged."""
    occurred_at = matter.track.start.occurred_at
    earliest = matter.received_at
    if earliest and matter.timer.clock_kind is ClockKind.STATUTORY and matter.track.number == 1:
        return min(occurred_at, earliest)
    return occurred_at


def _ended_at(matter: Matter) -> datetime | None:
    if matter.cancelled is not None:
        return matter.cancelled.at
    return matter.track.end.occurred_at if matter.track.end else None


def _clip(rests: Rests, start: int, end: int, closed: bool) -> Rests:
    """The pauses inside a cycle; one that its end cuts off is closed there."""
    found: list[tuple[int, int | None]] = []
    for rest_from, rest_to in rests:
        opens = max(rest_from, start)
        closes = rest_to
        if closed:
            closes = end if rest_to is None else min(rest_to, end)
        if closes is None or opens < closes:
            found.append((opens, closes))
    return tuple(found)


def _is_breached(matter: Matter, due: Deadline, cut_at: datetime | None) -> bool:
    """Breach iff its end, or `as_of`, lies after the due time; an event is judged by its own precision."""
    if matter.cancelled is None and matter.track.end is not None:
        return _is_late(matter, due, matter.track.end)
    until_at = matter.cancelled.at if matter.cancelled else matter.as_of
    return cut_at is not None and until_at > cut_at


def _deadline(matter: Matter, clock: Clock) -> Deadline | None:
    """The due time with every move that came before it had passed."""
    track = matter.track
    due = deadline(matter.timer.due, clock, track.start.data, track.factor)
    for alternative, event in track.moves:
        if due is None or alternative.moves_to is None or _is_late(matter, due, event):
            break
        due = deadline(alternative.moves_to, clock, event.data, track.factor) or due
    return due


def _is_late(matter: Matter, due: Deadline, event: ClockEvent) -> bool:
    if due.at is None or due.day is None:
        return False
    if event.day_precision or matter.track.start.day_precision:
        return matter.calendar.local_date(event.occurred_at) > due.day
    return micros(event.occurred_at) > due.at


def _cut_at(matter: Matter, due: Deadline) -> datetime | None:
    """The instant after which the breach stands: with a start known by its day, the end of the due day."""
    if due.at is None or due.day is None:
        return None
    return matter.calendar.end_of_day(due.day) if matter.track.start.day_precision else instant_of(due.at)


def _state(breached: bool, stop: ClockEvent | None, ended_at: datetime | None, resting: bool) -> ClockState:
    if stop is not None:
        return ClockState.MET_LATE if breached else ClockState.MET
    if breached:
        return ClockState.BREACHED
    if ended_at is not None:
        return ClockState.CANCELLED
    return ClockState.PAUSED if resting else ClockState.RUNNING


def _cancelled_by(matter: Matter) -> str:
    if matter.cancelled is not None:
        return matter.cancelled.reason
    return matter.track.cancel.type if matter.track.cancel else ""


def _fell_due(
    matter: Matter, due_at: datetime | None, cut_at: datetime | None, started_at: datetime
) -> tuple[datetime, str]:
    """From when the breach stands, and what put the due time into the past if something did."""
    assert due_at is not None, "what has no due time cannot be breached"
    fell_at, reason = cut_at or due_at, ""
    reopened = matter.track.reopened
    pushes = [(started_at, "due_before_start")]
    pushes += [(reopened.occurred_at, "reopened")] if reopened else []
    pushes += [(matter.change.at, matter.change.reason)] if matter.change else []
    for at, name in sorted(pushes):
        if at > fell_at:
            fell_at, reason = at, name
    return fell_at, reason


def _warnings(matter: Matter, due: Deadline, ended_at: datetime | None) -> tuple[Mark, ...]:
    """Warnings in order; one that could be told only after the due time is left out."""
    found = []
    for warn in matter.timer.warnings if due.target else ():
        percent = warn.percent
        if percent is None:
            left = due.target - (warn.before_seconds or 0) * SECOND
            percent = max(round(100 * left / due.target), 0)
            at = due.clock.reach(due.counting, max(left, 0))
        else:
            at = due.after(percent)
        if at is not None:
            found.append(_mark(matter, at, percent, warn.level))
    due_at = None if due.at is None else instant_of(due.at)
    told = [mark for mark in found if due_at is None or mark.notice_at <= due_at]
    return _until(told, ended_at)


def _escalations(
    matter: Matter, due: Deadline, fell_at: datetime | None, ended_at: datetime | None
) -> tuple[Mark, ...]:
    """Rungs in order, those from 100 % on never before the breach; without a target only up to there."""
    found = []
    for rung in matter.timer.escalations:
        at = due.after(rung.percent) if due.target or rung.percent == 100 else None
        if at is not None:
            floor = micros(fell_at) if fell_at and rung.percent >= 100 else at
            found.append(_mark(matter, max(at, floor), rung.percent, rung.level, rung.to))
    return _until(found, ended_at)


def _mark(matter: Matter, at: int, percent: int, level: int, to: str = "") -> Mark:
    """A mark is never earlier than the change that brought it about."""
    pushed = [matter.change.at] if matter.change else []
    pushed += [matter.track.reopened.occurred_at] if matter.track.reopened else []
    at_time = max([instant_of(at), *pushed])
    working = matter.timer.notice_hours is NoticeHours.WORKING
    return Mark(at_time, matter.calendar.next_working_at(at_time) if working else at_time, percent, level, to)


def _until(marks: list[Mark], ended_at: datetime | None) -> tuple[Mark, ...]:
    reached = [mark for mark in marks if ended_at is None or mark.notice_at <= ended_at]
    return tuple(sorted(reached, key=lambda mark: (mark.at, mark.level)))


def _next_at(
    as_of: datetime,
    breached: bool,
    cut_at: datetime | None,
    warnings: tuple[Mark, ...],
    escalations: tuple[Mark, ...],
) -> datetime | None:
    """The next mark or the first instant of the breach (one tick after due: equality is met)."""
    ahead = [mark.notice_at for mark in escalations]
    if not breached:
        ahead += [mark.notice_at for mark in warnings]
        ahead += [cut_at + TICK] if cut_at else []
    return min((at for at in ahead if at > as_of), default=None)
