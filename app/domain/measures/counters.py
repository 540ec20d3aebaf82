"""The additive counters that every feedback metric is derived from: add first, divide last.

Nothing here is a rate: counters of two hours, stores or channels add up to the counters of both, and a
score is computed from the sum (domain.md 4.0: never average scores).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple, Self

from app.domain.scales import HISTOGRAM_SLOTS, Scale, ScoreRange, get_scale

NO_SLOTS: Final = (0,) * HISTOGRAM_SLOTS


class Layout(NamedTuple):
    """Where the classes of a scale stand in its histogram, and what each column is worth."""

    positive: slice
    negative: slice
    top: slice
    bottom: slice
    scores: tuple[float, ...]
    squares: tuple[float, ...]


@cache
def layout_of(scale_id: str) -> Layout:
    """The layout of a scale's histogram."""
    scale = get_scale(scale_id)
    scores = tuple(float(scale.score_of(slot)) for slot in range(scale.slot_count))
    return Layout(
        positive=_slots(scale, scale.positive),
        negative=_slots(scale, scale.negative),
        top=_slots(scale, scale.top_box),
        bottom=_slots(scale, scale.bottom_box),
        scores=scores,
        squares=tuple(score * score for score in scores),
    )


def _slots(scale: Scale, values: ScoreRange) -> slice:
    return slice(scale.slot(values.low), scale.slot(values.high) + 1)


@dataclass(frozen=True, slots=True)
class Counters:
    """Answers to questions of one measure on ONE scale.

    `slots` counts the answers by value (histogram columns of the scale, unused ones 0), `unknown` those
    without a class (an unlabelled text), `silent` the asked who gave none, `not_reached` the undelivered.
    `items` counts feedback items, of which an answer is one part, at the first answer of each; so do
    `complaints`.
    """

    scale_id: str
    slots: tuple[int, ...] = NO_SLOTS
    unknown: int = 0
    silent: int = 0
    not_reached: int = 0
    items: int = 0
    complaints: int = 0

    @classmethod
    def of(cls, scale_id: str, answers: Mapping[int | float, int]) -> Self:
        """Counters of a histogram written by value: `Counters.of("csat_1_5", {5: 42, 4: 32})`."""
        scale = get_scale(scale_id)
        slots = [0] * HISTOGRAM_SLOTS
        for value, count in answers.items():
            slots[scale.slot(Decimal(str(value)))] += count
        return cls(scale_id, tuple(slots), items=sum(slots))

    def __add__(self, other: Self) -> Counters:
        if other.scale_id != self.scale_id:
            raise ValueError(f"answers on {self.scale_id} and {other.scale_id} have no common score")
        return Counters(
            scale_id=self.scale_id,
            slots=tuple(a + b for a, b in zip(self.slots, other.slots, strict=True)),
            unknown=self.unknown + other.unknown,
            silent=self.silent + other.silent,
            not_reached=self.not_reached + other.not_reached,
            items=self.items + other.items,
            complaints=self.complaints + other.complaints,
        )

    @property
    def n(self) -> int:
        """Answers with a value: skipped, silent, undelivered and unknown ones are not in it."""
        return sum(self.slots)

    @property
    def positive(self) -> int:
        return sum(self.slots[layout_of(self.scale_id).positive])

    @property
    def negative(self) -> int:
        return sum(self.slots[layout_of(self.scale_id).negative])

    @property
    def neutral(self) -> int:
        return self.by_class()[1]

    def by_class(self) -> tuple[int, int, int]:
        """Positive, neutral and negative answers; on the scale of NPS promoters, passives and detractors."""
        layout, slots = layout_of(self.scale_id), self.slots
        positive, negative = sum(slots[layout.positive]), sum(slots[layout.negative])
        return positive, sum(slots) - positive - negative, negative

    @property
    def top(self) -> int:
        return sum(self.slots[layout_of(self.scale_id).top])

    @property
    def bottom(self) -> int:
        return sum(self.slots[layout_of(self.scale_id).bottom])

    @property
    def total(self) -> float:
        """Sum of the scores (turned round on a reversed scale); exact, scores are halves or wholes."""
        scores = layout_of(self.scale_id).scores
        return sum(count * score for count, score in zip(self.slots, scores, strict=False))

    @property
    def total_squares(self) -> float:
        squares = layout_of(self.scale_id).squares
        return sum(count * square for count, square in zip(self.slots, squares, strict=False))

    def classes(self) -> ClassCounts:
        """The same answers by class, which is what may be added up across scales."""
        positive, neutral, negative = self.by_class()
        return ClassCounts(
            positive=positive,
            neutral=neutral,
            negative=negative,
            unknown=self.unknown,
            silent=self.silent,
            not_reached=self.not_reached,
            items=self.items,
            complaints=self.complaints,
        )


class ClassCounts(NamedTuple):
    """Answers of any scales by class."""

    positive: int = 0
    neutral: int = 0
    negative: int = 0
    unknown: int = 0
    silent: int = 0
    not_reached: int = 0
    items: int = 0
    complaints: int = 0

    def plus(self, other: ClassCounts) -> ClassCounts:
        return ClassCounts(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def n(self) -> int:
        """Answers with a class."""
        return self.positive + self.neutral + self.negative

    @property
    def survey_acts(self) -> int:
        """S of the coverage indices: everyone who was reached and asked, the silent with them."""
        return self.items + self.silent
