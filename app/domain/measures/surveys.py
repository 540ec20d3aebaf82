"""Survey acts of one key question by outcome, force majeure and cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from operator import add, sub
from typing import Final, NamedTuple

CAUSE_ROOTS: Final = ("staff", "office_process", "product_price", "external", "customer_error")
"""The quality groups of the cause tree (domain.md 1); a cause belongs to the group before its first dot."""


class Outcomes(NamedTuple):
    """Survey acts by outcome; the undelivered are never among them."""

    positive: int = 0
    neutral: int = 0
    negative: int = 0
    silent: int = 0

    @property
    def n(self) -> int:
        return sum(self)

    @property
    def answered(self) -> int:
        return self.positive + self.neutral + self.negative

    def minus(self, other: Outcomes) -> Outcomes:
        return Outcomes(*map(sub, self, other))

    def plus(self, other: Outcomes) -> Outcomes:
        return Outcomes(*map(add, self, other))


class ExpertReview(NamedTuple):
    """Answers that the independent expert looked at, and those found credible, by class."""

    checked_positive: int = 0
    ok_positive: int = 0
    checked_negative: int = 0
    ok_negative: int = 0


NO_ACTS: Final = Outcomes()
NO_REVIEW: Final = ExpertReview()


@dataclass(frozen=True, slots=True)
class SurveyCounts:
    """The acts of one key question: `acts` are S (without those found invalid).

    `force_majeure` are the confirmed ones among them, `claimed` those that an employee only claims;
    `causes` counts the negative ones without confirmed force majeure by cause group. `by_type` are the same
    acts by the type of location that the tenant's terms name ("": any other); empty where they name none.
    """

    acts: Outcomes = NO_ACTS
    force_majeure: Outcomes = NO_ACTS
    claimed: int = 0
    invalid: int = 0
    causes: Mapping[str, int] = field(default_factory=dict)
    review: ExpertReview = NO_REVIEW
    by_type: Mapping[str, SurveyCounts] = field(default_factory=dict)

    def eligible(self, excluded: Collection[str]) -> Outcomes:
        """S - FM - X: without force majeure and without negatives of the excluded cause groups."""
        kept = self.acts.minus(self.force_majeure)
        return kept._replace(negative=kept.negative - self.excluded(excluded))

    def of_type(self, location_type: str) -> SurveyCounts:
        """The same acts, known to be of one type of location."""
        return replace(self, by_type={location_type: self})

    def plus(self, other: SurveyCounts) -> SurveyCounts:
        """Both together; of each type of location at most one of them holds acts."""
        return SurveyCounts(
            acts=self.acts.plus(other.acts),
            force_majeure=self.force_majeure.plus(other.force_majeure),
            claimed=self.claimed + other.claimed,
            invalid=self.invalid + other.invalid,
            causes=Counter(self.causes) + Counter(other.causes),
            review=ExpertReview(*map(add, self.review, other.review)),
            by_type={**self.by_type, **other.by_type},
        )

    def excluded(self, causes: Collection[str]) -> int:
        return sum(self.causes.get(cause, 0) for cause in causes)
