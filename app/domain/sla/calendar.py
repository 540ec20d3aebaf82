"""A working calendar: weekly wall-clock hours in a zone, with exceptions, counted exactly in UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from app.domain.errors import InvalidError
from app.domain.sla.instants import (
    DAY,
    MINUTE,
    SECOND,
    instant_of,
    micros,
    wall_midnight,
)
from app.domain.sla.segments import Block, Offset, Segment, join, lay, offsets

Spans = tuple[Segment, ...]

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""A calendar has hours in these years only, so that no hostile date makes it lay out millennia."""

_MOST_DAYS = 4096


class Closure(StrEnum):
    """Why an instant is not working time."""

    OUT_OF_HOURS = "out_of_hours"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """What one local date does instead of its weekday; without spans it is closed all day."""

    spans: Spans
    name: str = ""


@dataclass(frozen=True, eq=False)
class Calendar:
    """Working hours of one place; immutable, named by key and version.

    `weekly` holds, Monday first, ordered disjoint spans of minutes after local midnight,
    half-open; a span past 1440 is a night shift and belongs to the date on which it begins, so an
    exception takes away the shifts that begin on its date. An instant is working time iff the
    local wall clock then shows a time inside a span: a 23 h or 25 h day counts as it was lived.
    """

    key: str
    version: int
    tz: ZoneInfo
    weekly: tuple[Spans, ...]
    exceptions: Mapping[date, SpecialDay] = field(default_factory=dict)
    # Derived and idempotent: a year is laid out once and kept, so that a span of years costs
    # some binary searches.
    _blocks: dict[int, Block] = field(default_factory=dict, init=False, repr=False)
    _day_ends: dict[date, datetime] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def business_day_seconds(self) -> int:
        """Length of the usual working day: the commonest of the week, of equally common ones the longest."""
        lengths = Counter(sum(end - start for start, end in spans) for spans in self.weekly if spans)
        return max(lengths, key=lambda minutes: (lengths[minutes], minutes)) * MINUTE // SECOND

    def add_working_seconds(self, start: datetime, seconds: float) -> datetime:
        """The earliest instant by which that many working seconds have passed since start (UTC).

        The end of an interval is preferred to the start of the next: Friday 14:00 + 4 h of a
        day that ends at 18:00 is Friday 18:00. 0 gives the start itself, in hours or not.
        Raises InvalidError `due_out_of_range` past the year 2199.
        """
        return instant_of(self.advance(micros(start), round(seconds * SECOND)))

    def working_intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working time of [start, end) as ordered, disjoint, maximal UTC intervals."""
        for first, last in self.segments(micros(start), micros(end)):
            yield instant_of(first), instant_of(last)

    def next_working_at(self, instant: datetime) -> datetime:
        """The instant itself if it is inside hours or their very end, else the next opening."""
        at = micros(instant)
        if self.count(at - 1, at) or self.count(at, at + 1):
            return instant
        return instant_of(self.advance(at, 1) - 1)

    def closure_of(self, day: date) -> Closure:
        """What the closed hours of a local date are called."""
        exception = self.exceptions.get(day)
        return Closure.HOLIDAY if exception is not None and not exception.spans else Closure.OUT_OF_HOURS

    def local_date(self, instant: datetime) -> date:
        """The date that the wall calendar shows at an instant."""
        return instant.astimezone(self.tz).date()

    def end_of_day(self, day: date) -> datetime:
        """The instant at which a local date is over (UTC)."""
        known = self._day_ends.get(day)
        if known is None:
            if len(self._day_ends) >= _MOST_DAYS:
                self._day_ends.clear()
            known = self._day_ends[day] = self._end_of_day(day)
        return known

    def _end_of_day(self, day: date) -> datetime:
        zone_offsets = self._offsets_around(day)
        shown = list(lay(day, ((0, 1440),), zone_offsets))
        if shown:
            return instant_of(max(end for _, end in shown))
        # A date that the zone skipped whole (Samoa, 2011-12-30) is over when it would begin.
        midnight = wall_midnight(day)
        return instant_of(next(o.end for o in zone_offsets if midnight - o.shift <= o.end))

    def end_of_business_day(self, received_on: date, n: int) -> datetime:
        """Close of the n-th working day after the local date of receipt, which never counts (UTC).

        A working day is a date on which at least one interval begins; its close is the end of
        the last of them. Raises InvalidError `due_out_of_range` past the year 2199, ValueError for n < 1.
        """
        if n < 1:
            raise ValueError("the day of receipt is not a business day after itself: n >= 1")
        day, closes = received_on, None
        while n:
            day += timedelta(days=1)
            if day.year > LAST_YEAR:
                raise _out_of_range()
            closes = max((end for _, end in self._laid(day)), default=None)
            n -= closes is not None
        assert closes is not None, "the loop ends on a day that has a close"
        return instant_of(closes)

    def spans_of(self, day: date) -> Spans:
        """The spans that begin on a local date."""
        exception = self.exceptions.get(day)
        return self.weekly[day.weekday()] if exception is None else exception.spans

    def count(self, start: int, end: int) -> int:
        """Working microseconds in [start, end), both in microseconds since 1970."""
        if end <= start:
            return 0
        years = _years(start, end)
        within = self._block(years[1]) if len(years) == 3 else None
        if within is not None and within.covers(start, end):
            return within.count(end) - within.count(start)
        blocks = (self._block(year) for year in years)
        return sum(block.between(start, end) for block in blocks)

    def advance(self, start: int, worked: int) -> int:
        """The earliest instant by which `worked` microseconds of working time follow `start`."""
        if worked <= 0:
            return start
        first = instant_of(start).year
        if not (FIRST_YEAR <= first <= LAST_YEAR and self._block(first).covers(start, start)):
            first = max(first - 1, FIRST_YEAR)
        for year in range(first, LAST_YEAR + 1):
            block = self._block(year)
            done = block.count(start)
            if block.total - done >= worked:
                return block.reach(done + worked)
            worked -= block.total - done
        raise _out_of_range()

    def segments(self, start: int, end: int) -> Iterator[Segment]:
        """The working time of [start, end) in microseconds, ordered, disjoint, maximal."""
        if start < end:
            blocks = (self._block(year) for year in _years(start, end))
            yield from join(part for block in blocks for part in block.within(start, end))

    def _block(self, year: int) -> Block:
        block = self._blocks.get(year)
        if block is None:
            block = self._blocks[year] = Block(self._lay_year(year))
        return block

    def _lay_year(self, year: int) -> Iterator[Segment]:
        """All that begins on the local dates of a year."""
        day, last = date(year, 1, 1), date(year, 12, 31)
        zone_offsets = offsets(self.tz, wall_midnight(day) - 2 * DAY, wall_midnight(last) + 4 * DAY)
        while day <= last:
            yield from lay(day, self.spans_of(day), zone_offsets)
            day += timedelta(days=1)

    def _laid(self, day: date) -> Iterator[Segment]:
        return lay(day, self.spans_of(day), self._offsets_around(day))

    def _offsets_around(self, day: date) -> tuple[Offset, ...]:
        midnight = wall_midnight(day)
        return offsets(self.tz, midnight - 2 * DAY, midnight + 4 * DAY)


def _years(start: int, end: int) -> range:
    """Local years whose segments may reach into [start, end): one to spare on either side."""
    first, last = instant_of(start).year - 1, instant_of(end).year + 1
    return range(max(first, FIRST_YEAR), min(last, LAST_YEAR) + 1)


def _out_of_range() -> InvalidError:
    return InvalidError(
        "due_out_of_range", f"The due time lies past the year {LAST_YEAR}.", cure="Give a shorter target."
    )


ALWAYS = Calendar("24x7", 1, ZoneInfo("UTC"), (((0, 1440),),) * 7)
"""Elapsed time: every instant counts."""
