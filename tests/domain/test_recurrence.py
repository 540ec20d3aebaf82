"""Recurring failures: five cases, or a rise that chance does not explain; what weighs most."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from app.domain.recurrence import find_candidate, rise_p, weight


@pytest.mark.parametrize(
    ("cases", "before", "exposure", "rule"),
    [
        (5, 0, (), "many_cases"),
        (5, 50, (), "many_cases"),
        (4, 0, (), None),  # 1/16 = 6.25 %
        (4, 0, (1000, 2000), "rate_rose"),  # (1/3)^4 = 1.2 %
        (4, 1, (), None),
        (1, 0, (1, 1000), None),
        (3, 0, (1000, 2000), "rate_rose"),  # (1/3)^3 = 3.7 %
        (3, 0, (2000, 1000), None),
        (4, 0, (0, 0), None),
        (0, 9, (), None),
    ],
)
def test_a_cause_recurs_with_five_cases_or_a_significant_rise(cases, before, exposure, rule):
    found = find_candidate(cases, before, *exposure)
    assert (found.rule if found else None) == rule


@given(cases=st.integers(0, 40), before=st.integers(0, 40), share=st.floats(0.05, 0.95))
def test_the_exact_test_agrees_with_another_implementation(cases, before, share):
    if cases + before:
        expected = binomtest(cases, cases + before, share, alternative="greater").pvalue
        assert rise_p(cases, before, share) == pytest.approx(expected, abs=1e-12)


def test_huge_counts_neither_overflow_nor_take_long():
    assert rise_p(10**9, 10**9) == pytest.approx(0.5, abs=0.05)
    assert rise_p(2 * 10**9, 10**9) < 1e-9


def test_graver_cases_weigh_more():
    assert weight({"sev1": 1, "sev2": 1, "sev3": 1, "sev4": 1}) == 10
    assert weight({}) == weight({"odd": 3}) == 0
