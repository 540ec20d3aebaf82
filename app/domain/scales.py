"""The scale registry: what a raw score means, which class it falls in, and its place in a histogram.

Cut points are data (domain.md 4.0) and versioned; an unknown scale is refused, never guessed, and the
score of one scale is never converted into the metric of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from app.domain.errors import InvalidError

HISTOGRAM_SLOTS: Final = 11
"""Width of a histogram: the longest scale, 0..10, has eleven values."""

_LONGEST_SCORE: Final = 32


class AnswerClass(StrEnum):
    """What an answer says about the customer, whatever the scale it was given on."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
    SILENT = "silent"
    UNKNOWN = "unknown"


class QuestionMeasure(StrEnum):
    """What a question measures; a metric reads the answers whose question has its measure."""

    NPS = "nps"
    CSAT = "csat"
    CES = "ces"
    STARS = "stars"
    HAPPINESS_ONLY = "happiness_only"
    STAFF = "staff"
    OFFICE = "office"
    RECOMMEND = "recommend"
    JOURNEY_OVERALL = "journey_overall"
    RESURVEY = "resurvey"


class ScoreRange(NamedTuple):
    """An inclusive range of raw values."""

    low: Decimal
    high: Decimal

    def holds(self, value: Decimal) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class ScaledValue:
    """A raw score read on its scale; `value` and `norm01` are None only for an unlabelled text."""

    value: Decimal | None
    norm01: float | None
    answer_class: AnswerClass
    top: bool = False
    bottom: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """One version of a scale: its values `minimum..maximum` by `step`, and where its classes begin.

    `reversed` scales have the low number as the good end (effort): classes and boxes are stated in raw
    values, while `norm01` and `score_of` are turned round before any mean. `labelled` scales take the
    name of a class ("positive") in place of a number; without a label the class is unknown.
    """

    id: str
    measure: QuestionMeasure
    minimum: Decimal
    maximum: Decimal
    negative: ScoreRange
    neutral: ScoreRange | None
    positive: ScoreRange
    top_box: ScoreRange
    bottom_box: ScoreRange
    step: Decimal = Decimal(1)
    reversed: bool = False
    labelled: bool = False
    off_by_default: bool = False
    version: int = 1

    def read(self, raw: int | float | str | Decimal | None) -> ScaledValue:
        """The meaning of a raw score. Raises InvalidError `score_outside_scale` (the cure names the range).

        A labelled scale takes None or "unknown" (class unknown) or the name of a class.
        """
        if self.labelled:
            return self._read_label(raw)
        value = self._number(raw)
        return ScaledValue(
            value=value,
            norm01=self.norm01(value),
            answer_class=self.class_of(value),
            top=self.top_box.holds(value),
            bottom=self.bottom_box.holds(value),
        )

    def class_of(self, value: Decimal) -> AnswerClass:
        """Class of a value of this scale (every value has exactly one, see the tests)."""
        if self.positive.holds(value):
            return AnswerClass.POSITIVE
        return AnswerClass.NEGATIVE if self.negative.holds(value) else AnswerClass.NEUTRAL

    def norm01(self, value: Decimal) -> float:
        """Position between the bad end (0) and the good end (1)."""
        share = float((value - self.minimum) / (self.maximum - self.minimum))
        return 1.0 - share if self.reversed else share

    @property
    def slot_count(self) -> int:
        """How many values the scale has; its slots are 0 .. slot_count - 1."""
        return int((self.maximum - self.minimum) / self.step) + 1

    def slot(self, value: Decimal | int) -> int:
        """Histogram column of a value: 0 for the minimum, then one for each step."""
        return int((Decimal(value) - self.minimum) / self.step)

    def value_of(self, slot: int) -> Decimal:
        """The raw value that a histogram column counts."""
        if not 0 <= slot < self.slot_count:
            raise ValueError(f"scale {self.id} has no slot {slot}")
        return self.minimum + slot * self.step

    def score_of(self, slot: int) -> Decimal:
        """The value that enters sums and means: the raw one, turned round on a reversed scale."""
        value = self.value_of(slot)
        return self.minimum + self.maximum - value if self.reversed else value

    def _number(self, raw: object) -> Decimal:
        value = _decimal(raw)
        if value is not None and self.minimum <= value <= self.maximum:
            nearest = self.minimum + round((value - self.minimum) / self.step) * self.step
            if value == nearest:
                return nearest
        raise InvalidError(
            "score_outside_scale",
            f"{_shown(raw)} is not a value of the scale {self.id}",
            cure=f"Send a number from {self.minimum} to {self.maximum} in steps of {self.step}.",
        )

    def _read_label(self, raw: object) -> ScaledValue:
        if raw is None or raw == AnswerClass.UNKNOWN:
            return ScaledValue(value=None, norm01=None, answer_class=AnswerClass.UNKNOWN)
        for name, value in _LABELS.items():
            if raw == name:
                return ScaledValue(value, self.norm01(value), name, top=value == 1, bottom=value == -1)
        raise InvalidError(
            "score_outside_scale",
            f"{_shown(raw)} is not a label of the scale {self.id}",
            cure="Send positive, neutral, negative or unknown, or leave the value out.",
        )


