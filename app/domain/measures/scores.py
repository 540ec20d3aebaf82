"""Scores straight from a histogram: the one place of their formulas, free of objects because they are many.

A `Score` function takes a scale and its histogram columns (at least as many as the scale has values) and
gives `(value, n, low, high, *parts)`, unrounded; value and parts are None where nobody answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

from app.domain.measures.counters import layout_of
from app.domain.measures.statistics import Z_95, wilson

Score = Callable[[str, Sequence[int]], tuple[Any, ...]]


def nps_score(scale_id: str, slots: Sequence[int]) -> tuple[Any, ...]:
    """Points; parts: promoters, passives, detractors. Interval: adjusted Wald."""
    layout = layout_of(scale_id)
    n, promoters, detractors = sum(slots), sum(slots[layout.positive]), sum(slots[layout.negative])
    if not n:
        return None, 0, None, None, None, None, None
    low, high = adjusted_wald(promoters, detractors, n)
    value = 100 * (promoters - detractors) / n
    return value, n, 100 * low, 100 * high, promoters, n - promoters - detractors, detractors


def adjusted_wald(promoters: int, detractors: int, n: int) -> tuple[float, float]:
    """Interval of (promoters - detractors) / n, clipped to -1..1, with 3 pseudo-answers (Rocks 2016)."""
    total = n + 3.0
    p, d = (promoters + 0.75) / total, (detractors + 0.75) / total
    centre = p - d
    half = Z_95 * sqrt((p + d - centre * centre) / total)
    return max(-1.0, centre - half), min(1.0, centre + half)


def top_score(scale_id: str, slots: Sequence[int]) -> tuple[Any, ...]:
    """Percent in the top box; parts: top, bottom. Interval: Wilson."""
    layout = layout_of(scale_id)
    return _share(sum(slots[layout.top]), sum(slots), sum(slots[layout.bottom]))


def positive_score(scale_id: str, slots: Sequence[int]) -> tuple[Any, ...]:
    """Percent in the positive class; parts: positive, negative."""
    layout = layout_of(scale_id)
    return _share(sum(slots[layout.positive]), sum(slots), sum(slots[layout.negative]))


def negative_score(scale_id: str, slots: Sequence[int]) -> tuple[Any, ...]:
    """Percent in the negative class; part: negative."""
    return _share(sum(slots[layout_of(scale_id).negative]), sum(slots))


def mean_score(scale_id: str, slots: Sequence[int]) -> tuple[Any, ...]:
    """Mean score (a reversed scale is turned round); part: the sum. Interval: normal, sample deviation."""
    layout, n = layout_of(scale_id), sum(slots)
    if not n:
        return None, 0, None, None, None
    total = sum(count * score for count, score in zip(slots, layout.scores, strict=False))
    mean = total / n
    if n < 2:
        return mean, n, None, None, total
    squares = sum(count * square for count, square in zip(slots, layout.squares, strict=False))
    half = Z_95 * sqrt(max(0.0, squares - total * mean) / (n - 1) / n)
    return mean, n, mean - half, mean + half, total


def _share(x: int, n: int, *more: int) -> tuple[Any, ...]:
    if not n:
        return None, 0, None, None, None, *(None for _ in more)
    low, high = wilson(x, n)
    return 100 * x / n, n, 100 * low, 100 * high, x, *more
