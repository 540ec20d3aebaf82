"""What the clock says about one cycle of a timer, and the intervals that explain it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.sla.calendar import Calendar
from app.domain.sla.timer import Counting, Timer


class ClockState(StrEnum):
    """Where a cycle stands. `met_late`: breached, then stopped after all."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MET_LATE = "met_late"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class IntervalKind(StrEnum):
    """Why a stretch of time counts or does not."""

    COUNTED = "counted"
    OUT_OF_HOURS = "out_of_hours"
    HOLIDAY = "holiday"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time of one kind, half-open, in UTC."""

    from_at: datetime
    to_at: datetime
    kind: IntervalKind


@dataclass(frozen=True, slots=True)
class Mark:
    """A warning or an escalation: `at` it is reached, `notice_at` it may be told (notice hours)."""

    at: datetime
    notice_at: datetime
    percent: int
    level: int
    to: str = ""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A fact that does not fit the others: it was counted as far as it could be."""

    reason: str
    at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Shift:
    """The due time moved: `at` it did, why, and when it had been due until then (None: a pause held it)."""

    at: datetime
    reason: str
    due_before: datetime | None


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One cycle of a timer at one instant. Times are aware UTC; seconds are those of its own clock.

    `due_at` is None while a pause holds it open; `breaches_after` is the same, or the end of the due day
    where the start is known by its day only. `breached_at` is the due time itself;
    `fell_due_at` is from when the breach stands, later than that only when a change put the due
    time into the past (`breach_reason`: severity_change, policy_change, reopened, due_before_start).
    `concerns` is the correlation value of a timer that runs once for each compensation, action ...
    `shifts` are the moves of the due time: by a holding response, by a change of severity or policy.
    `ruled_since`: from when the definition that judges it is in force (None: from the beginning).
    `remaining_seconds` is negative when overdue. `next_at` is the next instant at which, without
    further events, anything changes or is to be told.
    """

    timer: Timer
    calendar: Calendar
    counting: Counting
    cycle: UUID
    number: int
    as_of: datetime
    state: ClockState
    started_at: datetime
    due_at: datetime | None
    target_seconds: float
    consumed_seconds: float
    stopped_at: datetime | None = None
    stopped_by: UUID | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str = ""
    breached_at: datetime | None = None
    breaches_after: datetime | None = None
    fell_due_at: datetime | None = None
    breach_reason: str = ""
    warnings: tuple[Mark, ...] = ()
    escalations: tuple[Mark, ...] = ()
    next_at: datetime | None = None
    anomalies: tuple[Anomaly, ...] = ()
    rests: tuple[tuple[datetime, datetime], ...] = ()
    concerns: str = ""
    shifts: tuple[Shift, ...] = ()
    ruled_since: datetime | None = None

    @property
    def paused_seconds(self) -> float:
        """Elapsed seconds in which a pause held, in hours or not."""
        return sum((to_at - from_at) / timedelta(seconds=1) for from_at, to_at in self.rests)

    @property
    def remaining_seconds(self) -> float:
        """Target minus consumed."""
        return self.target_seconds - self.consumed_seconds

    @property
    def is_breached(self) -> bool:
        """Whether the due time was missed, however it went on."""
        return self.breached_at is not None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its stop."""
        return self.state is not ClockState.PENDING and self.stopped_at is None and self.cancelled_at is None

    @property
    def until_at(self) -> datetime:
        """Where the counting ends: at the stop, at the end of the subject, or now."""
        return max(self.stopped_at or self.cancelled_at or self.as_of, self.started_at)

    @property
    def late_seconds(self) -> float:
        """How much later than due on the wall (not on the timer's own clock); 0 when not breached."""
        if self.breached_at is None:
            return 0
        return max((self.until_at - self.breached_at) / timedelta(seconds=1), 0)


def intervals(reading: ClockReading) -> tuple[Interval, ...]:
    """Every stretch from the start to the stop (or now) and why it counts or not; gapless, ordered.

    Sums: the counted stretches make `consumed_seconds`. Laid out only here, since a live reading
    needs no more than the totals.
    """
    found: list[Interval] = []
    position = reading.started_at
    for rest_from, rest_to in (*reading.rests, (reading.until_at, reading.until_at)):
        found.extend(_active(reading, position, rest_from))
        if rest_from < rest_to:
            found.append(Interval(rest_from, rest_to, IntervalKind.PAUSED))
        position = rest_to
    return tuple(found)


def _active(reading: ClockReading, start: datetime, end: datetime) -> Iterator[Interval]:
    if start >= end:
        return
    if reading.counting is Counting.ELAPSED:
        yield Interval(start, end, IntervalKind.COUNTED)
        return
    position = start
    for opens, closes in reading.calendar.working_intervals(start, end):
        yield from _closed(reading.calendar, position, opens)
        yield Interval(opens, closes, IntervalKind.COUNTED)
        position = closes
    yield from _closed(reading.calendar, position, end)


def _closed(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Interval]:
    """Closed time, cut where a local date with another reason begins."""
    pending: Interval | None = None
    while start < end:
        day = calendar.local_date(start)
        until = min(calendar.end_of_day(day), end)
        kind = IntervalKind(calendar.closure_of(day).value)
        if pending is not None and pending.kind is kind:
            pending = Interval(pending.from_at, until, kind)
        else:
            if pending is not None:
                yield pending
            pending = Interval(start, until, kind)
        start = until
    if pending is not None:
        yield pending
