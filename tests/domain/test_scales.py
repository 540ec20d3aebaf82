"""The scale registry: cut points at their edges, and raw scores of every shape."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidError
from app.domain.scales import (
    HISTOGRAM_SLOTS,
    SCALES,
    AnswerClass,
    QuestionMeasure,
    Scale,
    default_measure_for,
    get_scale,
)

POSITIVE, NEUTRAL, NEGATIVE = AnswerClass.POSITIVE, AnswerClass.NEUTRAL, AnswerClass.NEGATIVE

# domain.md 4.0, both sides of every cut point: (scale, negatives, neutrals, positives, top box)
CUT_POINTS = [
    ("nps_0_10", [0, 6], [7, 8], [9, 10], [9, 10]),
    ("nps_1_10", [1, 6], [7, 8], [9, 10], [9, 10]),
    ("csat_1_5", [1, 2], [3], [4, 5], [4, 5]),
    ("stars_1_5", [1, 2], [3], [4, 5], [4, 5]),
    ("stars_half", [1, 1.5, 2], [2.5, 3, 3.5], [4, 4.5, 5], [4, 4.5, 5]),
    ("csat_1_7", [1, 3], [4], [5, 7], [6, 7]),
    ("csat_1_10", [1, 5], [6, 7], [8, 10], [9, 10]),
    ("smiley_4", [1, 2], [], [3, 4], [3, 4]),
    ("ces2_1_7", [1, 3], [4], [5, 7], [5, 7]),
    ("ces_ease_1_5", [1, 2], [3], [4, 5], [4, 5]),
    ("ces1_effort_1_5", [4, 5], [3], [1, 2], [1, 2]),
    ("button_3", [-1], [0], [1], [1]),
    ("binary", [0], [], [1], [1]),
]


@pytest.mark.parametrize(("scale_id", "negatives", "neutrals", "positives", "top"), CUT_POINTS)
def test_cut_points_fall_where_the_method_puts_them(scale_id, negatives, neutrals, positives, top):
    scale = get_scale(scale_id)
    for answer_class, values in ((NEGATIVE, negatives), (NEUTRAL, neutrals), (POSITIVE, positives)):
        for value in values:
            answer = scale.read(value)
            assert (value, answer.answer_class) == (value, answer_class)
            assert (value, answer.top) == (value, value in top)


@pytest.mark.parametrize("scale", SCALES.values(), ids=lambda scale: scale.id)
def test_every_value_of_a_scale_has_one_class_and_one_slot(scale: Scale):
    values = [scale.value_of(slot) for slot in range(scale.slot_count)]
    assert len(values) <= HISTOGRAM_SLOTS
    for slot, value in enumerate(values):
        holding = [r for r in (scale.negative, scale.neutral, scale.positive) if r and r.holds(value)]
        assert len(holding) == 1
        assert scale.slot(value) == slot
    assert values[0] == scale.minimum
    assert values[-1] == scale.maximum
    with pytest.raises(ValueError, match="no slot"):
        scale.value_of(scale.slot_count)


@pytest.mark.parametrize("scale", SCALES.values(), ids=lambda scale: scale.id)
def test_norm01_grows_with_the_score_and_agrees_with_the_class(scale: Scale):
    by_score = sorted(range(scale.slot_count), key=scale.score_of)
    norms = [scale.norm01(scale.value_of(slot)) for slot in by_score]
    assert norms == sorted(norms)
    assert (norms[0], norms[-1]) == (0.0, 1.0)
    order = [AnswerClass.NEGATIVE, AnswerClass.NEUTRAL, AnswerClass.POSITIVE]
    classes = [order.index(scale.class_of(scale.value_of(slot))) for slot in by_score]
    assert classes == sorted(classes)


def test_the_effort_scale_is_turned_round_before_any_mean():
    scale = get_scale("ces1_effort_1_5")
    assert scale.read(1).norm01 == 1.0
    assert scale.score_of(scale.slot(1)) == 5
    assert scale.read(5).bottom


@pytest.mark.parametrize("raw", [9, 9.0, "9", " 9 ", "9.0", "9e0", Decimal("9.00")])
def test_a_score_is_read_from_any_number_shape(raw):
    answer = get_scale("nps_0_10").read(raw)
    assert answer.value == 9
    assert answer.answer_class is POSITIVE


@pytest.mark.parametrize(
    "raw",
    [
        11,
        -1,
        7.5,
        True,
        None,
        "",
        "nine",
        "9/10",
        "1_0",
        "٣",
        "9\x00",
        float("nan"),
        float("inf"),
        "NaN",
        "sNaN",
        "-Infinity",
        "1e999999999",
        "1e-999999999",
        "1e-99999999999999999999",
        "9.00000000000000000000000000000001",
        "9" * 10_000,
        10**5_000,
        -(10**5_000),
        [9],
        {"value": 9},
    ],
    ids=lambda raw: type(raw).__name__ + (raw[:12] if isinstance(raw, str) else ""),
)
def test_what_is_not_a_value_of_the_scale_is_refused_with_its_range(raw):
    with pytest.raises(InvalidError) as refused:
        get_scale("nps_0_10").read(raw)
    assert refused.value.reason == "score_outside_scale"
    assert "from 0 to 10" in refused.value.cure
    assert len(refused.value.detail) < 120


def test_half_stars_are_values_and_quarter_stars_are_not():
    assert get_scale("stars_half").read("3.5").value == Decimal("3.5")
    with pytest.raises(InvalidError, match="stars_half"):
        get_scale("stars_half").read(3.25)
    with pytest.raises(InvalidError, match="stars_1_5"):
        get_scale("stars_1_5").read(3.5)


def test_a_text_has_no_class_until_somebody_labels_it():
    scale = get_scale("text_only")
    assert scale.read(None).answer_class is AnswerClass.UNKNOWN
    assert scale.read(None).value is None
    assert scale.read("negative").answer_class is NEGATIVE
    assert scale.read("positive").top
    for refused in ("angry", 1, "silent"):
        with pytest.raises(InvalidError, match="not a label"):
            scale.read(refused)


def test_an_unknown_scale_is_refused_and_the_nearest_named():
    with pytest.raises(InvalidError) as refused:
        get_scale("nps010")
    assert refused.value.reason == "unknown_scale"
    assert "'nps_0_10'" in refused.value.cure


def test_only_the_non_standard_nps_is_off_by_default():
    assert [scale.id for scale in SCALES.values() if scale.off_by_default] == ["nps_1_10"]


def test_a_scale_suggests_what_its_questions_measure():
    assert default_measure_for("nps_0_10") is QuestionMeasure.NPS
    assert default_measure_for("ces1_effort_1_5") is QuestionMeasure.CES
    assert default_measure_for("smiley_4") is QuestionMeasure.CSAT
    assert default_measure_for("stars_half") is QuestionMeasure.STARS
    assert default_measure_for("text_only") is QuestionMeasure.HAPPINESS_ONLY
    with pytest.raises(InvalidError):
        default_measure_for("faces_9")


@given(st.text(max_size=60) | st.floats() | st.integers() | st.decimals())
def test_reading_anything_gives_a_value_of_the_scale_or_a_refusal(raw):
    scale = get_scale("csat_1_7")
    try:
        answer = scale.read(raw)
    except InvalidError as refused:
        assert refused.reason == "score_outside_scale"
    else:
        assert answer.value in {Decimal(value) for value in range(1, 8)}
