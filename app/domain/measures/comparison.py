"""Did it change? The difference of two periods with its interval, p value and verdict at 5 %."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.counters import Counters
from app.domain.measures.statistics import (
    Z_95,
    Interval,
    newcombe,
    normal_test,
    sample_variance,
    two_proportion_test,
)
from app.domain.measures.values import LOW_N_BELOW

SIGNIFICANT_BELOW: Final = 0.05


class Verdict(StrEnum):
    """What may be claimed about a change."""

    UP = "up"
    DOWN = "down"
    NO_CHANGE = "no_change"
    NOT_ENOUGH_DATA = "not_enough_data"
    SERIES_BROKEN = "series_broken"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Now minus before, in the metric's own unit; a plain count has a difference and nothing else."""

    difference: float | None
    interval: Interval | None = None
    p_value: float | None = None
    verdict: Verdict | None = None


Compare = Callable[[Cell, Cell], Comparison]

NOT_COMPARABLE: Final = Comparison(None, verdict=Verdict.NOT_ENOUGH_DATA)


def verdict_of(difference: float, p_value: float, n_now: int, n_before: int) -> Verdict:
    """Up or down only when both sides hold 30 answers and p < 0.05 (domain.md 4.6)."""
    if min(n_now, n_before) < LOW_N_BELOW:
        return Verdict.NOT_ENOUGH_DATA
    if p_value >= SIGNIFICANT_BELOW:
        return Verdict.NO_CHANGE
    return Verdict.UP if difference > 0 else Verdict.DOWN


def compare_shares(x_now: int, n_now: int, x_before: int, n_before: int) -> Comparison:
    """Percentage points: Newcombe interval, p of the pooled two-proportion test."""
    if n_now == 0 or n_before == 0:
        return NOT_COMPARABLE
    difference = x_now / n_now - x_before / n_before
    p_value = two_proportion_test(x_now, n_now, x_before, n_before).p_value
    return Comparison(
        difference=100 * difference,
        interval=newcombe(x_now, n_now, x_before, n_before).scaled(100),
        p_value=p_value,
        verdict=verdict_of(difference, p_value, n_now, n_before),
    )


def compare_means(now: Counters | None, before: Counters | None) -> Comparison:
    """Difference of two means with unpooled variances."""
    if now is None or before is None or now.n == 0 or before.n == 0:
        return NOT_COMPARABLE
    difference = now.total / now.n - before.total / before.n
    variance_now = sample_variance(now.n, now.total, now.total_squares)
    variance_before = sample_variance(before.n, before.total, before.total_squares)
    if variance_now is None or variance_before is None:
        return Comparison(difference, verdict=Verdict.NOT_ENOUGH_DATA)
    error = sqrt(variance_now / now.n + variance_before / before.n)
    p_value = normal_test(difference, error).p_value
    return Comparison(
        difference=difference,
        interval=Interval(difference - Z_95 * error, difference + Z_95 * error),
        p_value=p_value,
        verdict=verdict_of(difference, p_value, now.n, before.n),
    )


def compare_counts(now: float | None, before: float | None) -> Comparison:
    """Counts differ by their difference; nothing is claimed about its significance."""
    if now is None or before is None:
        return Comparison(None)
    return Comparison(now - before)
