"""Volumes, coverage, cases and deadlines; what may be published; the registry itself."""

import pytest

from app.domain.errors import InvalidError
from app.domain.measures.cell import AnswerKey, Cell, OpenedCases, TimerCounts, VolumeCounts
from app.domain.measures.comparison import Verdict, compare_shares
from app.domain.measures.counters import Counters
from app.domain.measures.definition import DIMENSIONS_OF, Dimension
from app.domain.measures.recovered import ClosedCases
from app.domain.measures.registry import METRICS, get_metric
from app.domain.measures.statistics import round_half_away
from app.domain.measures.values import MetricStatus, published, withheld
from app.domain.scales import QuestionMeasure


def value_of(metric_id: str, cell: Cell) -> float | None:
    return get_metric(metric_id).compute(cell).value


def a_location(*, positive: int, neutral: int, negative: int, silent: int, **volumes: int) -> Cell:
    slots = (negative, neutral, positive, *(0,) * 8)
    answered = positive + neutral + negative
    counters = Counters("button_3", slots, silent=silent, not_reached=11, items=answered, complaints=negative)
    return Cell(
        answers={AnswerKey(QuestionMeasure.STAFF, "button_3"): counters},
        volumes=VolumeCounts(**volumes) if volumes else None,
    )


def test_vector_i_the_volume_ratios():
    cell = a_location(positive=124, neutral=8, negative=22, silent=42, visitors=500, transactions=90)
    shown = {
        metric_id: round_half_away(value_of(metric_id, cell) or 0, 4)
        for metric_id in ("coverage", "precise_conversion", "surveys_per_transaction", "raw_conversion")
    }
    assert shown == {
        "coverage": 0.3920,  # 196 / 500: the 42 silent are in it, the 11 not reached are not
        "precise_conversion": 0.4592,
        "surveys_per_transaction": 2.1778,
        "raw_conversion": 0.1800,
    }
    assert value_of("survey_acts", cell) == 196
    assert value_of("raw_conversion", cell) == pytest.approx(
        (value_of("precise_conversion", cell) or 0) * (value_of("coverage", cell) or 0)
    )


def test_a_ratio_to_nothing_is_null_and_says_why():
    no_feed = a_location(positive=1, neutral=0, negative=0, silent=0)
    nobody_came = a_location(positive=1, neutral=0, negative=0, silent=0, visitors=0, transactions=3)
    for cell in (no_feed, nobody_came):
        coverage = get_metric("coverage").compute(cell)
        assert (coverage.value, coverage.reasons) == (None, ("no_visitors",))
    nobody_asked = Cell(volumes=VolumeCounts(visitors=5))
    assert get_metric("coverage").compute(nobody_asked).reasons == ("no_survey_acts",)


def test_more_surveys_than_visitors_is_kept_with_a_warning():
    cell = a_location(positive=30, neutral=0, negative=0, silent=0, visitors=20)
    coverage = get_metric("coverage").compute(cell)
    assert (coverage.value, coverage.reasons) == (1.5, ("above_one",))


def test_vector_r_complaint_rate_is_per_thousand_sales():
    opened = OpenedCases(opened=12, complaints=10)
    rate = get_metric("complaint_rate").compute(Cell(opened=opened, volumes=VolumeCounts(transactions=2500)))
    assert rate.value == 4.0
    assert rate.interval is not None
    assert tuple(round_half_away(bound, 2) for bound in rate.interval) == (1.92, 7.36)
    assert value_of("complaint_rate", Cell(opened=opened, volumes=VolumeCounts(interactions=500))) == 20.0
    both = VolumeCounts(transactions=1000, interactions=50)
    assert value_of("complaint_rate", Cell(opened=opened, volumes=both)) == 10.0
    unsold = get_metric("complaint_rate").compute(Cell(opened=opened))
    assert (unsold.value, unsold.reasons, unsold.parts["complaints"]) == (None, ("no_exposure",), 10)


def test_sales_without_a_complaint_are_a_rate_of_zero_and_feedback_is_no_complaint_case():
    sold = VolumeCounts(transactions=1000)
    rate = get_metric("complaint_rate").compute(Cell(opened=OpenedCases(opened=2), volumes=sold))
    assert (rate.value, rate.reasons) == (0.0, ())
    assert rate.interval is not None
    assert round_half_away(rate.interval.high, 2) == 3.69  # -ln(0.025)
    told = a_location(positive=0, neutral=0, negative=9, silent=0, transactions=1000)
    unopened = get_metric("complaint_rate").compute(told)
    assert (unopened.value, unopened.reasons, value_of("complaints", told)) == (0.0, ("no_cases",), 9)


def test_volumes_without_a_feed_are_null_and_counted_zeros_are_zero():
    cell = Cell(volumes=VolumeCounts(visitors=0))
    assert value_of("visitors", cell) == 0
    assert value_of("transactions", cell) is None


def test_answers_items_and_complaints_are_three_counts():
    nps = Counters("nps_0_10", (0,) * 10 + (4,), items=4)
    comments = Counters("text_only", unknown=3, items=1, complaints=1)
    cell = Cell(
        answers={
            AnswerKey(QuestionMeasure.NPS, "nps_0_10"): nps,
            AnswerKey(QuestionMeasure.HAPPINESS_ONLY, "text_only"): comments,
        }
    )
    assert value_of("responses", cell) == 7
    assert value_of("feedback_count", cell) == 5
    assert value_of("complaints", cell) == 1
    assert value_of("silent", cell) == 0


