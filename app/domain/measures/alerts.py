"""Alert rules over metrics and what they find: pure judgements of values and comparisons (domain.md 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain.measures.comparison import SIGNIFICANT_BELOW, Comparison
from app.domain.measures.definition import Unit
from app.domain.measures.values import LOW_N_BELOW, MetricStatus, MetricValue

MANY_UNITS: Final = 10
FALSE_DISCOVERY_RATE: Final = 0.10
MINIMUM_EFFECT: Final = {Unit.POINTS: 5.0, Unit.PERCENT: 3.0}
"""Changes smaller than these are no news, however sure they are; other units have none."""


class AlertKind(StrEnum):
    """What is announced; the value is the type of the outgoing event."""

    THRESHOLD = "metric.threshold_breached"
    CHANGE = "metric.significant_change"
    REPRESENTATIVENESS = "representativeness.failed"
    RELIABILITY = "reliability.failed"
    NO_DATA = "touchpoint.no_data"


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """Raised when the metric is `below` or `above`: its favourable bound, or the bare point if `by_point`."""

    below: float | None = None
    above: float | None = None
    by_point: bool = False


def breaches(value: MetricValue, rule: ThresholdRule, unit: Unit) -> bool | None:
    """Is the threshold breached? None: too few answers to say (below 30 nothing is raised or cleared).

    A plain count estimates nothing: three complaints of rudeness are three, however few (S3.15).

    By the interval: even the bound that favours us is on the wrong side. A metric without an interval is
    judged by its point.
    """
    if value.value is None or value.status is MetricStatus.SUPPRESSED:
        return None
    is_plain_count = unit is Unit.COUNT and value.interval is None
    if value.n < LOW_N_BELOW and not is_plain_count:
        return None
    low, high = (value.value, value.value)
    if value.interval is not None and not rule.by_point:
        low, high = value.interval
    too_low = rule.below is not None and high < rule.below
    too_high = rule.above is not None and low > rule.above
    return too_low or too_high


def is_news(found: Comparison, n_now: int, n_before: int, unit: Unit) -> bool | None:
    """Is this a change to tell of, taken alone? None: fewer than 30 answers on a side, or nothing to test."""
    if found.p_value is None or found.difference is None or min(n_now, n_before) < LOW_N_BELOW:
        return None
    return found.p_value < SIGNIFICANT_BELOW and abs(found.difference) >= MINIMUM_EFFECT.get(unit, 0.0)


def discoveries(p_values: Sequence[float], rate: float = FALSE_DISCOVERY_RATE) -> list[bool]:
    """Benjamini-Hochberg: which of these tests are discoveries at this false discovery rate.

    The largest k with p(k) <= k/m * rate; all tests up to it.
    """
    ordered = sorted(range(len(p_values)), key=lambda index: p_values[index])
    passed = [rank for rank, index in enumerate(ordered, 1) if p_values[index] <= rank / len(p_values) * rate]
    last = max(passed, default=0)
    found = [False] * len(p_values)
    for index in ordered[:last]:
        found[index] = True
    return found


def changed(comparisons: Sequence[tuple[Comparison, int, int]], unit: Unit) -> list[bool | None]:
    """Which units changed, `(comparison, n now, n before)` each; above ten at once they share the error."""
    alone = [is_news(found, now, before, unit) for found, now, before in comparisons]
    tested = [index for index, verdict in enumerate(alone) if verdict is not None]
    if len(tested) <= MANY_UNITS:
        return alone
    together = discoveries([comparisons[index][0].p_value or 0.0 for index in tested])
    for index, discovered in zip(tested, together, strict=True):
        alone[index] = bool(alone[index]) and discovered
    return alone


def is_unrepresentative(value: MetricValue) -> bool | None:
    """Coverage below the threshold of the place; None where nobody set one or nothing is known."""
    if value.value is None or "no_coverage_threshold" in value.reasons or "no_visitors" in value.reasons:
        return None
    return "coverage_below_threshold" in value.reasons


def is_unreliable(value: MetricValue) -> bool | None:
    """The expert found too many answers not credible; None before 50 of a side were checked."""
    unreliable = any(reason.startswith("reliability_") for reason in value.reasons)
    small = any(reason.startswith("expert_sample_") for reason in value.reasons)
    if value.value is None or (small and not unreliable):
        return None
    return unreliable
