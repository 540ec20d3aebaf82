"""One cell of an answer: everything that was counted for one group in one bucket, before any division."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.measures.counters import ClassCounts, Counters
from app.domain.measures.recovered import (
    ClosedCases,
    ComparedCustomers,
    DisplayedRatings,
    Durations,
    OpenCases,
    PromisedOrders,
    PublishedReviews,
    Replies,
    ResolvedCases,
    ReturningCustomers,
    TimedCases,
)
from app.domain.measures.surveys import SurveyCounts
from app.domain.measures.terms import DEFAULT_TERMS, Terms
from app.domain.scales import QuestionMeasure

Strata = Mapping[str, ComparedCustomers]
"""Compared customers by their segment ("": none)."""


class AnswerKey(NamedTuple):
    """What keeps answers apart inside a cell."""

    measure: QuestionMeasure
    scale_id: str


@dataclass(frozen=True, slots=True)
class VolumeCounts:
    """How many came, bought and were dealt with; None where no feed told us."""

    visitors: int | None = None
    transactions: int | None = None
    interactions: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedCases:
    """Cases by the time they were opened (a cohort), as they stand at as_of.

    `answerable` leaves out withdrawn, duplicate and invalid ones; `unanswered` are those of them that no
    human has replied to. `complaints` are those of that kind, without the invalid, the duplicates and the
    merged: each complaint once.
    """

    opened: int = 0
    answerable: int = 0
    unanswered: int = 0
    proactive: int = 0
    complaints: int = 0


@dataclass(frozen=True, slots=True)
class TimerCounts:
    """Timer cycles by the time they were due (a cohort), as they stand at as_of.

    A cycle is exactly one of met, closed_late, open_overdue, pending, cancelled; the two in the middle
    are the breached ones.
    """

    met: int = 0
    closed_late: int = 0
    open_overdue: int = 0
    pending: int = 0
    cancelled: int = 0

    @property
    def breached(self) -> int:
        return self.closed_late + self.open_overdue

    @property
    def decided(self) -> int:
        return self.met + self.breached


@dataclass(frozen=True, slots=True)
class Cell:
    """The counters of one group in one bucket; None (or no entry) where its population is empty.

    `terms` are the tenant's, and `coverage_min` the threshold of them that holds for this group.
    """

    answers: Mapping[AnswerKey, Counters] = field(default_factory=dict)
    volumes: VolumeCounts | None = None
    opened: OpenedCases | None = None
    closed: ClosedCases | None = None
    timers: TimerCounts | None = None
    timed_cases: TimedCases | None = None
    surveys: Mapping[QuestionMeasure, SurveyCounts] = field(default_factory=dict)
    responses: Durations | None = None
    resolutions: Durations | None = None
    resolved: ResolvedCases | None = None
    open_cases: OpenCases | None = None
    returning: ReturningCustomers | None = None
    compared_customers: Mapping[QuestionMeasure, Strata] = field(default_factory=dict)
    comebacks: Strata = field(default_factory=dict)
    overdue_cases: Replies | None = None
    overdue_reviews: Replies | None = None
    orders: PromisedOrders | None = None
    reviews: PublishedReviews | None = None
    displayed: DisplayedRatings | None = None
    channels: Mapping[str, ClassCounts] = field(default_factory=dict)
    unsolicited: int | None = None
    terms: Terms = DEFAULT_TERMS
    coverage_min: float | None = None

    def counters(self, measure: QuestionMeasure, scale_ids: Collection[str]) -> Counters | None:
        """The answers of one measure on one of these scales; None when there are none.

        Raises ValueError when the cell holds several of the scales: their scores may not be mixed, the
        query must group by scale.
        """
        found = [
            counters
            for key, counters in self.answers.items()
            if key.measure is measure and key.scale_id in scale_ids
        ]
        if len(found) > 1:
            raise ValueError(f"a cell holds {measure} answers on {len(found)} scales")
        return found[0] if found else None

    def classes(self) -> ClassCounts | None:
        """All answers by class, across measures and scales; None when there are none."""
        if not self.answers:
            return None
        total = ClassCounts()
        for counters in self.answers.values():
            total = total.plus(counters.classes())
        return total
