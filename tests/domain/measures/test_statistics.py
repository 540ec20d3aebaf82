"""Closed formulas against published digits (domain.md 4 and 5) and against scipy."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.domain.measures.poisson import gamma_share, poisson_interval
from app.domain.measures.statistics import (
    mean_interval,
    newcombe,
    normal_test,
    percentile,
    round_half_away,
    rounded_column,
    sample_variance,
    two_proportion_test,
    wilson,
)
from app.domain.measures.survival import quantile_of, survival_curve


def rounded(interval, digits):
    return tuple(round_half_away(bound, digits) for bound in interval)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (10, 10, 0.7225, 1.0),
        (0, 10, 0.0, 0.2775),
        (60, 100, 0.5020, 0.6906),
        (45, 50, 0.7864, 0.9565),
    ],
)
def test_wilson_gives_the_published_bounds(successes, n, low, high):
    assert rounded(wilson(successes, n), 4) == (low, high)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy_and_holds_the_share(case):
    successes, n = case
    low, high = wilson(successes, n)
    oracle = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert low == pytest.approx(oracle.low, abs=1e-6)
    assert high == pytest.approx(oracle.high, abs=1e-6)
    assert 0 <= low <= successes / n <= high <= 1


def test_change_of_proportions_gives_the_published_digits():
    low, high = newcombe(74, 107, 60, 100)
    assert (round_half_away(100 * low, 2), round_half_away(100 * high, 2)) == (-3.82, 21.78)
    z, p_value = two_proportion_test(74, 107, 60, 100)
    assert z is not None
    assert (round_half_away(z, 3), round_half_away(p_value, 3)) == (1.378, 0.168)


@pytest.mark.parametrize(
    ("counts", "low", "high", "p_value"),
    [((47, 50, 178, 200), -5.84, 11.44, 0.29), ((470, 500, 1780, 2000), 2.24, 7.28, 0.0009)],
)
def test_vector_p_the_recovery_paradox_is_shown_only_with_enough_guests(counts, low, high, p_value):
    interval = newcombe(*counts).scaled(100)
    assert rounded(interval, 2) == (low, high)
    assert two_proportion_test(*counts).p_value == pytest.approx(p_value, rel=0.05)
    assert (interval.low > 0) == (p_value < 0.05)


def test_two_equal_certainties_do_not_differ_and_two_unequal_ones_do():
    assert two_proportion_test(10, 10, 20, 20) == (None, 1.0)
    assert normal_test(4.0, 0.0) == (None, 0.0)


def test_the_p_value_of_a_normal_test_is_scipys():
    for z in (0.0, 0.5, 1.959964, 3.3, 8.0):
        assert normal_test(-z, 1.0).p_value == pytest.approx(2 * stats.norm.sf(z), rel=1e-9)


@given(st.lists(st.integers(1, 10), min_size=2, max_size=60))
def test_mean_interval_is_the_sample_mean_and_deviation(values):
    interval = mean_interval(len(values), sum(values), sum(v * v for v in values))
    assert interval is not None
    mean, error = statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values))
    assert interval.low == pytest.approx(mean - 1.959964 * error, abs=1e-6)
    assert interval.high == pytest.approx(mean + 1.959964 * error, abs=1e-6)


def test_one_value_has_a_mean_but_no_interval():
    assert sample_variance(1, 5, 25) is None
    assert mean_interval(1, 5, 25) is None


@pytest.mark.parametrize("count", [0, 1, 2, 5, 10, 48, 100, 1_000, 50_000])
def test_the_poisson_interval_is_exact(count):
    low, high = poisson_interval(count)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0, rel=1e-9)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, rel=1e-9)


def test_vector_r_ten_complaints_in_2500_sales_are_4_per_thousand():
    assert rounded(poisson_interval(10).scaled(1000 / 2500), 2) == (1.92, 7.36)


def test_a_negative_count_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="never negative"):
        poisson_interval(-1)


@given(st.floats(0.1, 500), st.floats(0, 1000))
def test_the_incomplete_gamma_function_is_scipys(shape, x):
    assert gamma_share(shape, x) == pytest.approx(stats.gamma.cdf(x, shape), abs=1e-10)


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (2.5, 0, 3.0),
        (-2.5, 0, -3.0),
        (0.125, 2, 0.13),
        (-0.125, 2, -0.13),
        (2.675, 2, 2.68),  # the decimal that is written, not its binary neighbour below
        (-0.001, 2, 0.0),
        (1e-9, 4, 0.0),
    ],
)
def test_numbers_are_rounded_half_away_from_zero(value, digits, shown):
    rounded_value = round_half_away(value, digits)
    assert rounded_value == shown
    assert math.copysign(1, rounded_value) == (-1 if shown < 0 else 1)


def test_percentiles_are_type_7():
    ages = [10.0, 24.0, 40.0, 60.0]  # vector R: the backlog
    assert percentile(ages, 0.5) == 32
    assert percentile(ages, 0.9) == pytest.approx(54)
    assert percentile(ages, 1.0) == 60
    assert percentile([7.0], 0.9) == 7
    assert percentile([], 0.5) is None


def survival_quantile(durations: list[tuple[float, bool]], q: float) -> float | None:
    ended = [length for length, is_over in durations if is_over]
    censored = [length for length, is_over in durations if not is_over]
    return quantile_of(survival_curve(ended, censored), q).value


VECTOR_R_RESOLUTION = [
    (2.0, True),
    (5.0, True),
    (5.0, True),
    (8.0, True),
    (20.0, True),
    (30.0, True),
    (10.0, False),
    (24.0, False),
    (40.0, False),
    (60.0, False),
]
VECTOR_R_FIRST_RESPONSE = [
    *((float(minutes), True) for minutes in (10, 30, 70, 15, 200, 45, 20, 300)),
    (24 * 60.0, False),
    (60 * 60.0, False),
]


def test_vector_r_resolution_time_counts_the_open_cases_too():
    assert survival_quantile(VECTOR_R_RESOLUTION, 0.5) == 20
    assert survival_quantile(VECTOR_R_RESOLUTION, 0.9) is None
    resolved_only = sorted(length for length, ended in VECTOR_R_RESOLUTION if ended)
    assert percentile(resolved_only, 0.5) == 6.5
    assert percentile(resolved_only, 0.9) == 25.0


def test_vector_r_first_response_counts_the_never_answered():
    assert survival_quantile(VECTOR_R_FIRST_RESPONSE, 0.5) == 45
    assert survival_quantile(VECTOR_R_FIRST_RESPONSE, 0.9) is None
    answered = sorted(length for length, ended in VECTOR_R_FIRST_RESPONSE if ended)
    assert percentile(answered, 0.5) == 37.5
    assert percentile(answered, 0.9) == pytest.approx(230)


def test_survival_is_met_exactly_at_its_share():
    ten = [(float(length), True) for length in range(1, 11)]
    assert survival_quantile(ten, 0.5) == 5
    assert survival_quantile(ten, 0.9) == 9
    assert survival_quantile([], 0.5) is None


@given(
    st.lists(st.tuples(st.integers(1, 30).map(float), st.booleans()), min_size=1, max_size=40),
    st.sampled_from([0.25, 0.5, 0.9]),
)
def test_survival_quantiles_agree_with_scipy(durations, q):
    data = stats.CensoredData(
        uncensored=[length for length, ended in durations if ended],
        right=[length for length, ended in durations if not ended],
    )
    sf = stats.ecdf(data).sf
    reached = [t for t, s in zip(sf.quantiles, sf.probabilities, strict=True) if s <= 1 - q + 1e-9]
    assert survival_quantile(durations, q) == (reached[0] if reached else None)


_EIGHTHS = st.integers(-2000, 2000).map(lambda eighths: eighths / 8)


@given(
    st.lists(st.none() | _EIGHTHS | st.floats(-1e6, 1e6) | st.sampled_from([-0.0, 1.005, 2.675, 1e12 + 0.5])),
    st.sampled_from([0, 2, 3, 4]),
)
def test_a_column_is_rounded_as_its_values_are(values, digits):
    one_by_one = [None if value is None else round_half_away(value, digits) for value in values]
    assert rounded_column(values, digits) == one_by_one
