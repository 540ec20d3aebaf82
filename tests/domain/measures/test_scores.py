"""NPS, CSAT, CES, stars and happiness against the vectors of domain.md 4."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.measures.cell import AnswerKey, Cell
from app.domain.measures.counters import Counters
from app.domain.measures.nps import (
    Spread,
    adjusted,
    adjusted_wald,
    difference_test,
    nps_of,
    spread,
    wald_margin,
)
from app.domain.measures.registry import METRICS, get_metric
from app.domain.measures.statistics import round_half_away
from app.domain.measures.values import MetricStatus
from app.domain.scales import SCALES, QuestionMeasure


def nps_counters(promoters: int, passives: int, detractors: int) -> Counters:
    return Counters.of("nps_0_10", {10: promoters, 8: passives, 3: detractors})


def a_cell(counters: Counters, measure: QuestionMeasure) -> Cell:
    return Cell(answers={AnswerKey(measure, counters.scale_id): counters})


def shown(value, digits=2):
    interval = value.interval and tuple(round_half_away(bound, digits) for bound in value.interval)
    return round_half_away(value.value, digits), interval


# domain.md 4.1: P / Pa / D -> NPS, var, Wald margin, adjusted-Wald interval
NPS_VECTORS = [
    ((75, 5, 20), 55.00, 0.6475, 15.77, (37.81, 68.99)),
    ((30, 50, 20), 10.00, 0.4900, 13.72, (-3.82, 23.24)),
    ((2, 2, 6), -40.00, 0.6400, 49.58, (-74.12, 12.59)),
    ((162, 108, 54), 33.33, 0.5556, 8.12, (24.95, 41.11)),
    ((14, 0, 14), 0.00, 1.0000, 37.04, (-34.34, 34.34)),
    ((8, 12, 8), 0.00, 0.5714, 28.00, (-26.45, 26.45)),
    ((9, 0, 2), 63.64, 0.5950, 45.59, (8.00, 92.00)),
    ((10, 0, 0), 100.00, 0.0, 0.0, (47.50, 100.0)),
]


@pytest.mark.parametrize(("answers", "score", "variance", "margin", "interval"), NPS_VECTORS)
def test_nps_gives_the_published_digits(answers, score, variance, margin, interval):
    assert shown(nps_of(nps_counters(*answers))) == (score, interval)
    assert round_half_away(spread(*answers).variance, 4) == variance
    assert round_half_away(wald_margin(*answers), 2) == margin


def test_nps_of_nobody_is_null_and_not_zero():
    for counters in (None, nps_counters(0, 0, 0)):
        value = nps_of(counters)
        assert (value.value, value.interval, value.status) == (None, None, MetricStatus.NO_DATA)


def test_seven_is_a_passive_and_six_a_detractor():
    assert nps_of(Counters.of("nps_0_10", {7: 10})).value == 0
    assert nps_of(Counters.of("nps_0_10", {6: 10})).value == -100


# domain.md 4.1: A, B -> raw difference, z and p of Wald, z and p of adjusted, verdict
NPS_CHANGES = [
    ((20, 0, 10), (12, 0, 18), 53.33, (2.148, 0.0317), (2.085, 0.0371), "up"),
    ((50, 30, 20), (40, 35, 25), 15.00, (1.348, 0.1775), (1.331, 0.1833), "no_change"),
    ((200, 120, 80), (240, 110, 50), -17.50, (-3.323, 0.0009), (-3.308, 0.0009), "down"),
    ((123, 456, 789), (321, 654, 987), -14.74, (-6.042, 0.0), (-6.022, 0.0), "down"),
]


def z_and_p(now: Spread, before: Spread) -> tuple[float, float]:
    z, p_value = difference_test(now, before)
    assert z is not None
    return round_half_away(z, 3), round_half_away(p_value, 4)


@pytest.mark.parametrize(("now", "before", "difference", "wald", "adjusted_test", "verdict"), NPS_CHANGES)
def test_a_change_of_nps_gives_the_published_digits(now, before, difference, wald, adjusted_test, verdict):
    assert z_and_p(spread(*now), spread(*before)) == wald
    assert z_and_p(adjusted(*now), adjusted(*before)) == adjusted_test
    comparison = get_metric("nps").compare(
        a_cell(nps_counters(*now), QuestionMeasure.NPS), a_cell(nps_counters(*before), QuestionMeasure.NPS)
    )
    assert comparison.difference is not None
    assert comparison.interval is not None
    assert round_half_away(comparison.difference, 2) == difference
    assert comparison.verdict == verdict
    assert (comparison.interval.low > 0 or comparison.interval.high < 0) == (verdict != "no_change")


def test_a_change_between_too_few_answers_claims_nothing():
    few, many = nps_counters(29, 0, 0), nps_counters(0, 0, 30)
    comparison = get_metric("nps").compare(
        a_cell(few, QuestionMeasure.NPS), a_cell(many, QuestionMeasure.NPS)
    )
    assert comparison.verdict == "not_enough_data"


@given(st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300)).filter(any))
def test_the_adjusted_interval_stays_on_the_scale_and_in_order(answers):
    low, high = adjusted_wald(*answers)
    assert -100 <= low < high <= 100


CSAT_VECTORS = [
    ("csat_1_5", {5: 42, 4: 32, 3: 10, 2: 9, 1: 14}, 107, (69.16, (59.87, 77.12)), (3.738, (3.474, 4.003))),
    ("csat_1_5", {5: 10, 4: 20, 3: 10, 2: 5, 1: 5}, 50, (60.0, (46.18, 72.39)), (3.5, (3.163, 3.837))),
]


@pytest.mark.parametrize(("scale_id", "answers", "n", "top", "mean"), CSAT_VECTORS)
def test_csat_gives_the_published_digits(scale_id, answers, n, top, mean):
    cell = a_cell(Counters.of(scale_id, answers), QuestionMeasure.CSAT)
    share, average = get_metric("csat_t2b").compute(cell), get_metric("csat_mean").compute(cell)
    assert (share.n, average.n) == (n, n)
    assert shown(share) == top
    assert shown(average, 3) == mean
    assert share.value is not None
    assert round_half_away(69.16, 0) == 69  # what Delighted shows for the first of them


def test_the_whole_journey_has_a_score_that_no_touchpoint_enters():
    counters = Counters.of("csat_1_5", {5: 42, 4: 32, 3: 10, 2: 9, 1: 14})
    cell = a_cell(counters, QuestionMeasure.JOURNEY_OVERALL)
    assert shown(METRICS["journey_t2b"].compute(cell)) == (69.16, (59.87, 77.12))
    assert shown(METRICS["journey_mean"].compute(cell), 3) == (3.738, (3.474, 4.003))
    assert METRICS["csat_t2b"].compute(cell).value is None
    assert METRICS["journey_t2b"].compute(a_cell(counters, QuestionMeasure.CSAT)).value is None


def test_csat_on_ten_points_has_its_own_top_box():
    answers = {2: 10, 3: 30, 4: 100, 5: 130, 6: 150, 7: 115, 8: 255, 9: 140, 10: 70}
    counters = Counters.of("csat_1_10", answers)
    cell = a_cell(counters, QuestionMeasure.CSAT)
    assert get_metric("csat_t2b").compute(cell).value == 21.0
    assert get_metric("csat_mean").compute(cell).value == 6.865
    assert counters.total == 6865


def test_ces_2_gives_the_published_digits():
    counters = Counters.of("ces2_1_7", {1: 4, 2: 6, 3: 10, 4: 15, 5: 25, 6: 30, 7: 10})
    cell = a_cell(counters, QuestionMeasure.CES)
    assert shown(get_metric("ces_mean").compute(cell), 3) == (4.81, (4.505, 5.115))
    easy = get_metric("ces_easy").compute(cell)
    assert (easy.value, easy.parts) == (65.0, {"easy": 65, "hard": 20})


def test_ces_1_is_turned_from_effort_to_ease():
    counters = Counters.of("ces1_effort_1_5", {1: 30, 2: 25, 3: 20, 4: 15, 5: 10})
    cell = a_cell(counters, QuestionMeasure.CES)
    assert get_metric("ces_mean").compute(cell).value == 3.5
    assert get_metric("ces_easy").compute(cell).value == 55.0
    scale = SCALES["ces1_effort_1_5"]
    norms = [scale.norm01(scale.value_of(slot)) * count for slot, count in enumerate(counters.slots[:5])]
    assert sum(norms) / counters.n == pytest.approx(0.6250)


def test_two_scales_of_one_measure_are_never_averaged():
    cell = Cell(
        answers={
            AnswerKey(QuestionMeasure.CES, scale): Counters.of(scale, {3: 10})
            for scale in ("ces2_1_7", "ces1_effort_1_5")
        }
    )
    with pytest.raises(ValueError, match="2 scales"):
        get_metric("ces_mean").compute(cell)
    with pytest.raises(ValueError, match="no common score"):
        Counters.of("ces2_1_7", {3: 1}) + Counters.of("ces_ease_1_5", {3: 1})


def test_a_metric_reads_only_answers_of_its_own_measure():
    stars = a_cell(Counters.of("stars_1_5", {5: 40}), QuestionMeasure.STARS)
    assert get_metric("stars_mean").compute(stars).value == 5
    for metric_id in ("nps", "csat_t2b", "csat_mean", "ces_mean"):
        assert get_metric(metric_id).compute(stars).value is None


def test_happiness_counts_every_scale_and_channel_by_class():
    # 60 positive, 25 neutral, 15 negative over three scales; 7 texts without a label, 9 silent
    cell = Cell(
        answers={
            AnswerKey(QuestionMeasure.NPS, "nps_0_10"): Counters.of("nps_0_10", {9: 20, 7: 20, 2: 5}),
            AnswerKey(QuestionMeasure.STARS, "stars_1_5"): Counters.of("stars_1_5", {4: 30, 1: 10}),
            AnswerKey(QuestionMeasure.HAPPINESS_ONLY, "button_3"): Counters(
                "button_3", Counters.of("button_3", {1: 10, 0: 5}).slots, unknown=7, silent=9
            ),
        }
    )
    value = get_metric("happiness").compute(cell)
    assert value.n == 100
    assert shown(value) == (60.0, (50.20, 69.06))
    assert value.parts == {"positive": 60, "neutral": 25, "negative": 15, "unknown": 7}
    assert get_metric("happiness_without_neutral").compute(cell).value == 80.0


def test_rolling_up_adds_counters_and_never_averages_scores():
    store_a, store_b = nps_counters(10, 0, 0), nps_counters(30, 30, 30)
    assert (nps_of(store_a).value, nps_of(store_b).value) == (100, 0)
    assert nps_of(store_a + store_b).value == 10.0


@pytest.mark.parametrize(
    ("n", "status"),
    [(4, "suppressed"), (5, "low_n"), (29, "low_n"), (30, "ok")],
)
def test_a_score_is_hidden_below_5_and_doubtful_below_30(n, status):
    assert nps_of(nps_counters(n, 0, 0)).status == status


histograms = st.dictionaries(st.integers(0, 10), st.integers(0, 50), max_size=11)


@given(histograms, histograms)
def test_counters_of_the_sum_are_the_sum_of_the_counters(first, second):
    a, b = Counters.of("nps_0_10", first), Counters.of("nps_0_10", second)
    both = a + b
    for name in ("n", "positive", "neutral", "negative", "top", "bottom", "total", "total_squares", "items"):
        assert getattr(both, name) == getattr(a, name) + getattr(b, name)
    assert both.classes() == a.classes().plus(b.classes())
    answers = [value for histogram in (first, second) for value, k in histogram.items() for _ in range(k)]
    assert both.total == sum(answers)
    assert both.total_squares == sum(value * value for value in answers)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.id)
def test_an_empty_cell_gives_null_with_the_parts_that_are_declared(metric):
    value = metric.compute(Cell())
    assert (value.value, value.n, value.status) == (None, 0, MetricStatus.NO_DATA)
    assert tuple(value.parts) == metric.parts
