"""Working time of one year as UTC segments: wall-clock intervals laid over the zone's real offsets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from itertools import accumulate, pairwise

from app.domain.sla.instants import DAY, MINUTE, SECOND, instant_of, wall_midnight

Segment = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Offset:
    """A stretch of UTC in which the zone's offset does not change (all in microseconds)."""

    start: int
    end: int
    shift: int


def offsets(zone: tzinfo, start: int, end: int) -> tuple[Offset, ...]:
    """The offsets of a zone over [start, end), cut at every transition (exact to the second).

    Looks once a day: two transitions that undo each other within one day would not be seen
    (no zone has ever done so).
    """
    cuts = [start]
    points = [*range(start, end, DAY), end]
    seen = [(point, _shift(zone, point)) for point in points]
    cuts.extend(_transition(zone, left, right) for (left, a), (right, b) in pairwise(seen) if a != b)
    cuts.append(end)
    return tuple(Offset(a, b, _shift(zone, a)) for a, b in pairwise(cuts) if a < b)


def _shift(zone: tzinfo, at: int) -> int:
    offset = instant_of(at).astimezone(zone).utcoffset()
    assert offset is not None, "an IANA zone always has an offset"
    return offset // timedelta(microseconds=1)


def _transition(zone: tzinfo, left: int, right: int) -> int:
    """First second of (left, right] at which the offset is no longer that of `left`."""
    low, high, before = left // SECOND, -(-right // SECOND), _shift(zone, left)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _shift(zone, middle * SECOND) == before else (low, middle)
    return high * SECOND


def lay(day: date, spans: Iterable[Segment], zone_offsets: Iterable[Offset]) -> Iterator[Segment]:
    """UTC segments in which the local wall clock shows a time inside the spans of that date.

    `spans` are minutes after local midnight (past 1440: into the next date). A wall time that
    a gap skips is never shown, one that a fold repeats is shown, and counted, twice.
    """
    midnight = wall_midnight(day)
    for first, last in spans:
        opens, closes = midnight + first * MINUTE, midnight + last * MINUTE
        for offset in zone_offsets:
            start = max(opens - offset.shift, offset.start)
            end = min(closes - offset.shift, offset.end)
            if start < end:
                yield start, end


class Block:
    """Disjoint ordered segments with running totals: counting and advancing are binary searches."""

    __slots__ = ("before", "ends", "starts", "total")

    def __init__(self, segments: Iterable[Segment]) -> None:
        joined = list(join(segments))
        self.starts = [start for start, _ in joined]
        self.ends = [end for _, end in joined]
        self.before = list(accumulate((end - start for start, end in joined), initial=0))
        self.total = self.before.pop()

    def covers(self, start: int, end: int) -> bool:
        """Whether no other block has anything between the two instants."""
        return bool(self.starts) and self.starts[0] <= start and end <= self.ends[-1]

    def count(self, until: int) -> int:
        """Microseconds worked in this block before an instant."""
        index = bisect_right(self.starts, until) - 1
        if index < 0:
            return 0
        return self.before[index] + min(until, self.ends[index]) - self.starts[index]

    def between(self, start: int, end: int) -> int:
        """Microseconds worked in this block from one instant to another."""
        if self.lies_within(start, end):
            return self.total
        return self.count(end) - self.count(start)

    def lies_within(self, start: int, end: int) -> bool:
        """Whether the whole block lies between the two instants."""
        return bool(self.starts) and start <= self.starts[0] and self.ends[-1] <= end

    def reach(self, worked: int) -> int:
        """The earliest instant by which `worked` (0 < worked <= total) has been worked."""
        index = bisect_left(self.before, worked) - 1
        return self.starts[index] + worked - self.before[index]

    def within(self, start: int, end: int) -> Iterator[Segment]:
        """The segments cut to [start, end)."""
        index = max(bisect_right(self.starts, start) - 1, 0)
        for first, last in zip(self.starts[index:], self.ends[index:], strict=True):
            if first >= end:
                return
            if last > start:
                yield max(first, start), min(last, end)


def join(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The same time in ascending order, with touching and overlapping segments made one."""
    current: Segment | None = None
    for start, end in sorted(segments):
        if current is not None and start <= current[1]:
            current = current[0], max(current[1], end)
            continue
        if current is not None:
            yield current
        current = start, end
    if current is not None:
        yield current
