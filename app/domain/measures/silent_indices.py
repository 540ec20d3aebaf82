"""The silent indices ИНК and ИЭЛ: dissatisfaction and loyalty in which silence counts (domain.md 3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, verdict_of
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.gates import INDEX_GATES, gate
from app.domain.measures.statistics import Z_95, Interval, normal_test, wilson
from app.domain.measures.surveys import Outcomes, SurveyCounts
from app.domain.measures.terms import Coefficient, SilentMode, SilentTerms
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


NOT_OF_STAFF: Final = ("office_process", "product_price", "external", "customer_error")
NOT_OF_OFFICE: Final = ("staff", "product_price", "external")
"""Causes for which the staff, or the office, is not to blame (domain.md 3.2)."""


class Estimate(NamedTuple):
    """An index as a fraction, with its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> Interval:
        return Interval(self.value - Z_95 * self.error, self.value + Z_95 * self.error)


class Weight(NamedTuple):
    """Silent customers and the k that holds for them; `sample` is what a measured k rests on."""

    silent: int
    k: float
    sample: int | None = None


Weights = Sequence[Weight]
"""All silent acts, split where different k hold for them."""


def ink(acts: Outcomes, weights: Weights) -> Estimate:
    """(negative + sum of k * silent) / n; a measured k adds its own error. n > 0."""
    value = (acts.negative + _first(weights)) / acts.n
    variance = (acts.negative + _second(weights)) / acts.n - value * value
    return Estimate(value, _error(variance, acts.n, weights))


def iel(acts: Outcomes, weights: Weights) -> Estimate:
    """(positive - negative - sum of k * silent) / n, in the same manner. n > 0."""
    value = (acts.positive - acts.negative - _first(weights)) / acts.n
    variance = (acts.positive + acts.negative + _second(weights)) / acts.n - value * value
    return Estimate(value, _error(variance, acts.n, weights))


def _first(weights: Weights) -> float:
    return sum(weight.k * weight.silent for weight in weights)


def _second(weights: Weights) -> float:
    return sum(weight.k * weight.k * weight.silent for weight in weights)


def _error(variance: float, n: int, weights: Weights) -> float:
    squared = max(0.0, variance) / n
    for silent, k, sample in weights:
        if sample:
            squared += (silent / n) ** 2 * k * (1 - k) / sample
    return sqrt(squared)


def iel_2013(acts: Outcomes) -> float | None:
    """The vendor's index of 2013, without the silent: (positive - negative) / answered; None for nobody."""
    return (acts.positive - acts.negative) / acts.answered if acts.answered else None


@dataclass(frozen=True, slots=True)
class _Index:
    """Which question an index reads, what it leaves out, and its formula."""

    measure: QuestionMeasure
    estimate: Callable[[Outcomes, Weights], Estimate]
    low: float
    excluded: tuple[str, ...] | None = None

    def counts(self, cell: Cell) -> SurveyCounts | None:
        return cell.surveys.get(self.measure)

    def eligible(self, counts: SurveyCounts) -> Outcomes:
        return counts.acts if self.excluded is None else counts.eligible(self.excluded)

    def coefficients(self, counts: SurveyCounts, silent: SilentTerms) -> dict[str, Coefficient]:
        """The k of each type of location that occurs."""
        return {
            name: silent.of_type(name).coefficient(self.eligible(of_type))
            for name, of_type in (counts.by_type or {"": counts}).items()
        }

    def weights(self, counts: SurveyCounts, used: Mapping[str, Coefficient]) -> list[Weight]:
        """The silent acts of each type with its k."""
        return [
            Weight(self.eligible(of_type).silent, used[name].k, used[name].sample)
            for name, of_type in (counts.by_type or {"": counts}).items()
        ]

    def interval(self, acts: Outcomes, found: Estimate, used: Collection[Coefficient]) -> Interval:
        if len(used) == 1 and self.low == 0.0 and all(one.mode is SilentMode.MAR for one in used):
            return wilson(acts.negative, acts.answered)  # then the index is the share among answerers
        return Interval(max(self.low, found.interval.low), min(1.0, found.interval.high))

    def compute(self, cell: Cell) -> MetricValue:
        """The index in percent, with the k that was used and the bounds that no k can leave."""
        counts = self.counts(cell)
        acts = Outcomes() if counts is None else self.eligible(counts)
        if counts is None or acts.n == 0:
            return no_value(dict.fromkeys(_PARTS))
        used = self.coefficients(counts, cell.terms.silent)
        weights = self.weights(counts, used)
        found = self.estimate(acts, weights)
        status, reasons = gate(acts.n, counts, cell)
        uncertain = dict.fromkeys(reason for one in used.values() for reason in one.reasons)
        dropped = 0 if self.excluded is None else counts.excluded(self.excluded)
        return MetricValue(
            value=100 * found.value,
            n=acts.n,
            interval=self.interval(acts, found, used.values()).scaled(100),
            status=status,
            reasons=(*reasons, *uncertain),
            parts={
                **acts._asdict(),
                "force_majeure": counts.force_majeure.n,
                "excluded": dropped,
                "k": _first(weights) / acts.silent if acts.silent else weights[0].k,
                "at_k0": 100 * self.estimate(acts, [Weight(acts.silent, 0.0)]).value,
                "at_k1": 100 * self.estimate(acts, [Weight(acts.silent, 1.0)]).value,
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
        silent = now.terms.silent
        used = {**self.coefficients(b, silent), **self.coefficients(a, silent)}
        first = self.estimate(acts_now, [w._replace(sample=None) for w in self.weights(a, used)])
        second = self.estimate(acts_before, [w._replace(sample=None) for w in self.weights(b, used)])
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
    metric_id: str,
    title: str,
    term: str,
    description: str,
    formula: str,
    better: Better,
    index: _Index,
    *,
    bsc: str | None = None,
) -> MetricDefinition:
    return MetricDefinition(
        id=metric_id,
        title=title,
        original_term=term,
        bsc=bsc,
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
            NOT_OF_STAFF,
        ),
    ),
    _definition(
        "ink_office",
        "Dissatisfaction with the office, the silent counted",
        "ИНК@Офис",
        "The same for the setting and the organisation; KPI of internal processes.",
        _INK.format("causes beyond the office"),
        Better.LOWER,
        _Index(QuestionMeasure.OFFICE, ink, 0.0, NOT_OF_OFFICE),
        bsc="internal_process",
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
        bsc="customer",
    ),
)
