"""Before and after a change: recurrence of a cause, contacts avoided, paired satisfaction."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import NamedTuple

from app.domain.measures.statistics import Z_95, Interval, sample_variance

CONTINUITY = 0.5


class Recurrence(NamedTuple):
    """Cases of one cause per transaction after a fix, as a ratio to before."""

    ratio: float
    interval: Interval
    avoided: float
    succeeded: bool


def recurrence(before: int, exposure_before: int, after: int, exposure_after: int) -> Recurrence | None:
    """(x1/e1) / (x0/e0) with the interval exp(ln RR +- z * sqrt(1/x1 + 1/x0)).

    Where a count is 0, 0.5 is added to both. `avoided` = x0/e0*e1 - x1 contacts (negative: there were more),
    `succeeded`: the upper bound is below 1. None without exposure on either side.
    """
    if exposure_before <= 0 or exposure_after <= 0:
        return None
    x0, x1 = float(before), float(after)
    if not before or not after:
        x0, x1 = x0 + CONTINUITY, x1 + CONTINUITY
    ratio = (x1 / exposure_after) / (x0 / exposure_before)
    half = Z_95 * sqrt(1 / x1 + 1 / x0)
    interval = Interval(exp(log(ratio) - half), exp(log(ratio) + half))
    avoided = before / exposure_before * exposure_after - after
    return Recurrence(ratio, interval, avoided, interval.high < 1)


class PairedDelta(NamedTuple):
    """Mean of after minus before over the customers who answered both times."""

    pairs: int
    before: float
    after: float
    delta: float
    interval: Interval | None


def paired_delta(pairs: Sequence[tuple[float, float]]) -> PairedDelta | None:
    """mean(after) - mean(before) of `(before, after)` pairs, normal interval of the differences."""
    n = len(pairs)
    if n == 0:
        return None
    differences = [after - before for before, after in pairs]
    total = sum(differences)
    variance = sample_variance(n, total, sum(d * d for d in differences))
    mean = total / n
    interval = None
    if variance is not None:
        half = Z_95 * sqrt(variance / n)
        interval = Interval(mean - half, mean + half)
    return PairedDelta(n, sum(b for b, _ in pairs) / n, sum(a for _, a in pairs) / n, mean, interval)
