"""Vector I of domain.md 3.6 with its digits, the gates of 3.4, and what must always hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.measures.cell import Cell, VolumeCounts
from app.domain.measures.registry import METRICS
from app.domain.measures.silent_indices import Weight, iel, iel_2013, ink
from app.domain.measures.statistics import round_half_away
from app.domain.measures.surveys import ExpertReview, Outcomes, SurveyCounts
from app.domain.measures.terms import LocationType, SilentMode, SilentTerms, Terms
from app.domain.measures.values import MetricStatus
from app.domain.scales import QuestionMeasure

# 200 acts, 4 of them found invalid -> S = 196; 10 confirmed force majeure
ACTS = Outcomes(positive=124, neutral=8, negative=22, silent=42)
FORCE_MAJEURE = Outcomes(positive=2, neutral=0, negative=6, silent=2)
REVIEWED = ExpertReview(60, 58, 50, 46)
COUNTS = SurveyCounts(ACTS, FORCE_MAJEURE, claimed=3, invalid=4, review=REVIEWED)
MEASURES = (QuestionMeasure.STAFF, QuestionMeasure.OFFICE, QuestionMeasure.RECOMMEND)
VECTOR_I = Cell(
    surveys=dict.fromkeys(MEASURES, COUNTS),
    volumes=VolumeCounts(visitors=500, transactions=90),
    coverage_min=0.3,
)


def shown(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round_half_away(value, digits)


def reviewed(*review: int) -> dict[str, object]:
    return {"surveys": {QuestionMeasure.STAFF: replace(COUNTS, review=ExpertReview(*review))}}


def at(acts: Outcomes, k: float, sample: int | None = None) -> list[Weight]:
    """All silent acts at one k."""
    return [Weight(acts.silent, k, sample)]


def with_silent(cell: Cell, **silent: object) -> Cell:
    return replace(cell, terms=Terms(silent=SilentTerms(**silent)))


@pytest.mark.parametrize(
    ("silent", "ink_digits", "iel_digits"),
    [
        ({"fixed_k": 0.0}, (8.60, 4.57, 12.63), (52.04, 42.40, 61.68)),
        ({}, (19.35, 14.76, 23.95), (41.33, 30.24, 52.42)),
        ({"fixed_k": 1.0}, (30.11, 23.52, 36.70), (30.61, 17.59, 43.64)),
        (
            {"mode": SilentMode.CALIBRATED, "followed_up": 60, "dissatisfied": 21},
            (16.13, 11.17, 21.09),
            (44.54, 33.63, 55.45),
        ),
    ],
)
def test_vector_i_gives_the_digits_of_every_k(silent, ink_digits, iel_digits):
    cell = with_silent(VECTOR_I, **silent)
    for metric_id, digits in (("ink_personal", ink_digits), ("ink_office", ink_digits), ("iel", iel_digits)):
        value = METRICS[metric_id].compute(cell)
        assert (shown(value.value), shown(value.ci_low), shown(value.ci_high)) == digits, metric_id


def test_vector_i_standard_errors():
    eligible = ACTS.minus(FORCE_MAJEURE)
    assert eligible == Outcomes(122, 8, 16, 40)
    errors = [ink(eligible, at(eligible, k)).error for k in (0.0, 0.5, 1.0)] + [
        ink(eligible, at(eligible, 0.35, 60)).error
    ]
    assert [shown(100 * error) for error in errors] == [2.06, 2.35, 3.36, 2.53]
    errors = [iel(ACTS, at(ACTS, k)).error for k in (0.0, 0.5, 1.0)] + [iel(ACTS, at(ACTS, 0.35, 60)).error]
    assert [shown(100 * error) for error in errors] == [4.92, 5.66, 6.65, 5.56]


def test_vector_i_with_silents_like_answerers_is_the_answered_share():
    value = METRICS["ink_personal"].compute(with_silent(VECTOR_I, mode=SilentMode.MAR))
    assert shown(value.value) == 10.96  # 16 / 146
    assert value.ci_low < value.value < value.ci_high


def test_vector_i_bounds_and_k_stand_beside_the_value():
    parts = METRICS["ink_personal"].compute(VECTOR_I).parts
    assert (shown(parts["at_k0"]), shown(parts["at_k1"]), parts["k"]) == (8.60, 30.11, 0.5)
    assert (parts["force_majeure"], parts["silent"], parts["excluded"]) == (10, 40, 0)


def test_vector_i_what_stands_beside_the_indices():
    def digits(metric_id: str, decimals: int = 2) -> float | None:
        return shown(METRICS[metric_id].compute(VECTOR_I).value, decimals)

    assert digits("fm_level") == 5.10
    assert [digits(f"negative_per_{what}") for what in ("visitor", "contact", "transaction")] == [
        4.40,
        11.22,
        24.44,
    ]
    assert digits("iel_2013") == 66.23
    assert iel_2013(Outcomes(silent=3)) is None
    assert digits("reliability_positive") == 96.67


def test_causes_that_are_not_the_staffs_leave_numerator_and_denominator():
    counts = replace(COUNTS, causes={"office_process": 3, "customer_error": 2, "staff": 1})
    cell = replace(VECTOR_I, surveys={QuestionMeasure.STAFF: counts, QuestionMeasure.OFFICE: counts})
    personal, office = METRICS["ink_personal"].compute(cell), METRICS["ink_office"].compute(cell)
    assert (personal.n, personal.parts["negative"], personal.parts["excluded"]) == (181, 11, 5)
    assert (office.n, office.parts["negative"], office.parts["excluded"]) == (185, 15, 1)
    assert shown(personal.value, 4) == shown(100 * (11 + 0.5 * 40) / 181, 4)


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({}, MetricStatus.OK, None),
        ({"coverage_min": None}, MetricStatus.UNVERIFIED, "no_coverage_threshold"),
        ({"coverage_min": 0.5}, MetricStatus.LOW_COVERAGE, "coverage_below_threshold"),
        ({"volumes": None}, MetricStatus.UNVERIFIED, "no_visitors"),
        ({"volumes": VolumeCounts(visitors=100)}, MetricStatus.OK, "coverage_above_one"),
        ({"terms": Terms(force_majeure_max=0.05)}, MetricStatus.UNRELIABLE, "force_majeure_above_maximum"),
        (
            reviewed(49, 49, 50, 50),
            MetricStatus.UNVERIFIED,
            "expert_sample_positive_below_50",
        ),
        (reviewed(60, 60, 60, 53), MetricStatus.UNRELIABLE, "reliability_negative_below_90"),
        (reviewed(50, 45, 50, 45), MetricStatus.OK, None),
    ],
)
def test_an_index_is_a_kpi_only_behind_its_gates(change, status, reason):
    value = METRICS["ink_personal"].compute(replace(VECTOR_I, **change))
    assert value.status is status
    assert value.reasons == (() if reason is None else (reason,))


def test_the_vendors_example_fails_both_gates_and_the_worst_is_the_status():
    counts = replace(COUNTS, review=ExpertReview(30, 15, 60, 60))
    value = METRICS["iel"].compute(replace(VECTOR_I, surveys={QuestionMeasure.RECOMMEND: counts}))
    assert value.status is MetricStatus.UNRELIABLE
    assert value.reasons == ("expert_sample_positive_below_50", "reliability_positive_below_90")


def test_a_calibration_on_fewer_than_50_stays_fixed_and_says_so():
    cell = with_silent(VECTOR_I, mode=SilentMode.CALIBRATED, followed_up=49, dissatisfied=40)
    value = METRICS["ink_personal"].compute(cell)
    assert (value.parts["k"], value.reasons) == (0.5, ("calibration_below_50",))
    smoothed = SilentTerms(SilentMode.CALIBRATED, followed_up=60, dissatisfied=21, smoothed=True)
    assert smoothed.coefficient(ACTS).k == pytest.approx(31 / 80)


DESK = LocationType(("kyiv",), SilentTerms(SilentMode.CALIBRATED, followed_up=60, dissatisfied=21))
OF_DESK = SurveyCounts(Outcomes(positive=50, neutral=4, negative=6, silent=40)).of_type("desk")
OF_HALL = SurveyCounts(Outcomes(positive=60, neutral=10, negative=10, silent=20)).of_type("")


def test_a_k_holds_for_its_type_of_location_only():
    """By hand: (6 + 10 + 0.35 * 40 + 0.5 * 20) / 200 = 40 / 200; the k of all silents is 24 / 60.

    Variance (16 + 0.1225 * 40 + 0.25 * 20) / 200 - 0.04 = 0.0895; with the error of the measured k,
    (40/200)^2 * 0.35 * 0.65 / 60 = 0.000151667, se = sqrt(0.0895 / 200 + 0.000151667) = 0.024477.
    """
    cell = Cell(
        surveys={QuestionMeasure.STAFF: OF_DESK.plus(OF_HALL)},
        terms=Terms(silent=SilentTerms(location_types={"desk": DESK})),
    )
    value = METRICS["ink_personal"].compute(cell)
    assert (value.n, shown(value.value), value.parts["k"]) == (200, 20.0, 0.4)
    assert shown((value.ci_high - value.ci_low) / 2) == 4.80  # 1.959964 * 2.4477
    loyalty = METRICS["iel"].compute(
        replace(cell, surveys={QuestionMeasure.RECOMMEND: OF_DESK.plus(OF_HALL)})
    )
    assert shown(loyalty.value) == 35.0  # (110 - 16 - 24) / 200


def test_the_k_of_a_type_is_that_of_the_present_terms_on_both_sides():
    terms = Terms(silent=SilentTerms(location_types={"desk": DESK}))
    now = Cell(surveys={QuestionMeasure.STAFF: OF_DESK.plus(OF_HALL)}, terms=terms)
    only_hall = Cell(surveys={QuestionMeasure.STAFF: OF_HALL}, terms=Terms())
    found = METRICS["ink_personal"].compare(now, only_hall)
    assert shown(found.difference) == 0.0  # 20 % against (10 + 0.5 * 20) / 100
    assert METRICS["ink_personal"].compare(now, replace(now, terms=Terms())).difference == 0.0


def test_another_k_alone_is_no_change():
    before = with_silent(VECTOR_I, fixed_k=0.2)
    found = METRICS["ink_personal"].compare(with_silent(VECTOR_I, fixed_k=0.9), before)
    assert (found.difference, found.verdict.value) == (0.0, "no_change")
    worse = replace(COUNTS, acts=ACTS._replace(positive=64, negative=82))
    change = METRICS["ink_personal"].compare(
        replace(VECTOR_I, surveys={QuestionMeasure.STAFF: worse}), VECTOR_I
    )
    assert change.verdict.value == "up"
    assert change.interval.low > 0


def test_nobody_asked_is_null_and_few_are_suppressed():
    assert METRICS["iel"].compute(Cell()).value is None
    few = SurveyCounts(Outcomes(3, 0, 1, 0))
    assert METRICS["iel"].compute(Cell(surveys={QuestionMeasure.RECOMMEND: few})).status == "suppressed"


counts_of = st.integers(0, 400)


@given(st.builds(Outcomes, counts_of, counts_of, counts_of, counts_of), st.floats(0, 1))
def test_an_index_lies_between_its_bounds_and_moves_one_way_with_k(acts, k):
    if acts.n == 0:
        return
    assert (
        ink(acts, at(acts, 0)).value
        <= ink(acts, at(acts, k)).value + 1e-12
        <= ink(acts, at(acts, 1)).value + 2e-12
    )
    assert (
        iel(acts, at(acts, 1)).value
        <= iel(acts, at(acts, k)).value + 1e-12
        <= iel(acts, at(acts, 0)).value + 2e-12
    )
    assert 0 <= ink(acts, at(acts, k)).value <= 1
    assert -1 <= iel(acts, at(acts, k)).value <= 1
    scores = [-1.0] * acts.negative + [-k] * acts.silent + [1.0] * acts.positive + [0.0] * acts.neutral
    mean = sum(scores) / acts.n
    variance = sum((score - mean) ** 2 for score in scores) / acts.n
    assert iel(acts, at(acts, k)).value == pytest.approx(mean, abs=1e-9)
    assert iel(acts, at(acts, k)).error == pytest.approx((variance / acts.n) ** 0.5, abs=1e-9)
