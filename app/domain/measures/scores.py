"""Scores straight from histograms: the one place of their formulas, free of objects because they are many.

A score reads a few sums of a histogram (n, the classes, the boxes) and is a formula over them. Sums and
formulas ask no more of what they reckon with than `Arithmetic`: so a database can be told to reckon with its
columns by the same lines, which is what makes an answer of thousands of cells cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import mul
from typing import Any, Final, NamedTuple

from app.domain.measures.bounds import NUMBERS, Arithmetic, adjusted_wald, mean_bounds, wilson_bounds
from app.domain.measures.counters import Layout, layout_of

Scored = tuple[Any, ...]
"""`(value, n, low, high, *parts)`, unrounded; value and parts are None where nobody answered."""

Slots = Sequence[Sequence[int]]
"""Histograms turned round: for each value of the scale, its count in every histogram."""

Sums = Iterable[float]


class Score(NamedTuple):
    """A formula of answers that are there, what it reads of a histogram beside their number, its parts."""

    formula: Callable[..., Scored]
    reads: Sequence[Callable[[Layout, Slots], Sums]]
    part_count: int

    def scored(self, n: int, *reads: float) -> Scored:
        """The score of a group, which may be empty."""
        return self.formula(NUMBERS, n, *reads) if n else (None, 0, *repeat(None, 2 + self.part_count))

    def of(self, scale_id: str, histogram: Sequence[int]) -> Scored:
        """The score of one histogram (at least as many columns as the scale has values)."""
        return self.scored(*self.sums(layout_of(scale_id), [(count,) for count in histogram]))

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


def _nps(a: Arithmetic, n: Any, promoters: Any, detractors: Any) -> Scored:
    low, high = adjusted_wald(promoters, detractors, n, a)
    value = 100 * (promoters - detractors) / n
    return value, n, 100 * low, 100 * high, promoters, n - promoters - detractors, detractors


def _share(a: Arithmetic, n: Any, x: Any, *more: Any) -> Scored:
    low, high = wilson_bounds(x, n, a)
    return 100 * x / n, n, 100 * low, 100 * high, x, *more


def _mean(a: Arithmetic, n: Any, total: Any, squares: Any) -> Scored:
    low, high = mean_bounds(n, total, squares, a)
    return total / n, n, low, high, total


NPS_SCORE: Final = Score(_nps, (_positive, _negative), 3)
"""Points; parts: promoters, passives, detractors. Interval: adjusted Wald."""

TOP_SCORE: Final = Score(_share, (_top, _bottom), 2)
"""Percent in the top box; parts: top, bottom. Interval: Wilson."""

POSITIVE_SCORE: Final = Score(_share, (_positive, _negative), 2)
"""Percent in the positive class; parts: positive, negative."""

NEGATIVE_SCORE: Final = Score(_share, (_negative,), 1)
"""Percent in the negative class; part: negative."""

MEAN_SCORE: Final = Score(_mean, (_total, _squares), 1)
"""Mean score (a reversed scale is turned round); part: the sum. Interval: normal, sample deviation."""
