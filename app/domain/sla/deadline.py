"""When a timer is due: counting and advancing on its clock, around its pauses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, assert_never

from app.domain.sla.calendar import FIRST_YEAR, LAST_YEAR, Calendar
from app.domain.sla.instants import instant_of, micros
from app.domain.sla.timer import (
    AfterDuration,
    CloseOfBusinessDay,
    Counting,
    Due,
    Earliest,
    EndOfDay,
    GivenByEvent,
    Simple,
)

Rests = tuple[tuple[int, int | None], ...]
"""Disjoint ordered pauses in microseconds; the last may be open."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What time counts from a start: by which calendar, on which clock, without which pauses."""

    calendar: Calendar
    start: int
    rests: Rests = ()

    def passed(self, counting: Counting, start: int, end: int) -> int:
        """Microseconds that count between two instants, pauses not regarded."""
        return max(end - start, 0) if counting is Counting.ELAPSED else self.calendar.count(start, end)

    def consumed(self, counting: Counting, end: int) -> int:
        """Microseconds that count from the start to an instant, pauses left out."""
        total = self.passed(counting, self.start, end)
        for rest_from, rest_to in self.rests:
            stop = end if rest_to is None else min(rest_to, end)
            total -= self.passed(counting, rest_from, stop)
        return total

    def reach(self, counting: Counting, amount: int) -> int | None:
        """The earliest instant by which `amount` has been consumed; None if an open pause comes first."""
        position = self.start
        for rest_from, rest_to in self.rests:
            counted = self.passed(counting, position, rest_from)
            if amount <= counted:
                break
            if rest_to is None:
                return None
            amount -= counted
            position = rest_to
        if counting is Counting.ELAPSED:
            return position + amount
        return self.calendar.advance(position, amount)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A due time: `at` (None while a pause holds it open), the target on its clock.

    `stated_day`: the local date that a rule means, where it is not simply that of `at`.
    """

    at: int | None
    target: int
    counting: Counting
    clock: Clock
    stated_day: date | None = None

    @property
    def day(self) -> date | None:
        """The local date that it is due."""
        if self.at is None or self.stated_day is not None:
            return self.stated_day
        return self.clock.calendar.local_date(instant_of(self.at))

    def after(self, percent: float) -> int | None:
        """When that share of the target is consumed; 100 is the due time itself."""
        if percent == 100:
            return self.at
        return self.clock.reach(self.counting, round(self.target * percent / 100))


def deadline(due: Due, clock: Clock, data: Mapping[str, Any], factor: float = 1) -> Deadline | None:
    """The deadline of a due rule counted from the clock's start; None when its event gives none.

    `data` are the fields of the event that gives the time; `factor` scales durations only.
    """
    if not isinstance(due, Earliest):
        return _simple(due, clock, data, factor)
    found = [part for part in (_simple(rule, clock, data, factor) for rule in due.parts) if part]
    return min(found, key=lambda part: (part.at is None, part.at or 0), default=None)


def _simple(due: Simple, clock: Clock, data: Mapping[str, Any], factor: float) -> Deadline | None:
    calendar = clock.calendar
    match due:
        case AfterDuration(duration):
            target = duration.micros(calendar, factor)
            at = clock.reach(duration.counting, target)
            return Deadline(at, target, duration.counting, clock)
        case GivenByEvent(name=name, counting=counting):
            return _given(data.get(name), counting, clock)
        case CloseOfBusinessDay(n, counting):
            received_on = calendar.local_date(instant_of(clock.start))
            closes = calendar.end_of_business_day(received_on, n)
            # A night shift closes on the morning after the business day that it belongs to.
            return _fixed(micros(closes), calendar.local_date(closes), counting, clock)
        case EndOfDay(n, counting):
            day = calendar.local_date(instant_of(clock.start)) + timedelta(days=n)
            return _fixed(micros(calendar.end_of_day(day)), day, counting, clock)
        case _:
            assert_never(due)


def _given(value: object, counting: Counting, clock: Clock) -> Deadline | None:
    found = _time_or_date(value)
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        return None
    if not isinstance(found, datetime):
        return _fixed(micros(clock.calendar.end_of_day(found)), found, counting, clock)
    return _fixed(micros(_zoned(found, clock.calendar)), None, counting, clock)


def moment_given(value: object, calendar: Calendar) -> datetime | None:
    """The instant that a field means, a date its end; None for what is no time of the years that count."""
    found = _time_or_date(value)
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        return None
    return _zoned(found, calendar) if isinstance(found, datetime) else calendar.end_of_day(found)


def _zoned(found: datetime, calendar: Calendar) -> datetime:
    return found if found.tzinfo else found.replace(tzinfo=calendar.tz)


def _time_or_date(value: object) -> date | datetime | None:
    """An ISO 8601 time or date; a date alone means its end. Anything else is no due time."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    except ValueError:
        return None


def _fixed(at: int, day: date | None, counting: Counting, clock: Clock) -> Deadline:
    """A due time that pauses do not move."""
    clock = replace(clock, rests=()) if clock.rests else clock
    return Deadline(at, clock.consumed(counting, at), counting, clock, day)
