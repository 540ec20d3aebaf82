"""The exact Poisson interval of a count, for rates per thousand.

The bounds of Garwood (1936) are quantiles of the gamma distribution: with a = count for the lower and
count + 1 for the upper bound, the mean at which the tail holds 2.5 %. The regularised incomplete gamma
function is summed by its series below the mean and by its continued fraction above it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, lgamma, log, sqrt
from typing import Final

from app.domain.measures.statistics import Z_95, Interval

_TAIL: Final = 0.025
_RELATIVE_ERROR: Final = 1e-13
_TINY: Final = 1e-300


def poisson_interval(count: int) -> Interval:
    """Exact 95 % interval of the mean of a Poisson count >= 0 (count 0 -> low is 0)."""
    if count < 0:
        raise ValueError("a count is never negative")
    low = 0.0 if count == 0 else _solve(lambda mean: gamma_share(count, mean), _TAIL, count)
    return Interval(low, _solve(lambda mean: gamma_share(count + 1, mean), 1 - _TAIL, count + 1))


def gamma_share(shape: float, x: float) -> float:
    """P(shape, x), the regularised lower incomplete gamma function: P(Poisson(x) >= shape)."""
    if x <= 0.0:
        return 0.0
    scale = exp(shape * log(x) - x - lgamma(shape))
    return scale * _series(shape, x) if x < shape + 1 else 1 - scale * _continued_fraction(shape, x)


def _series(shape: float, x: float) -> float:
    """Sum of x^i / (shape (shape+1) ... (shape+i)), which converges fast for x < shape + 1."""
    term = total = 1 / shape
    divisor = shape
    while term > total * _RELATIVE_ERROR:
        divisor += 1
        term *= x / divisor
        total += term
    return total


def _continued_fraction(shape: float, x: float) -> float:
    """The upper tail's continued fraction by Lentz's method, which converges fast for x > shape + 1."""
    partial = x + 1 - shape
    c, d = inf, 1 / max(partial, _TINY)
    value, step, i = d, 0.0, 0
    while abs(step - 1) > _RELATIVE_ERROR:
        i += 1
        numerator = i * (shape - i)
        partial += 2
        d = 1 / _nonzero(numerator * d + partial)
        c = _nonzero(partial + numerator / c)
        step = c * d
        value *= step
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _solve(share: Callable[[float], float], target: float, near: float) -> float:
    """The x at which a rising function meets its target, by bisection around `near`."""
    width = 10 + 4 * Z_95 * sqrt(near)
    low, high = max(0.0, near - width), near + width
    while high - low > _RELATIVE_ERROR * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if share(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2
