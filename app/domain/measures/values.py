"""A computed metric value: the number, how sure it is, and whether it may be shown.

The rules of publication are those of domain.md 4.6: below 5 answers nothing, below 30 with a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from app.domain.measures.counters import Counters
from app.domain.measures.scores import Score
from app.domain.measures.statistics import Interval, wilson

SUPPRESSED_BELOW: Final = 5
LOW_N_BELOW: Final = 30


class MetricStatus(StrEnum):
    """May the number be used? Worst first: a value carries the first that holds."""

    NO_DATA = "no_data"
    SUPPRESSED = "suppressed"
    UNRELIABLE = "unreliable"
    UNVERIFIED = "unverified"
    LOW_COVERAGE = "low_coverage"
    LOW_N = "low_n"
    OK = "ok"


Parts = Mapping[str, int | float | None]


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric of one cell, unrounded: `value` is None when it cannot or may not be known, never 0.

    `n` is what the value rests on, `parts` the counts it was made of, `reasons` slugs beside the status.
    """

    value: float | None
    n: int
    interval: Interval | None = None
    status: MetricStatus = MetricStatus.OK
    reasons: tuple[str, ...] = ()
    parts: Parts = field(default_factory=dict)

    @property
    def ci_low(self) -> float | None:
        return None if self.interval is None else self.interval.low

    @property
    def ci_high(self) -> float | None:
        return None if self.interval is None else self.interval.high


_RANK: Final = {status: rank for rank, status in enumerate(MetricStatus)}


def worst(*statuses: MetricStatus) -> MetricStatus:
    """The first of the fixed order; at least one."""
    return min(statuses, key=_RANK.__getitem__)


def status_of(n: int) -> MetricStatus:
    """What may be said of a number that rests on n answers."""
    if n == 0:
        return MetricStatus.NO_DATA
    if n < SUPPRESSED_BELOW:
        return MetricStatus.SUPPRESSED
    return MetricStatus.LOW_N if n < LOW_N_BELOW else MetricStatus.OK


def no_value(parts: Parts, *reasons: str, n: int = 0) -> MetricValue:
    """A metric that cannot be computed here: null, with the reason."""
    return MetricValue(None, n, status=MetricStatus.NO_DATA, reasons=reasons, parts=parts)


def share_value(successes: int, n: int, parts: Parts) -> MetricValue:
    """100 * successes / n with the Wilson interval, in percent."""
    if n == 0:
        return no_value(parts)
    return MetricValue(
        value=100 * successes / n,
        n=n,
        interval=wilson(successes, n).scaled(100),
        status=status_of(n),
        parts=parts,
    )


def scored_value(score: Score, counters: Counters | None, names: Sequence[str]) -> MetricValue:
    """The value of a score in one cell; `names` are its parts in the order of the score."""
    if counters is None:
        return no_value(dict.fromkeys(names))
    value, n, low, high, *parts = score.of(counters.scale_id, counters.slots)
    interval = None if low is None else Interval(low, high)
    return MetricValue(value, n, interval, status_of(n), parts=dict(zip(names, parts, strict=True)))


def count_value(count: int | None) -> MetricValue:
    """A plain count: itself its n, never suppressed; None where nothing could have been counted."""
    if count is None:
        return no_value({})
    return MetricValue(value=count, n=count)


def published(value: MetricValue, *, with_parts: bool) -> MetricValue:
    """The value as a reader may see it: a suppressed one loses its number and interval.

    Its parts stay only for those who may read the rows anyway (`with_parts`).
    """
    if value.status is not MetricStatus.SUPPRESSED:
        return value
    return withheld(value) if not with_parts else replace(value, value=None, interval=None)


def withheld(value: MetricValue) -> MetricValue:
    """The value with nothing left but its n."""
    return replace(
        value,
        value=None,
        interval=None,
        status=MetricStatus.SUPPRESSED,
        parts=dict.fromkeys(value.parts),
    )
