"""Judging one cycle: what is due when, whether it was met, and when to speak of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.sla.clock_event import ClockEvent
from app.domain.sla.deadline import Clock, Deadline, Rests, deadline
from app.domain.sla.instants import instant_of, micros, seconds_of
from app.domain.sla.marks import lay_marks
from app.domain.sla.matter import Matter
from app.domain.sla.reading import ClockReading, ClockState, Shift
from app.domain.sla.timer import ClockKind


@dataclass(frozen=True, slots=True)
class _Course:
    """From when to when a cycle ran, and the pauses in between."""

    started_at: datetime
    ended_at: datetime | None
    until_at: datetime
    rests: Rests

    @property
    def is_resting(self) -> bool:
        """Whether a pause holds at the end."""
        return bool(self.rests) and self.rests[-1][1] is None

    def spans(self) -> tuple[tuple[datetime, datetime], ...]:
        """The pauses as instants; one that still holds lasts until now."""
        ends = (self.until_at if rest_to is None else instant_of(rest_to) for _, rest_to in self.rests)
        return tuple(
            (instant_of(rest_from), end) for (rest_from, _), end in zip(self.rests, ends, strict=True)
        )


def judge(matter: Matter) -> ClockReading | None:
    """The reading of a cycle; None when its starting event gives no due time.

    Breach iff the stop, the end or `as_of` lies after the due time: equality is met.
    """
    started_at, ended_at = _started_at(matter), _ended_at(matter)
    until_at = max(ended_at or matter.as_of, started_at)
    start, end = micros(started_at), micros(until_at)
    course = _Course(started_at, ended_at, until_at, _clip(matter.rests, start, end, ended_at is not None))
    due, shifts = _deadline(matter, Clock(matter.calendar, start, course.rests))
    return None if due is None else _reading(matter, course, due, shifts)


def _reading(matter: Matter, course: _Course, due: Deadline, shifts: tuple[Shift, ...]) -> ClockReading:
    stop = matter.track.stop if matter.cancelled is None else None
    cut_at = _cut_at(matter, due)
    breached = _is_breached(matter, due, cut_at)
    due_at = None if due.at is None else instant_of(due.at)
    fell_at, reason = _fell_due(matter, cut_at, course.started_at) if breached and cut_at else (None, "")
    marks = lay_marks(matter, due, fell_at or cut_at, course.until_at if course.ended_at else None, breached)
    return ClockReading(
        timer=matter.timer,
        calendar=matter.calendar,
        counting=due.counting,
        cycle=matter.track.cycle,
        number=matter.track.number,
        as_of=matter.as_of,
        state=_state(breached, stop, course),
        started_at=course.started_at,
        due_at=due_at,
        target_seconds=seconds_of(due.target),
        consumed_seconds=seconds_of(due.clock.consumed(due.counting, micros(course.until_at))),
        stopped_at=stop.occurred_at if stop else None,
        stopped_by=stop.event_id if stop else None,
        cancelled_at=course.ended_at if stop is None else None,
        cancelled_by=_cancelled_by(matter),
        breached_at=due_at if breached else None,
        breaches_after=cut_at,
        fell_due_at=fell_at,
        breach_reason=reason,
        warnings=marks.warnings,
        escalations=marks.escalations,
        next_at=None if course.ended_at else marks.next_after(matter.as_of, None if breached else cut_at),
        anomalies=tuple(matter.track.anomalies),
        rests=tuple(
            (instant_of(a), course.until_at if b is None else instant_of(b)) for a, b in course.rests
        ),
        concerns=matter.track.concerns,
        shifts=shifts,
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


def _deadline(matter: Matter, clock: Clock) -> tuple[Deadline | None, tuple[Shift, ...]]:
    """The due time with every move that came before it had passed, and these moves."""
    track = matter.track
    due = deadline(matter.timer.due, clock, track.data, track.factor)
    shifts: tuple[Shift, ...] = ()
    for alternative, event in track.moves:
        if due is None or alternative.moves_to is None or _is_late(matter, due, event):
            break
        before = None if due.at is None else instant_of(due.at)
        shifts += (Shift(event.occurred_at, event.type, before),)
        due = deadline(alternative.moves_to, clock, event.data, track.factor) or due
    return due, shifts


def _is_late(matter: Matter, due: Deadline, event: ClockEvent) -> bool:
    if due.at is None:
        return False
    if event.day_precision or matter.track.start.day_precision:
        day = due.day
        return day is not None and matter.calendar.local_date(event.occurred_at) > day
    return micros(event.occurred_at) > due.at


def _cut_at(matter: Matter, due: Deadline) -> datetime | None:
    """The instant after which the breach stands: with a start known by its day, the end of the due day."""
    if due.at is None:
        return None
    day = due.day if matter.track.start.day_precision else None
    return instant_of(due.at) if day is None else matter.calendar.end_of_day(day)


def _state(breached: bool, stop: ClockEvent | None, course: _Course) -> ClockState:
    if stop is not None:
        return ClockState.MET_LATE if breached else ClockState.MET
    if breached:
        return ClockState.BREACHED
    if course.ended_at is not None:
        return ClockState.CANCELLED
    return ClockState.PAUSED if course.is_resting else ClockState.RUNNING


def _cancelled_by(matter: Matter) -> str:
    if matter.cancelled is not None:
        return matter.cancelled.reason
    return matter.track.cancel.type if matter.track.cancel else ""


def _fell_due(matter: Matter, cut_at: datetime, started_at: datetime) -> tuple[datetime, str]:
    """From when the breach stands, and what put the due time into the past if something did."""
    fell_at, reason = cut_at, ""
    reopened = matter.track.reopened
    pushes = [(started_at, "due_before_start")]
    pushes += [(reopened.occurred_at, "reopened")] if reopened else []
    pushes += [(matter.change.at, matter.change.reason)] if matter.change else []
    for at, name in sorted(pushes):
        if at > fell_at:
            fell_at, reason = at, name
    return fell_at, reason
