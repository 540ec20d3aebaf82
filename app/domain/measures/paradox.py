"""Is a customer whose complaint was solved happier than one who had none? Measured, never assumed."""

from __future__ import annotations

from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison, compare_counts
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.recovered import ComparedCustomers, ReturningCustomers
from app.domain.measures.statistics import newcombe, two_proportion_test
from app.domain.measures.values import LOW_N_BELOW, MetricValue, no_value, status_of
from app.domain.scales import QuestionMeasure

_PARTS: Final = ("top", "other_top", "other_n", "other_share", "p_value")


def difference_of(top: int, n: int, other_top: int, other_n: int) -> MetricValue:
    """Percentage points between two top-box shares, Newcombe interval; reason `shown` or `not_shown`.

    A claim needs 30 answers on both sides and an interval above 0.
    """
    parts = {
        "top": top,
        "other_top": other_top,
        "other_n": other_n,
        "other_share": 100 * other_top / other_n if other_n else None,
        "p_value": two_proportion_test(top, n, other_top, other_n).p_value if n and other_n else None,
    }
    if n == 0 or other_n == 0:
        return no_value(parts, "nobody_to_compare", n=n)
    interval = newcombe(top, n, other_top, other_n)
    shown = interval.low > 0 and min(n, other_n) >= LOW_N_BELOW
    return MetricValue(
        value=100 * (top / n - other_top / other_n),
        n=n,
        interval=interval.scaled(100),
        status=status_of(min(n, other_n)),
        reasons=("shown" if shown else "not_shown",),
        parts=parts,
    )


def paradox(found: ComparedCustomers | None) -> MetricValue:
    """Resolved complainers against customers without a complaint."""
    if found is None:
        return no_value(dict.fromkeys(_PARTS))
    return difference_of(found.resolved_top, found.resolved_n, found.untroubled_top, found.untroubled_n)


def resolved_gap(found: ComparedCustomers | None) -> MetricValue:
    """Resolved complainers against those whose complaint is open."""
    if found is None:
        return no_value(dict.fromkeys(_PARTS))
    return difference_of(found.resolved_top, found.resolved_n, found.unresolved_top, found.unresolved_n)


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
    MetricDefinition(
        id="paradox_delta",
        title="Recovery paradox",
        description="Top-box share of customers with a resolved complaint minus that of customers without "
        "one: same question, same period. Claimed only where the reason says `shown`; read it by segment.",
        formula="100 * (top / n of resolved complainers - top / n of the untroubled); Newcombe interval",
        unit=Unit.POINTS,
        better=Better.HIGHER,
        populations=(Population.CUSTOMERS,),
        compute=lambda cell: paradox(cell.compared_customers),
        compare=lambda now, before: compare_counts(
            paradox(now.compared_customers).value, paradox(before.compared_customers).value
        ),
        parts=_PARTS,
        measure=QuestionMeasure.CSAT,
        is_score=True,
        reads_clock=True,
    ),
    MetricDefinition(
        id="resolved_delta",
        title="Resolved against unresolved",
        description="Top-box share of customers with a resolved complaint minus that of customers whose "
        "complaint is not resolved.",
        formula="100 * (top / n of resolved - top / n of unresolved complainers); Newcombe interval",
        unit=Unit.POINTS,
        better=Better.HIGHER,
        populations=(Population.CUSTOMERS,),
        compute=lambda cell: resolved_gap(cell.compared_customers),
        compare=lambda now, before: compare_counts(
            resolved_gap(now.compared_customers).value, resolved_gap(before.compared_customers).value
        ),
        parts=_PARTS,
        measure=QuestionMeasure.CSAT,
        is_score=True,
        reads_clock=True,
    ),
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
