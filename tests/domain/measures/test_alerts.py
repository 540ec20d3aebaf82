"""When an alert is raised: bounds, minimum effects, and many units at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.domain.measures.alerts import (
    ThresholdRule,
    breaches,
    changed,
    discoveries,
    is_unreliable,
    is_unrepresentative,
)
from app.domain.measures.comparison import Comparison
from app.domain.measures.definition import Unit
from app.domain.measures.happiness import latent
from app.domain.measures.statistics import Interval
from app.domain.measures.values import MetricStatus, MetricValue, count_value


def a_value(value: float | None, n: int = 100, low: float = 20, high: float = 30, **fields) -> MetricValue:
    return MetricValue(value, n, Interval(low, high), **fields)


@pytest.mark.parametrize(
    ("value", "rule", "verdict"),
    [
        (a_value(25), ThresholdRule(above=19), True),
        (a_value(25), ThresholdRule(above=21), False),  # the favourable bound is still below
        (a_value(25), ThresholdRule(above=21, by_point=True), True),
        (a_value(25), ThresholdRule(below=31), True),
        (a_value(25), ThresholdRule(below=29), False),
        (a_value(25), ThresholdRule(above=20), False),  # at the bound is not beyond it
        (a_value(25, n=29), ThresholdRule(above=1), None),
        (a_value(None), ThresholdRule(above=1), None),
        (a_value(25, status=MetricStatus.SUPPRESSED), ThresholdRule(above=1), None),
        (MetricValue(7, 100), ThresholdRule(below=8), True),
    ],
)
def test_a_threshold_is_judged_by_the_bound_that_favours_us(value, rule, verdict):
    assert breaches(value, rule, Unit.PERCENT) is verdict


def test_a_count_is_judged_however_small_it_is_and_an_estimate_is_not():
    three = count_value(3)
    assert breaches(three, ThresholdRule(above=2), Unit.COUNT) is True
    assert breaches(three, ThresholdRule(above=3), Unit.COUNT) is False
    assert breaches(three, ThresholdRule(above=2), Unit.PERCENT) is None
    assert breaches(latent(3, (0.05, 0.5)), ThresholdRule(above=2), Unit.COUNT) is None


def a_change(difference: float, p_value: float, n: int = 100) -> tuple[Comparison, int, int]:
    return Comparison(difference, p_value=p_value), n, n


def test_a_change_needs_size_and_surety_and_thirty_on_both_sides():
    found = changed(
        [
            a_change(-6, 0.01),
            a_change(-4, 0.01),
            a_change(9, 0.06),
            a_change(9, 0.01, n=29),
            (Comparison(5.0), 90, 90),
        ],
        Unit.POINTS,
    )
    assert found == [True, False, False, None, None]
    assert changed([a_change(3, 0.01), a_change(2.9, 0.01)], Unit.PERCENT) == [True, False]


def test_above_ten_units_share_their_error():
    borderline = [a_change(20, 0.04) for _ in range(2)] + [a_change(0, 0.9) for _ in range(8)]
    assert changed(borderline, Unit.POINTS)[:2] == [True, True]
    eleven = [*borderline, a_change(0, 0.8)]
    assert changed(eleven, Unit.POINTS)[:2] == [False, False]  # 2 / 11 * 0.10 = 0.018 < 0.04
    sure = [a_change(20, 0.001), *eleven]
    assert changed(sure, Unit.POINTS)[:2] == [True, False]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_discoveries_are_those_of_benjamini_and_hochberg(p_values):
    adjusted = stats.false_discovery_control(p_values)
    for found, value in zip(discoveries(p_values), adjusted, strict=True):
        if abs(value - 0.1) > 1e-9:
            assert found == (value <= 0.1)


def test_gates_are_told_only_where_somebody_set_and_checked_them():
    low = a_value(5, reasons=("coverage_below_threshold",))
    assert is_unrepresentative(low) is True
    assert is_unrepresentative(a_value(5)) is False
    assert is_unrepresentative(a_value(5, reasons=("no_coverage_threshold",))) is None
    assert is_unreliable(a_value(5, reasons=("reliability_negative_below_90",))) is True
    assert is_unreliable(a_value(5, reasons=("expert_sample_negative_below_50",))) is None
    assert is_unreliable(a_value(5)) is False
