"""Ratios to volumes: coverage, conversion, complaint rate (domain.md 3.2 and 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison, compare_counts
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.poisson import poisson_interval
from app.domain.measures.values import MetricValue, no_value

_BOTH: Final = (Population.FEEDBACK, Population.VOLUME)


def survey_acts(cell: Cell) -> int | None:
    """S: everyone who was reached and asked."""
    counts = cell.classes()
    return None if counts is None else counts.survey_acts


def visitors(cell: Cell) -> int | None:
    return None if cell.volumes is None else cell.volumes.visitors


def transactions(cell: Cell) -> int | None:
    return None if cell.volumes is None else cell.volumes.transactions


def interactions(cell: Cell) -> int | None:
    return None if cell.volumes is None else cell.volumes.interactions


def complaint_rate(cell: Cell) -> MetricValue:
    """1000 * complaints / transactions (interactions where there are none), exact Poisson interval.

    Complaints are cases. Sales without one are part of the base: 0, with the reason `no_cases` where no
    case of any kind was opened.
    """
    volumes, opened = cell.volumes, cell.opened
    exposure = (volumes.transactions or volumes.interactions) if volumes is not None else None
    if not exposure:
        known = None if opened is None else opened.complaints
        return no_value({"complaints": known, "exposure": exposure}, "no_exposure")
    complaints = 0 if opened is None else opened.complaints
    interval = poisson_interval(complaints).scaled(1000 / exposure)
    return MetricValue(
        1000 * complaints / exposure,
        exposure,
        interval,
        reasons=("no_cases",) if opened is None else (),
        parts={"complaints": complaints, "exposure": exposure},
    )


def _ratio_metric(
    metric_id: str,
    title: str,
    description: str,
    formula: str,
    counts: tuple[Callable[[Cell], int | None], Callable[[Cell], int | None]],
    *,
    parts: tuple[str, str],
    better: Better,
    populations: tuple[Population, ...] = _BOTH,
    original_term: str | None = None,
) -> MetricDefinition:
    """A ratio of two counts: null with the reason when either is missing, kept when above 1."""

    def compute(cell: Cell) -> MetricValue:
        above, below = counts[0](cell), counts[1](cell)
        shown = dict(zip(parts, (above, below), strict=True))
        if above is None or not below:
            return no_value(shown, f"no_{parts[1] if not below else parts[0]}", n=above or 0)
        reasons = ("above_one",) if metric_id == "coverage" and above > below else ()
        return MetricValue(above / below, below, reasons=reasons, parts=shown)

    def compare(now: Cell, before: Cell) -> Comparison:
        return compare_counts(compute(now).value, compute(before).value)

    return MetricDefinition(
        id=metric_id,
        title=title,
        description=description,
        formula=formula,
        unit=Unit.RATIO,
        better=better,
        populations=populations,
        compute=compute,
        compare=compare,
        parts=parts,
        original_term=original_term,
        item_level=True,
    )


COVERAGE: Final = (
    _ratio_metric(
        "coverage",
        "Coverage",
        "How many of the visitors were asked; the representativeness of everything else.",
        "survey acts / visitors",
        (survey_acts, visitors),
        parts=("survey_acts", "visitors"),
        better=Better.HIGHER,
        original_term="Коэффициент охвата",
    ),
    _ratio_metric(
        "precise_conversion",
        "Precise conversion",
        "Sales for each contact in which a customer was asked; the effectiveness of staff.",
        "transactions / survey acts",
        (transactions, survey_acts),
        parts=("transactions", "survey_acts"),
        better=Better.HIGHER,
        original_term="Точная конверсия",
    ),
    _ratio_metric(
        "surveys_per_transaction",
        "Surveys per transaction",
        "Below 1 there are sales without a survey: a failure of representativeness.",
        "survey acts / transactions",
        (survey_acts, transactions),
        parts=("survey_acts", "transactions"),
        better=Better.NEITHER,
    ),
    _ratio_metric(
        "raw_conversion",
        "Raw conversion",
        "Sales for each visitor.",
        "transactions / visitors",
        (transactions, visitors),
        parts=("transactions", "visitors"),
        better=Better.HIGHER,
        populations=(Population.VOLUME,),
    ),
    _ratio_metric(
        "contact_rate",
        "Contact rate",
        "Contacts for each sale: what customers have to ask although they bought.",
        "interactions / transactions",
        (interactions, transactions),
        parts=("interactions", "transactions"),
        better=Better.LOWER,
        populations=(Population.VOLUME,),
    ),
    MetricDefinition(
        id="complaint_rate",
        title="Complaint rate",
        description="Cases of kind complaint opened for each thousand sales (contacts where no sales are "
        "counted), whoever found them: the sender, a rule or a model.",
        formula="1000 * cases of kind complaint opened / transactions; invalid, duplicate, merged excluded; "
        "exact Poisson interval",
        unit=Unit.PER_THOUSAND,
        better=Better.LOWER,
        populations=(Population.CASES_OPENED, Population.VOLUME),
        compute=complaint_rate,
        compare=lambda now, before: compare_counts(complaint_rate(now).value, complaint_rate(before).value),
        parts=("complaints", "exposure"),
        reads_clock=True,
        version=2,
    ),
)
