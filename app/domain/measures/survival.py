"""Kaplan-Meier: how long it takes when some are still waiting; quantiles with their intervals.

The interval of S(t) is Greenwood's on the log(-log S) scale; that of a quantile are the times at which
those bounds cross it (Brookmeyer and Crowley 1982). An end that is never crossed is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log, sqrt
from typing import Final, NamedTuple

from app.domain.measures.statistics import Z_95

_TOLERANCE: Final = 1e-12


class SurvivalStep(NamedTuple):
    """From `at` on the share `survival` still waits; `low` and `high` are its 95 % bounds."""

    at: float
    survival: float
    low: float
    high: float


class SurvivalQuantile(NamedTuple):
    """The smallest time at which at most 1 - q still wait, and its bounds; None where not reached."""

    value: float | None
    low: float | None
    high: float | None


def survival_curve(ended: Sequence[float], censored: Sequence[float]) -> list[SurvivalStep]:
    """The steps of the curve at the times at which something ended.

    What is censored at the very time of an ending was still at risk when it happened.
    """
    ended_at = Counter(ended)
    gone_at = Counter(censored)
    gone_at.update(ended_at)
    at_risk, survival, greenwood = len(ended) + len(censored), 1.0, 0.0
    steps = []
    for time in sorted(gone_at):
        events = ended_at.get(time, 0)
        if events:
            survival *= 1 - events / at_risk
            if events < at_risk:
                greenwood += events / (at_risk * (at_risk - events))
            steps.append(SurvivalStep(time, survival, *_bounds(survival, greenwood)))
        at_risk -= gone_at[time]
    return steps


def _bounds(survival: float, greenwood: float) -> tuple[float, float]:
    if survival <= 0.0 or survival >= 1.0:
        return survival, survival
    logged = log(survival)
    spread = exp(Z_95 * sqrt(greenwood) / abs(logged))
    return exp(logged * spread), exp(logged / spread)


def quantile_of(steps: Sequence[SurvivalStep], q: float) -> SurvivalQuantile:
    """The quantile q (0.5: the median) of a curve, in the unit of its times."""
    rest = 1 - q + _TOLERANCE

    def first(field: int) -> float | None:
        return next((step.at for step in steps if step[field] <= rest), None)

    return SurvivalQuantile(value=first(1), low=first(2), high=first(3))
