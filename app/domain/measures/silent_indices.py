"""The silent indices ИНК and ИЭЛ: dissatisfaction and loyalty in which silence counts (domain.md 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, verdict_of
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.gates import INDEX_GATES, gate
from app.domain.measures.statistics import Z_95, Interval, normal_test, wilson
from app.domain.measures.surveys import Outcomes, SurveyCounts
from app.domain.measures.terms import Coefficient, SilentMode
from app.domain.measures.values import MetricValue, no_value
from app.domain.scales import QuestionMeasure

_PARTS: Final = (
    "positive",
    "neutral",
    "negative",
    "silent",
    "force_majeure",
    "excluded",
    "k",
    "at_k0",
    "at_k1",
)


class Estimate(NamedTuple):
    """An index as a fraction, with its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> Interval:
        return Interval(self.value - Z_95 * self.error, self.value + Z_95 * self.error)


def ink(acts: Outcomes, k: float, calibrated_by: int | None = None) -> Estimate:
    """(negative + k * silent) / n; a k measured on `calibrated_by` silents adds its own error. n > 0."""
    value = (acts.negative + k * acts.silent) / acts.n
    variance = (acts.negative + k * k * acts.silent) / acts.n - value * value
    return Estimate(value, _error(variance, acts, k, calibrated_by))


def iel(acts: Outcomes, k: float, calibrated_by: int | None = None) -> Estimate:
    """(positive - negative - k * silent) / n, in the same manner. n > 0."""
    value = (acts.positive - acts.negative - k * acts.silent) / acts.n
    variance = (acts.positive + acts.negative + k * k * acts.silent) / acts.n - value * value
    return Estimate(value, _error(variance, acts, k, calibrated_by))


def _error(variance: float, acts: Outcomes, k: float, calibrated_by: int | None) -> float:
    squared = max(0.0, variance) / acts.n
    if calibrated_by:
        squared += (acts.silent / acts.n) ** 2 * k * (1 - k) / calibrated_by
    return sqrt(squared)


def iel_2013(acts: Outcomes) -> float | None:
    """The vendor's index of 2013, without the silent: (positive - negative) / answered; None for nobody."""
    return (acts.positive - acts.negative) / acts.answered if acts.answered else None


@dataclass(frozen=True, slots=True)
class _Index:
    """Which question an index reads, what it leaves out, and its formula."""

    measure: QuestionMeasure
    estimate: Callable[[Outcomes, float, int | None], Estimate]
    low: float
    excluded: tuple[str, ...] | None = None

    def counts(self, cell: Cell) -> SurveyCounts | None:
        return cell.surveys.get(self.measure)

    def eligible(self, counts: SurveyCounts) -> Outcomes:
        return counts.acts if self.excluded is None else counts.eligible(self.excluded)

    def interval(self, acts: Outcomes, found: Estimate, used: Coefficient) -> Interval:
        if used.mode is SilentMode.MAR and self.low == 0.0:
            return wilson(acts.negative, acts.answered)  # then the index is the share among answerers
        return Interval(max(self.low, found.interval.low), min(1.0, found.interval.high))

    def compute(self, cell: Cell) -> MetricValue:
        """The index in percent, with the k that was used and the bounds that no k can leave."""
        counts = self.counts(cell)
        acts = Outcomes() if counts is None else self.eligible(counts)
        if counts is None or acts.n == 0:
            return no_value(dict.fromkeys(_PARTS))
        used = cell.terms.silent.coefficient(acts)
        found = self.estimate(acts, used.k, used.sample)
        status, reasons = gate(acts.n, counts, cell)
        dropped = 0 if self.excluded is None else counts.excluded(self.excluded)
        return MetricValue(
            value=100 * found.value,
            n=acts.n,
            interval=self.interval(acts, found, used).scaled(100),
            status=status,
            reasons=(*reasons, *used.reasons),
            parts={
                **acts._asdict(),
                "force_majeure": counts.force_majeure.n,
                "excluded": dropped,
                "k": used.k,
                "at_k0": 100 * self.estimate(acts, 0.0, None).value,
                "at_k1": 100 * self.estimate(acts, 1.0, None).value,
            },
        )

    def compare(self, now: Cell, before: Cell) -> Comparison:
        """Two periods at the k that holds for both; a k made of the period's own answers compares nothing."""
        a, b = self.counts(now), self.counts(before)
        if a is None or b is None:
            return NOT_COMPARABLE
        acts_now, acts_before = self.eligible(a), self.eligible(b)
        if acts_now.n == 0 or acts_before.n == 0:
            return NOT_COMPARABLE
        used = now.terms.silent.coefficient(acts_now)
        first = self.estimate(acts_now, used.k, None)
        second = self.estimate(acts_before, used.k, None)
        difference = first.value - second.value
        error = sqrt(first.error**2 + second.error**2)
        p_value = normal_test(difference, error).p_value
        return Comparison(
            difference=100 * difference,
            interval=Interval(difference - Z_95 * error, difference + Z_95 * error).scaled(100),
            p_value=p_value,
            verdict=verdict_of(difference, p_value, acts_now.n, acts_before.n),
        )


def _definition(
    metric_id: str, title: str, term: str, description: str, formula: str, better: Better, index: _Index
) -> MetricDefinition:
    return MetricDefinition(
        id=metric_id,
        title=title,
        original_term=term,
        description=description,
        formula=formula,
        unit=Unit.PERCENT,
        better=better,
        populations=(Population.SURVEYS,),
        context=(Population.VOLUME,),
        compute=index.compute,
        compare=index.compare,
        parts=_PARTS,
        measure=index.measure,
        gates=INDEX_GATES,
        keeps_modes_apart=True,
    )


_INK: Final = "100 * (negative + k * silent) / n, n without confirmed force majeure and {}; normal interval"

SILENT_INDICES: Final = (
    _definition(
        "ink_personal",
        "Dissatisfaction with staff, the silent counted",
        "ИНК@Персонал",
        "Dissatisfied and silent customers among all who were asked about the employee; KPI of front staff.",
        _INK.format("causes beyond the staff"),
        Better.LOWER,
        _Index(
            QuestionMeasure.STAFF,
            ink,
            0.0,
            ("office_process", "product_price", "external", "customer_error"),
        ),
    ),
    _definition(
        "ink_office",
        "Dissatisfaction with the office, the silent counted",
        "ИНК@Офис",
        "The same for the setting and the organisation; KPI of internal processes.",
        _INK.format("causes beyond the office"),
        Better.LOWER,
        _Index(QuestionMeasure.OFFICE, ink, 0.0, ("staff", "product_price", "external")),
    ),
    _definition(
        "iel",
        "Emotional loyalty index",
        "ИЭЛ",
        "Would you recommend us: promoters minus detractors and silent customers; NPS adapted to retail, KPI "
        "of the customer part of the balanced scorecard.",
        "100 * (positive - negative - k * silent) / n, nothing excluded; normal interval",
        Better.HIGHER,
        _Index(QuestionMeasure.RECOMMEND, iel, -1.0),
    ),
)
