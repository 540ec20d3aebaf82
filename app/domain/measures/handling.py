"""How complaints are handled: cases opened, closed and unanswered; deadlines met and missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.measures.cell import Cell, TimerCounts
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, compare_shares
from app.domain.measures.counts import Count, count_metric
from app.domain.measures.definition import (
    PUBLICATION_GATES,
    Better,
    MetricDefinition,
    Population,
    Unit,
)
from app.domain.measures.shares import share_metric
from app.domain.measures.values import MetricValue, no_value, share_value

_TIMER_PARTS: Final = ("met", "breached", "pending")


def attainment(timers: TimerCounts | None) -> MetricValue:
    """100 * met / (met + breached) of the cycles due in the period.

    Open past due counts as breached at once; not yet due is pending and stays out.
    """
    if timers is None:
        return no_value(dict.fromkeys(_TIMER_PARTS))
    counts = (timers.met, timers.breached, timers.pending)
    return share_value(timers.met, timers.decided, dict(zip(_TIMER_PARTS, counts, strict=True)))


def unanswered_share(cell: Cell) -> MetricValue:
    """Percent of the cases of the cohort that no human has replied to; invalid and duplicate ones are out."""
    if cell.opened is None:
        return no_value({"unanswered": None})
    unanswered = cell.opened.unanswered
    return share_value(unanswered, cell.opened.answerable, {"unanswered": unanswered})


def _compare_attainment(now: Cell, before: Cell) -> Comparison:
    a, b = now.timers, before.timers
    if a is None or b is None:
        return NOT_COMPARABLE
    return compare_shares(a.met, a.decided, b.met, b.decided)


def _compare_unanswered(now: Cell, before: Cell) -> Comparison:
    a, b = now.opened, before.opened
    if a is None or b is None:
        return NOT_COMPARABLE
    return compare_shares(a.unanswered, a.answerable, b.unanswered, b.answerable)


def _of_timers(count: Callable[[TimerCounts], int]) -> Count:
    return lambda cell: None if cell.timers is None else count(cell.timers)


CASES: Final = (
    count_metric(
        "cases_opened",
        "Cases opened",
        "Cases by the time they were opened.",
        "count of cases opened in the period",
        Population.CASES_OPENED,
        lambda cell: None if cell.opened is None else cell.opened.opened,
    ),
    count_metric(
        "cases_closed",
        "Cases closed",
        "Cases by the time they were closed, whenever they were opened.",
        "count of cases closed in the period",
        Population.CASES_CLOSED,
        lambda cell: None if cell.closed is None else cell.closed.closed,
    ),
    MetricDefinition(
        id="unanswered_share",
        title="Unanswered share",
        description="Share of cases opened in the period that no human has replied to. The target is 0.",
        formula="100 * cases without a human reply / cases opened; withdrawn, duplicate, invalid excluded",
        unit=Unit.PERCENT,
        better=Better.LOWER,
        populations=(Population.CASES_OPENED,),
        compute=unanswered_share,
        compare=_compare_unanswered,
        parts=("unanswered",),
        gates=PUBLICATION_GATES,
        reads_clock=True,
    ),
    share_metric(
        "unanswered_overdue_share",
        "Unanswered past a deadline",
        "Share of cases opened in the period that no human has replied to although a deadline has passed.",
        "100 * cases without a human reply and with an open timer past due / cases opened; withdrawn, "
        "duplicate, invalid excluded; Wilson interval",
        Population.OVERDUE_CASES,
        lambda cell: None if cell.overdue_cases is None else cell.overdue_cases.overdue_share,
        lambda cell: {} if cell.overdue_cases is None else cell.overdue_cases.parts,
        ("unanswered", "overdue"),
        better=Better.LOWER,
        reads_clock=True,
    ),
)

SLA: Final = (
    MetricDefinition(
        id="sla_attainment",
        title="SLA attainment",
        description="Share of deadlines met among those decided, by when they were due; read it by timer.",
        formula="100 * met / (met + breached); open past due is breached, not yet due is out",
        unit=Unit.PERCENT,
        better=Better.HIGHER,
        populations=(Population.TIMERS,),
        compute=lambda cell: attainment(cell.timers),
        compare=_compare_attainment,
        parts=_TIMER_PARTS,
        gates=PUBLICATION_GATES,
        reads_clock=True,
    ),
    count_metric(
        "sla_met",
        "Deadlines met",
        "Timer cycles stopped at or before their due time.",
        "count of cycles met",
        Population.TIMERS,
        _of_timers(lambda timers: timers.met),
        reads_clock=True,
    ),
    count_metric(
        "sla_breached",
        "Deadlines missed",
        "Timer cycles stopped after their due time, or still open past it.",
        "closed late + open overdue",
        Population.TIMERS,
        _of_timers(lambda timers: timers.breached),
        better=Better.LOWER,
        reads_clock=True,
    ),
    count_metric(
        "closed_late",
        "Closed late",
        "Timer cycles stopped after their due time.",
        "count of cycles stopped after due",
        Population.TIMERS,
        _of_timers(lambda timers: timers.closed_late),
        better=Better.LOWER,
        reads_clock=True,
    ),
    count_metric(
        "open_overdue",
        "Open past due",
        "Timer cycles that nothing has stopped and whose due time has passed.",
        "count of cycles open with as_of > due",
        Population.TIMERS,
        _of_timers(lambda timers: timers.open_overdue),
        better=Better.LOWER,
        reads_clock=True,
    ),
)