_LABELS: Final = {
    AnswerClass.NEGATIVE: Decimal(-1),
    AnswerClass.NEUTRAL: Decimal(0),
    AnswerClass.POSITIVE: Decimal(1),
}


def _decimal(raw: object) -> Decimal | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        return None
    if isinstance(raw, int) and abs(raw) > 10**_LONGEST_SCORE:
        return None
    text = str(raw).strip()
    if len(text) > _LONGEST_SCORE or not text.isascii() or "_" in text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _shown(raw: object) -> str:
    """A refused score as it may stand in a message: short, and never huge to print."""
    if isinstance(raw, int) and abs(raw) > 10**_LONGEST_SCORE:
        return "a number of that size"
    text = repr(raw) if isinstance(raw, str) else str(raw)
    return text if len(text) <= _LONGEST_SCORE else text[:_LONGEST_SCORE] + "…"


def _range(low: float, high: float) -> ScoreRange:
    return ScoreRange(Decimal(str(low)), Decimal(str(high)))


def _scale(
    scale_id: str,
    measure: QuestionMeasure,
    negative: tuple[float, float],
    neutral: tuple[float, float] | None,
    positive: tuple[float, float],
    *,
    top: tuple[float, float] | None = None,
    bottom: tuple[float, float] | None = None,
    step: float = 1,
    **flags: bool,
) -> Scale:
    return Scale(
        id=scale_id,
        measure=measure,
        minimum=_range(*min(negative, positive)).low,
        maximum=_range(*max(negative, positive)).high,
        negative=_range(*negative),
        neutral=None if neutral is None else _range(*neutral),
        positive=_range(*positive),
        top_box=_range(*(top or positive)),
        bottom_box=_range(*(bottom or negative)),
        step=Decimal(str(step)),
        **flags,
    )


_NPS, _CSAT, _CES = QuestionMeasure.NPS, QuestionMeasure.CSAT, QuestionMeasure.CES
_STARS, _HAPPINESS = QuestionMeasure.STARS, QuestionMeasure.HAPPINESS_ONLY

# Where a box differs from its class it is written out; such a bottom box mirrors the top box.
_ALL: Final = (
    _scale("nps_0_10", _NPS, (0, 6), (7, 8), (9, 10)),
    _scale("nps_1_10", _NPS, (1, 6), (7, 8), (9, 10), off_by_default=True),
    _scale("csat_1_5", _CSAT, (1, 2), (3, 3), (4, 5)),
    _scale("csat_1_7", _CSAT, (1, 3), (4, 4), (5, 7), top=(6, 7), bottom=(1, 2)),
    _scale("csat_1_10", _CSAT, (1, 5), (6, 7), (8, 10), top=(9, 10), bottom=(1, 2)),
    _scale("smiley_4", _CSAT, (1, 2), None, (3, 4)),
    _scale("stars_1_5", _STARS, (1, 2), (3, 3), (4, 5)),
    _scale("stars_half", _STARS, (1, 2), (2.5, 3.5), (4, 5), step=0.5),
    _scale("ces2_1_7", _CES, (1, 3), (4, 4), (5, 7)),
    _scale("ces_ease_1_5", _CES, (1, 2), (3, 3), (4, 5)),
    _scale("ces1_effort_1_5", _CES, (4, 5), (3, 3), (1, 2), reversed=True),
    _scale("button_3", _HAPPINESS, (-1, -1), (0, 0), (1, 1)),
    _scale("binary", _HAPPINESS, (0, 0), None, (1, 1)),
    _scale("text_only", _HAPPINESS, (-1, -1), (0, 0), (1, 1), labelled=True),
)

SCALES: Final[Mapping[str, Scale]] = MappingProxyType({scale.id: scale for scale in _ALL})


def get_scale(scale_id: str) -> Scale:
    """The current version of a scale. Raises InvalidError `unknown_scale`; the cure names the nearest."""
    scale = SCALES.get(scale_id)
    if scale is not None:
        return scale
    near = get_close_matches(scale_id[:64], SCALES, n=1, cutoff=0.0)
    raise InvalidError(
        "unknown_scale",
        f"there is no scale {_shown(scale_id)}",
        cure=f"The nearest is {near[0]!r}; the known scales are {', '.join(SCALES)}.",
    )


def default_measure_for(scale_id: str) -> QuestionMeasure:
    """What a question first met on this scale measures, until somebody says otherwise."""
    return get_scale(scale_id).measure
