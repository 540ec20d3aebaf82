"""Service recovery: what became of resolved complaints (domain.md 5, throughput by the final resolution)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison, compare_counts
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.recovered import ResolvedCases
from app.domain.measures.shares import Parts, Share, share_metric
from app.domain.measures.values import LOW_N_BELOW, MetricStatus, MetricValue, no_value


def reopened(cases: ResolvedCases) -> Share:
    """Reopened within 14 days of all that were ever resolved."""
    return cases.reopened, cases.resolved + cases.reopened_open


def recovered(cases: ResolvedCases) -> Share:
    """Content in the re-survey of those who answered it."""
    return cases.recovered, cases.answered


def recovery_bounds(cases: ResolvedCases) -> tuple[float, float] | None:
    """The recovery rate in percent if all silents had failed, and if all had recovered."""
    asked = cases.answered + cases.silent
    if asked == 0:
        return None
    return 100 * cases.recovered / asked, 100 * (cases.recovered + cases.silent) / asked


def _share(
    metric_id: str,
    title: str,
    description: str,
    formula: str,
    share: Callable[[ResolvedCases], Share],
    parts: Callable[[ResolvedCases], Parts],
    names: tuple[str, ...],
    *,
    better: Better = Better.HIGHER,
    reasons: Callable[[ResolvedCases], tuple[str, ...]] = lambda _cases: (),
    version: int = 1,
) -> MetricDefinition:
    return share_metric(
        metric_id,
        title,
        description,
        formula,
        Population.CASES_RESOLVED,
        lambda cell: None if cell.resolved is None else share(cell.resolved),
        lambda cell: {} if cell.resolved is None else parts(cell.resolved),
        names,
        better=better,
        reasons=lambda cell: () if cell.resolved is None else reasons(cell.resolved),
        reads_clock=True,
        version=version,
    )


def _recovery_parts(cases: ResolvedCases) -> Parts:
    low, high = recovery_bounds(cases) or (None, None)
    return {"recovered": cases.recovered, "silent": cases.silent, "bound_low": low, "bound_high": high}


def cost_value(cases: ResolvedCases | None, of: str) -> MetricValue:
    """Net compensation for each resolved, or each compensated, case; two currencies have no sum."""
    if cases is None:
        return no_value({"spent": None, "compensated": None})
    n = cases.resolved if of == "resolved" else cases.compensated
    several = cases.currencies > 1
    parts = {"spent": None if several else cases.spent, "compensated": cases.compensated}
    if n == 0 or several:
        return no_value(parts, "several_currencies" if several else f"none_{of}", n=n)
    # a sum of money tells nothing about any one customer: few cases are flagged, not hidden
    status = MetricStatus.LOW_N if n < LOW_N_BELOW else MetricStatus.OK
    return MetricValue(cases.spent / n, n, status=status, parts=parts)


def _cost(of: str) -> MetricDefinition:
    def compute(cell: Cell) -> MetricValue:
        return cost_value(cell.resolved, of)

    def compare(now: Cell, before: Cell) -> Comparison:
        return compare_counts(compute(now).value, compute(before).value)

    return MetricDefinition(
        id=f"cost_per_{of}",
        title=f"Compensation per {of} case",
        description=f"Net compensation of the cases resolved in the period, for each {of} one.",
        formula=f"sum of net compensation / cases {of}",
        unit=Unit.MONEY,
        better=Better.LOWER,
        populations=(Population.CASES_RESOLVED,),
        compute=compute,
        compare=compare,
        parts=("spent", "compensated"),
        reads_clock=True,
    )


RECOVERY: Final = (
    _share(
        "reopen_rate",
        "Reopen rate",
        "Resolved cases that were reopened within 14 days; provisional while some are younger.",
        "100 * reopened / resolved; Wilson interval",
        reopened,
        lambda cases: {"reopened": cases.reopened, "provisional": cases.provisional},
        ("reopened", "provisional"),
        better=Better.LOWER,
        reasons=lambda cases: ("provisional",) if cases.provisional else (),
    ),
    _share(
        "fcr",
        "First contact resolution",
        "Resolved in one contact of the customer, not reopened, and no case of the same customer and cause "
        "within 7 days.",
        "100 * resolved once / resolved; Wilson interval",
        lambda cases: (cases.once, cases.resolved),
        lambda cases: {"once": cases.once},
        ("once",),
    ),
    _share(
        "fcr_net",
        "First contact resolution, net",
        "The same among the cases that the first level could solve: those never escalated.",
        "100 * resolved once / resolved without escalation; Wilson interval",
        lambda cases: (cases.once_first_level, cases.first_level),
        lambda cases: {"once": cases.once_first_level},
        ("once",),
    ),
    _share(
        "fcr_confirmed",
        "First contact resolution, confirmed",
        "Resolved once by our own count, and the customer says so: content in the re-survey; among those who "
        "answered it.",
        "100 * resolved once with a content re-survey / answered re-surveys; Wilson interval",
        lambda cases: (cases.confirmed, cases.answered),
        lambda cases: {"confirmed": cases.confirmed},
        ("confirmed",),
    ),
    _share(
        "recovery_rate",
        "Recovery rate",
        "Customers content with a resolved case, among those who answered the re-survey; a case that the bad "
        "answer reopened counts where it was resolved. The bounds count the silent as failed, as recovered.",
        "100 * positive / answered re-surveys; Wilson interval",
        recovered,
        _recovery_parts,
        ("recovered", "silent", "bound_low", "bound_high"),
        version=2,
    ),
    _share(
        "double_deviation_rate",
        "Double deviation rate",
        "Cases whose handling failed the customer again: reopened, a bad word after a reply or the remedy, "
        "a second complaint about the same or the handling. Missed promises alone are told apart.",
        "100 * failed / (failed, reopened or answered the re-survey); Wilson interval",
        lambda cases: (cases.failed, cases.evaluable),
        lambda cases: {"failed": cases.failed, "promise_missed": cases.promise_missed},
        ("failed", "promise_missed"),
        better=Better.LOWER,
        version=2,
    ),
    _share(
        "loyalty_conversion",
        "Loyalty conversion",
        "Customers with a resolved complaint who later gave 9-10 or joined a loyalty programme, or bought or "
        "came back within 90 days.",
        "100 * loyal / resolved cases of known customers; Wilson interval",
        lambda cases: (cases.loyal, cases.complainers),
        lambda cases: {
            "promoters": cases.promoters,
            "repurchased": cases.repurchased,
            "joined": cases.joined,
        },
        ("promoters", "repurchased", "joined"),
    ),
    _cost("resolved"),
    _cost("compensated"),
)
