"""Vectors R, P and Q of domain.md 5 with their digits, and survival against scipy."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.domain.measures.before_after import paired_delta, recurrence
from app.domain.measures.cell import Cell
from app.domain.measures.counters import ClassCounts
from app.domain.measures.group_differences import Pair, nps_difference, share_difference, stratified
from app.domain.measures.happiness import equal_channels, happiness_net, latent
from app.domain.measures.nps import spread
from app.domain.measures.paradox import repeat_ratio
from app.domain.measures.recovered import (
    ClosedCases,
    Durations,
    Group,
    OpenCases,
    PromisedOrders,
    ResolvedCases,
    ReturningCustomers,
)
from app.domain.measures.recovery import recovery_bounds
from app.domain.measures.registry import METRICS, get_metric
from app.domain.measures.statistics import round_half_away
from app.domain.measures.survival import quantile_of, survival_curve

HOUR = 3600.0
RESOLUTIONS = Durations(
    tuple(h * HOUR for h in (2, 5, 5, 8, 20, 30)), tuple(h * HOUR for h in (10, 24, 40, 60))
)
RESPONSES = Durations(tuple(m * 60.0 for m in (10, 30, 70, 15, 200, 45, 20, 300)), (24 * HOUR, 60 * HOUR))
# C04 was reopened (its final resolution counts), C05 stayed silent, C06 answered 3 of 5
RESOLVED = ResolvedCases(
    resolved=6, reopened=1, once=2, first_level=6, once_first_level=2, answered=5, recovered=3, silent=1,
    evaluable=5, failed=1, compensated=3, spent=170.0, currencies=1,
)  # fmt: skip
VECTOR_R = Cell(
    responses=RESPONSES,
    resolutions=RESOLUTIONS,
    resolved=RESOLVED,
    open_cases=OpenCases(tuple(h * HOUR for h in (10, 24, 40, 60)), overdue=2),
)


def digits(metric_id: str, cell: Cell = VECTOR_R, decimals: int = 1) -> float | None:
    value = METRICS[metric_id].compute(cell).value
    return None if value is None else round_half_away(value, decimals)


def test_vector_r_resolution_by_kaplan_meier():
    curve = survival_curve(RESOLUTIONS.ended, RESOLUTIONS.censored)
    assert [(step.at / HOUR, round(step.survival, 4)) for step in curve] == [
        (2, 0.9), (5, 0.7), (8, 0.6), (20, 0.48), (30, 0.32),
    ]  # fmt: skip
    assert digits("resolution_median") == 20
    assert digits("resolution_p90") is None
    p90 = METRICS["resolution_p90"].compute(VECTOR_R)
    assert p90.reasons == ("not_reached",)
    assert p90.parts["naive"] == 25.0
    assert METRICS["resolution_median"].compute(VECTOR_R).parts["naive"] == 6.5


def test_vector_r_first_response_counts_those_who_still_wait():
    assert digits("first_response_median") == 45
    assert digits("first_response_p90") is None
    median, p90 = (METRICS[f"first_response_{q}"].compute(VECTOR_R).parts for q in ("median", "p90"))
    assert (median["naive"], round(p90["naive"], 6)) == (37.5, 230)
    assert (median["ended"], median["waiting"]) == (8, 2)


def test_vector_r_recovery():
    assert digits("reopen_rate") == 16.7
    assert digits("fcr") == digits("fcr_net") == 33.3
    recovery = METRICS["recovery_rate"].compute(VECTOR_R)
    shown = (recovery.value, recovery.ci_low, recovery.ci_high)
    assert [round_half_away(x, 1) for x in shown] == [60.0, 23.1, 88.2]
    assert [round_half_away(x, 1) for x in recovery_bounds(RESOLVED)] == [50.0, 66.7]
    assert digits("double_deviation_rate") == 20
    assert digits("cost_per_resolved", decimals=2) == 28.33
    assert digits("cost_per_compensated", decimals=2) == 56.67


def test_vector_r_backlog():
    assert (digits("backlog_age_median"), digits("backlog_age_p90")) == (32, 54)
    parts = METRICS["backlog_age_median"].compute(VECTOR_R).parts
    assert parts == {"overdue": 2, "max_age": 60.0}
    assert (digits("cases_outstanding"), digits("cases_overdue")) == (4, 2)


def difference(top, n, other_top, other_n):
    return share_difference(Pair(Group(n, top), Group(other_n, other_top)), [])


def test_vector_p_the_paradox_is_claimed_only_with_enough_guests():
    few, many = difference(47, 50, 178, 200), difference(470, 500, 1780, 2000)
    for value, low, high, p_value, verdict in (
        (few, -5.84, 11.44, 0.29, "not_shown"),
        (many, 2.24, 7.28, 0.0009, "shown"),
    ):
        assert round_half_away(value.value, 1) == 5.0
        assert (round_half_away(value.ci_low, 2), round_half_away(value.ci_high, 2)) == (low, high)
        assert value.parts["p_value"] == pytest.approx(p_value, rel=0.05)
        assert value.reasons == (verdict,)
    assert difference(0, 0, 3, 4).value is None


def test_the_paradox_by_nps_is_the_difference_of_two_scores():
    # domain.md 4.1: 200/120/80 against 240/110/50 -> -17.50, z adjusted -3.308, p .0009
    here, there = Group(400, 200, 200, 80), Group(400, 240, 240, 50)
    value = nps_difference(Pair(here, there), [])
    assert (value.value, value.parts["other_nps"]) == (pytest.approx(-17.5), pytest.approx(47.5))
    assert value.parts["p_value"] == pytest.approx(0.0009, abs=0.00005)
    assert value.ci_high < 0
    assert value.reasons == ("not_shown",)
    better = nps_difference(Pair(there, here), [])
    assert (better.reasons, better.ci_low) == (("shown",), pytest.approx(-value.ci_high))
    assert nps_difference(Pair(here, Group()), []).reasons == ("nobody_to_compare",)


def test_segments_can_turn_a_difference_round():
    # each segment +10 points for the resolved; together -38, because most of them are of the harder one
    easy = Pair(Group(20, 20), Group(180, 162))  # 100 % against 90 %
    hard = Pair(Group(180, 72), Group(20, 6))  # 40 % against 30 %
    whole = Pair(easy.group.plus(hard.group), easy.other.plus(hard.other))
    value = share_difference(whole, [easy, hard, Pair(Group(5, 5), Group())])
    assert value.value == pytest.approx(100 * (92 / 200 - 168 / 200))
    assert value.parts["stratified"] == pytest.approx(10)
    # weights 18 and 18: var = (0.09/180 + 0.24/180 + 0.21/20) / 4
    half = 1.959964 * (((0.09 / 180) + (0.24 / 180) + (0.21 / 20)) / 4) ** 0.5 * 100
    assert value.parts["stratified_high"] == pytest.approx(10 + half)
    assert value.parts["strata"] == 2  # a segment with one side only says nothing


@given(st.integers(1, 50), st.integers(1, 50))
def test_one_segment_says_what_all_say(n, other_n):
    pair = Pair(Group(n, n // 2), Group(other_n, other_n // 3))
    found = stratified([pair], lambda group: spread(group.top, 0, group.n - group.top))
    assert found.difference == pytest.approx(200 * (n // 2 / n - other_n // 3 / other_n))
    assert stratified([Pair(Group(), Group(3, 1))], lambda group: spread(1, 0, 0)) is None


def test_vector_q_a_fix_that_worked():
    found = recurrence(48, 12_000, 15, 10_000)
    assert (round(found.ratio, 3), round(found.avoided)) == (0.375, 25)
    assert tuple(round(bound, 3) for bound in found.interval) == (0.210, 0.670)
    assert found.succeeded
    worse = recurrence(0, 1000, 3, 1000)
    assert worse.ratio == pytest.approx(7)  # 3.5 / 0.5
    assert (worse.avoided, worse.succeeded) == (-3, False)
    assert recurrence(3, 0, 1, 100) is None


@given(st.lists(st.integers(1, 40), max_size=30), st.lists(st.integers(1, 40), max_size=30))
def test_survival_and_its_bounds_are_scipys(ended, censored):
    curve = survival_curve(ended, censored)
    if not ended:
        assert curve == []
        return
    oracle = stats.ecdf(stats.CensoredData(uncensored=ended, right=censored)).sf
    at = [step.at for step in curve]
    assert [step.survival for step in curve] == pytest.approx(list(oracle.evaluate(at)), abs=1e-9)
    inner = [step for step in curve if 0 < step.survival < 1]
    if inner:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # undefined where nobody or everybody waits
            bounds = oracle.confidence_interval(confidence_level=0.95, method="log-log")
        for step in inner:
            assert step.low == pytest.approx(float(bounds.low.evaluate(step.at)), abs=1e-5)
            assert step.high == pytest.approx(float(bounds.high.evaluate(step.at)), abs=1e-5)


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=60))
def test_without_anybody_waiting_the_median_is_the_plain_one(ended):
    found = quantile_of(survival_curve(ended, ()), 0.5)
    assert found.value == sorted(ended)[(len(ended) + 1) // 2 - 1]
    assert found.low <= found.value
    assert found.high is None or found.high >= found.value


def test_a_pair_tells_more_than_two_means():
    pairs = [(2, 4), (3, 4), (1, 4), (5, 5)]
    found = paired_delta(pairs)
    oracle = stats.ttest_rel([after for _, after in pairs], [before for before, _ in pairs])
    assert (found.pairs, found.before, found.after, found.delta) == (4, 2.75, 4.25, 1.5)
    error = found.delta / oracle.statistic
    assert found.interval.high - found.delta == pytest.approx(1.959964 * error)
    assert paired_delta([]) is None
    assert paired_delta([(1, 2)]).interval is None


def test_answered_customers_speak_again():
    value = repeat_ratio(ReturningCustomers(40, 20, 40, 5))
    assert (value.value, value.n) == (4.0, 80)
    assert repeat_ratio(ReturningCustomers(40, 20, 40, 0)).value is None


def test_two_currencies_have_no_sum():
    mixed = RESOLVED._replace(currencies=2)
    value = METRICS["cost_per_resolved"].compute(Cell(resolved=mixed))
    assert (value.value, value.parts["spent"], value.reasons) == (None, None, ("several_currencies",))
    assert METRICS["redress_paid"].compute(Cell(closed=ClosedCases(closed=2, currencies=2))).value is None


def test_orders_are_late_told_and_gapped():
    orders = PromisedOrders(
        promised=10, delivered=8, late=3, delayed=4, told_first=3, gaps=(-3600.0, 0.0, 7200.0)
    )
    cell = Cell(orders=orders)
    assert (digits("late_share", cell), digits("proactive_notice_rate", cell)) == (30, 75)
    assert digits("expectation_gap_median", cell) == 0


def test_equal_channels_do_not_let_the_largest_drown_the_others():
    channels = {"kiosk": ClassCounts(900, 0, 100), "chat": ClassCounts(10, 0, 10), "app": ClassCounts(1)}
    value = equal_channels(channels)
    assert (value.value, value.reasons, value.parts) == (70.0, ("channels_left_out",), {"channels": 2})
    assert happiness_net(ClassCounts(60, 25, 15)).value == 45


def test_latent_dissatisfaction_is_a_range():
    value = latent(12, (0.05, 0.5))
    assert (value.value, value.ci_low, value.ci_high) == (240, 24, 240)
    assert latent(None, (0.05, 0.5)).value is None


def test_a_change_of_latent_dissatisfaction_is_told_in_its_own_unit():
    metric = get_metric("latent_negatives")
    found = metric.compare(Cell(unsolicited=12), Cell(unsolicited=2))
    assert found.difference == 240 - 40
    assert metric.compare(Cell(unsolicited=12), Cell()).difference is None
