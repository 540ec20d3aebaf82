"""Intervals, tests and quantiles by closed formula: proportions, means, percentiles, censored durations.

Everything is in fractions, not percent, and unrounded; rounding happens once, at output. Formulas and
their published vectors: domain.md 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import erfc, floor, sqrt
from operator import sub
from typing import Final, NamedTuple

from app.domain.measures import bounds

Z_95: Final = bounds.Z_95

EXACT: Final = 1e9
_NEAR_HALF: Final = 1e-4
_NO_FRACTIONS: Final = 1.5 * 2.0**52
SURE: Final = 0.5 - _NEAR_HALF
"""A number below EXACT that lies nearer than this to a whole one is rounded as it is, whatever its digits."""


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        return Interval(self.low * factor, self.high * factor)


class SignificanceTest(NamedTuple):
    """A test statistic (None where the variance is zero) and its two-sided p value."""

    z: float | None
    p_value: float


def round_half_away(value: float, digits: int) -> float:
    """The number as it is shown: `digits` decimals, halves away from zero (2.5 -> 3, -2.5 -> -3).

    Only what is near a half needs its decimal digits; everything else is rounded exactly, and fast, as is.
    """
    scaled = value * 10.0**digits
    if abs(scaled) < EXACT and abs(scaled % 1.0 - 0.5) > _NEAR_HALF:
        return round(scaled) / 10.0**digits
    exponent = Decimal(1).scaleb(-digits)
    return float(Decimal(repr(value)).quantize(exponent, rounding=ROUND_HALF_UP)) + 0.0


def rounded_column(values: Sequence[float | None], digits: int) -> list[float | None]:
    """`round_half_away` of each value, in a few passes over all of them."""
    known = [value for value in values if value is not None]
    shown = _rounded(known, digits)
    if len(known) == len(values):
        return list(shown)
    rest = iter(shown)
    return [None if value is None else next(rest) for value in values]


def _rounded(values: Sequence[float], digits: int) -> list[float]:
    """Rounded as they are; only what is near a half (or huge) goes by its decimal digits."""
    power = 10.0**digits
    scaled = [value * power for value in values]
    if max(map(abs, scaled), default=0.0) >= EXACT:
        return [round_half_away(value, digits) for value in values]
    # Beside so large a number a float has no room for a fraction: adding it rounds, and leaves no -0.0.
    whole = [value + _NO_FRACTIONS - _NO_FRACTIONS for value in scaled]
    shown = [value / power for value in whole]
    off = list(map(sub, scaled, whole))
    if max(map(abs, off), default=0.0) >= SURE:
        for place in [place for place, missed in enumerate(off) if not -SURE < missed < SURE]:
            shown[place] = round_half_away(values[place], digits)
    return shown


def wilson(successes: int, n: int) -> Interval:
    """Wilson score interval of a proportion; `n` > 0."""
    return Interval(*bounds.wilson_bounds(successes, n))


def newcombe(x1: int, n1: int, x2: int, n2: int) -> Interval:
    """Newcombe's interval of the difference x1/n1 - x2/n2, built of the two Wilson intervals."""
    p1, p2 = x1 / n1, x2 / n2
    first, second = wilson(x1, n1), wilson(x2, n2)
    difference = p1 - p2
    return Interval(
        difference - sqrt((p1 - first.low) ** 2 + (second.high - p2) ** 2),
        difference + sqrt((first.high - p1) ** 2 + (p2 - second.low) ** 2),
    )


def two_proportion_test(x1: int, n1: int, x2: int, n2: int) -> SignificanceTest:
    """Pooled two-proportion z test of x1/n1 against x2/n2."""
    pooled = (x1 + x2) / (n1 + n2)
    error = sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return normal_test(x1 / n1 - x2 / n2, error)


def normal_test(difference: float, standard_error: float) -> SignificanceTest:
    """z and two-sided p of a difference with a known standard error.

    Without any variance on either side a difference is certain (p = 0), and its absence too (p = 1).
    """
    if standard_error == 0.0:
        return SignificanceTest(None, 1.0 if difference == 0.0 else 0.0)
    z = difference / standard_error
    return SignificanceTest(z, erfc(abs(z) / sqrt(2)))


def sample_variance(n: int, total: float, total_squares: float) -> float | None:
    """Unbiased sample variance from a count, a sum and a sum of squares; None below two values."""
    if n < 2:
        return None
    return max(0.0, (total_squares - total * total / n) / (n - 1))


def mean_interval(n: int, total: float, total_squares: float) -> Interval | None:
    """Normal interval of a mean with the sample standard deviation; None below two values."""
    return None if n < 2 else Interval(*bounds.mean_bounds(n, total, total_squares))


def percentile(ordered: Sequence[float], q: float) -> float | None:
    """Type-7 percentile (linear between order statistics) of ascending values; None when empty."""
    if not ordered:
        return None
    rank = q * (len(ordered) - 1)
    below = floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (rank - below) * (ordered[above] - ordered[below])
