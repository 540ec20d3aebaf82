"""Intervals of scores by formulas that reckon with numbers or with the columns of a database alike.

In fractions, unrounded; formulas and their published vectors: domain.md 4.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, Final, Protocol

Z_95: Final = 1.959964
"""The two-sided 95 % quantile of the normal distribution, to the digits of domain.md 4.1."""

Z2: Final = Z_95 * Z_95


class Arithmetic(Protocol):
    """What formulas ask beside + - * /, of numbers or of the columns of a database alike."""

    def root(self, x: Any) -> Any: ...

    def least(self, x: Any, y: Any) -> Any: ...

    def greatest(self, x: Any, y: Any) -> Any: ...

    def choice(self, condition: Any, yes: Any, no: Any) -> Any:
        """`yes` where the condition holds, else `no`; both can be computed, and may be None."""


class Numbers:
    """Arithmetic of Python's own numbers."""

    root = staticmethod(sqrt)
    least = staticmethod(min)
    greatest = staticmethod(max)

    def choice(self, condition: bool, yes: Any, no: Any) -> Any:
        return yes if condition else no


NUMBERS: Final = Numbers()


def adjusted_wald(promoters: Any, detractors: Any, n: Any, a: Arithmetic = NUMBERS) -> tuple[Any, Any]:
    """Interval of (promoters - detractors) / n, clipped to -1..1, with 3 pseudo-answers (Rocks 2016)."""
    total = n + 3.0
    centre = (promoters - detractors) / total
    half = Z_95 * a.root(((promoters + detractors + 1.5) / total - centre * centre) / total)
    return a.greatest(centre - half, -1.0), a.least(centre + half, 1.0)


def wilson_bounds(x: Any, n: Any, a: Arithmetic = NUMBERS) -> tuple[Any, Any]:
    """Wilson score interval of the proportion x / n; `n` > 0."""
    p = x / n
    denominator = 1 + Z2 / n
    centre = (p + Z2 / (2 * n)) / denominator
    half = Z_95 * a.root(p * (1 - p) / n + Z2 / (4 * n * n)) / denominator
    # At p = 0 and p = 1 the bound is exact; the subtraction would leave 1e-17.
    low = a.choice(x == 0, 0.0, a.greatest(0.0, centre - half))
    return low, a.choice(x == n, 1.0, a.least(1.0, centre + half))


def mean_bounds(n: Any, total: Any, squares: Any, a: Arithmetic = NUMBERS) -> tuple[Any, Any]:
    """Normal interval of a mean with the sample standard deviation; `n` > 0, nothing below two values."""
    variance = a.greatest(0.0, (squares - total * total / n) / a.greatest(n - 1, 1))
    mean, half = total / n, Z_95 * a.root(variance / n)
    return a.choice(n > 1, mean - half, None), a.choice(n > 1, mean + half, None)
