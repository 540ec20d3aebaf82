"""Is a customer whose complaint was solved happier than one who had none? Measured, never assumed."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Final

from app.domain.measures.cell import Cell, Strata
from app.domain.measures.comparison import Comparison, compare_counts
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.group_differences import (
    NPS_PARTS,
    SHARE_PARTS,
    Difference,
    Pair,
    nps_difference,
    share_difference,
)
from app.domain.measures.recovered import ComparedCustomers, ReturningCustomers
from app.domain.measures.values import MetricValue, no_value, status_of
from app.domain.scales import QuestionMeasure


def _against_untroubled(found: ComparedCustomers) -> Pair:
    return Pair(found.resolved, found.untroubled)


def _against_unresolved(found: ComparedCustomers) -> Pair:
    return Pair(found.resolved, found.unresolved)


_GAPS: Final = (
    ("paradox_delta", "Recovery paradox", "that of customers without one", _against_untroubled),
    (
        "resolved_delta",
        "Resolved against unresolved",
        "that of customers whose complaint is not resolved",
        _against_unresolved,
    ),
)


def _compared(measure: QuestionMeasure) -> Callable[[Cell], Strata | None]:
    return lambda cell: cell.compared_customers.get(measure)


def _gap(
    metric_id: str,
    title: str,
    description: str,
    formula: str,
    strata_of: Callable[[Cell], Strata | None],
    sides: Callable[[ComparedCustomers], Pair],
    difference: Difference,
    parts: tuple[str, ...],
    *,
    measure: QuestionMeasure | None = None,
) -> MetricDefinition:
    def compute(cell: Cell) -> MetricValue:
        strata = strata_of(cell)
        if not strata:
            return no_value(dict.fromkeys(parts))
        whole = reduce(ComparedCustomers.plus, strata.values())
        return difference(sides(whole), [sides(strata[name]) for name in sorted(strata)])

    def compare(now: Cell, before: Cell) -> Comparison:
        return compare_counts(compute(now).value, compute(before).value)

    return MetricDefinition(
        id=metric_id,
        title=title,
        description=description,
        formula=formula,
        unit=Unit.POINTS,
        better=Better.HIGHER,
        populations=(Population.COMEBACKS if measure is None else Population.CUSTOMERS,),
        compute=compute,
        compare=compare,
        parts=parts,
        measure=measure,
        is_score=measure is not None,
        item_level=measure is None,
        reads_clock=True,
    )


_CLAIM: Final = "Claimed only where the reason is `shown`; `stratified` compares within segments."


def _of_each(
    name: str, title: str, other: str, sides: Callable[[ComparedCustomers], Pair]
) -> tuple[MetricDefinition, ...]:
    """The three outcomes of one comparison: top box, NPS, return."""
    return (
        _gap(
            name,
            title,
            f"Top-box share of customers with a resolved complaint minus {other}: same question, same "
            f"period. {_CLAIM}",
            "100 * (top / n of resolved complainers - top / n of the others); Newcombe interval",
            _compared(QuestionMeasure.CSAT),
            sides,
            share_difference,
            SHARE_PARTS,
            measure=QuestionMeasure.CSAT,
        ),
        _gap(
            f"{name}_nps",
            f"{title}, by NPS",
            f"NPS of customers with a resolved complaint minus {other}: same question, same period. {_CLAIM}",
            "NPS of resolved complainers - NPS of the others; interval of the adjusted-Wald scores",
            _compared(QuestionMeasure.NPS),
            sides,
            nps_difference,
            NPS_PARTS,
            measure=QuestionMeasure.NPS,
        ),
        _gap(
            f"{name}_return",
            f"{title}, by return",
            "Share of answers whose customer bought or came back within 90 days: of customers with a "
            f"resolved complaint minus {other}. Answers whose 90 days are over. {_CLAIM}",
            "100 * (came back / n of resolved complainers - came back / n of the others); Newcombe interval",
            lambda cell: cell.comebacks,
            sides,
            share_difference,
            SHARE_PARTS,
        ),
    )


def repeat_ratio(found: ReturningCustomers | None) -> MetricValue:
    """P(new feedback in 180 days | answered) / P(the same | unanswered)."""
    if found is None:
        return no_value(dict.fromkeys(ReturningCustomers._fields))
    parts = found._asdict()
    n = found.answered + found.unanswered
    if not found.answered or not found.unanswered_again:
        return no_value(parts, "nobody_to_compare", n=n)
    ratio = (found.answered_again / found.answered) / (found.unanswered_again / found.unanswered)
    return MetricValue(ratio, n, status=status_of(min(found.answered, found.unanswered)), parts=parts)


def _repeat_compare(now: Cell, before: Cell) -> Comparison:
    return compare_counts(repeat_ratio(now.returning).value, repeat_ratio(before.returning).value)


PARADOX: Final = (
    *(metric for gap in _GAPS for metric in _of_each(*gap)),
    MetricDefinition(
        id="repeat_feedback_ratio",
        title="Repeat feedback, answered against unanswered",
        description="How much likelier a customer speaks again within 180 days when the case was answered.",
        formula="P(new feedback in 180 d | answered) / P(the same | unanswered); cases older than 180 d",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        populations=(Population.RETURNING,),
        compute=lambda cell: repeat_ratio(cell.returning),
        compare=_repeat_compare,
        parts=ReturningCustomers._fields,
        reads_clock=True,
    ),
)