def test_vector_r_attainment_counts_open_past_due_as_breached_and_leaves_pending_out():
    # resolution: met C01-C05, late C06, open past due C09 C10, pending C07 and C08 (exactly at due)
    cell = Cell(timers=TimerCounts(met=5, closed_late=1, open_overdue=2, pending=2))
    value = get_metric("sla_attainment").compute(cell)
    assert (value.value, value.n) == (62.5, 8)
    assert value.parts == {"met": 5, "breached": 3, "pending": 2}
    assert value_of("sla_breached", cell) == 3
    assert value_of("closed_late", cell) == 1
    assert value_of("open_overdue", cell) == 2
    first_response = TimerCounts(met=5, closed_late=3, open_overdue=2)
    assert value_of("sla_attainment", Cell(timers=first_response)) == 50.0


def test_attainment_of_nothing_decided_is_null():
    only_pending = get_metric("sla_attainment").compute(Cell(timers=TimerCounts(pending=3)))
    assert (only_pending.value, only_pending.status) == (None, MetricStatus.NO_DATA)


def test_vector_r_unanswered_share():
    cell = Cell(opened=OpenedCases(opened=12, answerable=10, unanswered=2))
    assert value_of("unanswered_share", cell) == 20.0
    assert value_of("cases_opened", cell) == 12
    assert value_of("cases_closed", Cell(closed=ClosedCases(6))) == 6


def test_a_suppressed_value_shows_n_only_unless_the_reader_may_read_rows():
    few = get_metric("nps").compute(
        Cell(answers={AnswerKey(QuestionMeasure.NPS, "nps_0_10"): Counters.of("nps_0_10", {10: 3, 0: 1})})
    )
    outside = published(few, with_parts=False)
    assert (outside.value, outside.interval, outside.n) == (None, None, 4)
    assert set(outside.parts.values()) == {None}
    inside = published(few, with_parts=True)
    assert (inside.value, inside.interval) == (None, None)
    assert inside.parts["promoters"] == 3


def test_an_open_value_is_published_as_it_is_and_may_be_withheld():
    enough = get_metric("sla_attainment").compute(Cell(timers=TimerCounts(met=30)))
    assert published(enough, with_parts=False) == enough
    hidden = withheld(enough)
    assert (hidden.value, hidden.n, hidden.status) == (None, 30, MetricStatus.SUPPRESSED)


def test_vector_p_verdicts():
    assert compare_shares(47, 50, 178, 200).verdict is Verdict.NO_CHANGE
    shown = compare_shares(470, 500, 1780, 2000)
    assert shown.verdict is Verdict.UP
    assert shown.difference == pytest.approx(5.0)
    assert compare_shares(0, 0, 1, 1).verdict is Verdict.NOT_ENOUGH_DATA


def test_a_mean_without_any_spread_still_changes():
    fives, ones = (
        Cell(answers={AnswerKey(QuestionMeasure.CSAT, "csat_1_5"): Counters.of("csat_1_5", {value: 40})})
        for value in (5, 1)
    )
    assert get_metric("csat_mean").compare(ones, fives).verdict is Verdict.DOWN
    assert get_metric("csat_mean").compare(fives, fives).verdict is Verdict.NO_CHANGE


def test_counts_have_a_difference_and_no_verdict():
    now, before = Cell(closed=ClosedCases(7)), Cell(closed=ClosedCases(9))
    comparison = get_metric("cases_closed").compare(now, before)
    assert (comparison.difference, comparison.verdict) == (-2, None)
    assert get_metric("cases_closed").compare(now, Cell()).difference is None


def test_an_unknown_metric_is_refused_and_the_nearest_named():
    with pytest.raises(InvalidError) as refused:
        get_metric("npss")
    assert refused.value.reason == "unknown_metric"
    assert "'nps'" in refused.value.cure


def test_scores_split_by_scale_and_mode_and_happiness_does_not():
    scores = {metric.id for metric in METRICS.values() if metric.is_score}
    assert {"nps", "csat_t2b", "csat_mean", "ces_mean", "ces_easy", "stars_mean"} <= scores
    assert "happiness" not in scores
    for metric in METRICS.values():
        if metric.is_score:
            assert {Dimension.COLLECTION_MODE, Dimension.SCALE_ID} <= metric.dimensions


def test_a_metric_of_two_populations_has_only_the_dimensions_of_both():
    assert get_metric("coverage").dimensions == {
        Dimension.CHANNEL,
        Dimension.TOUCHPOINT,
        Dimension.LOCATION,
        Dimension.EMPLOYEE,
        Dimension.SEGMENT,
        Dimension.PRODUCT,
    }
    assert Dimension.SOURCE in get_metric("visitors").dimensions
    assert Dimension.TIMER not in get_metric("cases_opened").dimensions
    assert Dimension.QUESTION not in get_metric("feedback_count").dimensions


def test_every_dimension_belongs_to_some_population():
    assert set(Dimension) == frozenset().union(*DIMENSIONS_OF.values())


def test_contacts_are_counted_for_each_sale():
    cell = Cell(volumes=VolumeCounts(transactions=80, interactions=20))
    assert value_of("contact_rate", cell) == 0.25
    assert METRICS["contact_rate"].compute(Cell(volumes=VolumeCounts(interactions=20))).reasons == (
        "no_transactions",
    )


def test_the_indices_name_their_part_of_the_scorecard():
    parts = {metric.id: metric.bsc for metric in METRICS.values() if metric.bsc}
    assert parts == {"iel": "customer", "ink_office": "internal_process"}
