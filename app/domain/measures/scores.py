"""Scores straight from histograms: the one place of their formulas, free of objects because they are many.

A score reads a few sums of a histogram (n, the classes, the boxes) and is a formula over them. The sums of
many histograms are taken column by column, which is what makes an answer of thousands of cells cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from math import sqrt
from operator import mul
from typing import Any, Final, NamedTuple

from app.domain.measures.counters import Layout, layout_of
from app.domain.measures.statistics import Z_95, mean_interval, wilson

Scored = tuple[Any, ...]
"""`(value, n, low, high, *parts)`, unrounded; value and parts are None where nobody answered."""

Slots = Sequence[Sequence[int]]
"""Histograms turned round: for each value of the scale, its count in every histogram."""

Sums = Iterable[float]


class Score(NamedTuple):
    """A formula, and what it reads of a histogram beside the number of answers."""

    formula: Callable[..., Scored]
    reads: Sequence[Callable[[Layout, Slots], Sums]]

    @property
    def nothing(self) -> Scored:
        """The score of no answers."""
        return self.formula(0, *(0 for _ in self.reads))

    def of(self, scale_id: str, histogram: Sequence[int]) -> Scored:
        """The score of one histogram (at least as many columns as the scale has values)."""
        [scored] = self.of_many(scale_id, [(count,) for count in histogram])
        return scored

    def of_many(self, scale_id: str, slots: Slots) -> list[Scored]:
        """The scores of many histograms on one scale."""
        layout = layout_of(scale_id)
        return list(map(self.formula, _sums(slots), *(read(layout, slots) for read in self.reads)))

    def sums(self, layout: Layout, slots: Sequence[tuple[Any]]) -> list[Any]:
        """The number of answers and what the formula reads, of one histogram of anything that adds up."""
        return [next(iter(read)) for read in (_sums(slots), *(r(layout, slots) for r in self.reads))]


def _sums(slots: Slots) -> Iterable[int]:
    return map(sum, zip(*slots, strict=True))


def _positive(layout: Layout, slots: Slots) -> Sums:
    return _sums(slots[layout.positive])


def _negative(layout: Layout, slots: Slots) -> Sums:
    return _sums(slots[layout.negative])


def _top(layout: Layout, slots: Slots) -> Sums:
    return _sums(slots[layout.top])


def _bottom(layout: Layout, slots: Slots) -> Sums:
    return _sums(slots[layout.bottom])


def _total(layout: Layout, slots: Slots) -> Sums:
    return _weighed(slots, layout.scores)


def _squares(layout: Layout, slots: Slots) -> Sums:
    return _weighed(slots, layout.squares)


def _weighed(slots: Slots, weights: Sequence[float]) -> Sums:
    """Columns beyond the scale's values hold nothing."""
    weighed = [map(mul, counts, repeat(weight)) for counts, weight in zip(slots, weights, strict=False)]
    return map(sum, zip(*weighed, strict=True))


def _nps(n: int, promoters: int, detractors: int) -> Scored:
    if not n:
        return None, 0, None, None, None, None, None
    low, high = adjusted_wald(promoters, detractors, n)
    value = 100 * (promoters - detractors) / n
    return value, n, 100 * low, 100 * high, promoters, n - promoters - detractors, detractors


def adjusted_wald(promoters: int, detractors: int, n: int) -> tuple[float, float]:
    """Interval of (promoters - detractors) / n, clipped to -1..1, with 3 pseudo-answers (Rocks 2016)."""
    total = n + 3.0
    centre = (promoters - detractors) / total
    half = Z_95 * sqrt(((promoters + detractors + 1.5) / total - centre * centre) / total)
    low, high = centre - half, centre + half
    return low if low > -1.0 else -1.0, high if high < 1.0 else 1.0


def _share(n: int, x: int, *more: int) -> Scored:
    if not n:
        return None, 0, None, None, None, *(None for _ in more)
    low, high = wilson(x, n)
    return 100 * x / n, n, 100 * low, 100 * high, x, *more


def _mean(n: int, total: float, squares: float) -> Scored:
    if not n:
        return None, 0, None, None, None
    low, high = mean_interval(n, total, squares) or (None, None)
    return total / n, n, low, high, total


NPS_SCORE: Final = Score(_nps, (_positive, _negative))
"""Points; parts: promoters, passives, detractors. Interval: adjusted Wald."""

TOP_SCORE: Final = Score(_share, (_top, _bottom))
"""Percent in the top box; parts: top, bottom. Interval: Wilson."""

POSITIVE_SCORE: Final = Score(_share, (_positive, _negative))
"""Percent in the positive class; parts: positive, negative."""

NEGATIVE_SCORE: Final = Score(_share, (_negative,))
"""Percent in the negative class; part: negative."""

MEAN_SCORE: Final = Score(_mean, (_total, _squares))
"""Mean score (a reversed scale is turned round); part: the sum. Interval: normal, sample deviation."""
