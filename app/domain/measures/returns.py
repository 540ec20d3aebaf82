"""What a regulator asks for, what was promised and kept, and the deadlines of whole cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import compare_counts
from app.domain.measures.counts import count_metric
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.recovered import ClosedCases, PromisedOrders, TimedCases
from app.domain.measures.shares import share_metric
from app.domain.measures.statistics import percentile
from app.domain.measures.values import MetricValue, no_value, status_of


def _closed(count: Callable[[ClosedCases], int]) -> Callable[[Cell], int | None]:
    return lambda cell: None if cell.closed is None else count(cell.closed)


def _orders(count: Callable[[PromisedOrders], tuple[int, int]]) -> Callable[[Cell], tuple[int, int] | None]:
    return lambda cell: None if cell.orders is None else count(cell.orders)


def redress(cases: ClosedCases | None) -> MetricValue:
    """Net compensation of the closed cases; two currencies have no sum."""
    if cases is None or cases.currencies > 1:
        return no_value({}, *(() if cases is None else ("several_currencies",)))
    return MetricValue(cases.redress, cases.closed)


def gap_value(orders: PromisedOrders | None) -> MetricValue:
    """Median hours from the promised to the actual delivery; negative is early."""
    if orders is None or not orders.gaps:
        return no_value({"late": None})
    gaps = sorted(orders.gaps)
    middle = percentile(gaps, 0.5)
    value = None if middle is None else middle / 3600
    return MetricValue(value, len(gaps), status=status_of(len(gaps)), parts={"late": orders.late})


def attained(cases: TimedCases | None) -> tuple[int, int] | None:
    """Cases with all decided cycles met, of those with any decided."""
    return None if cases is None else (cases.met, cases.met + cases.breached)


_AGES: Final = (
    ("closed_within_4_weeks", "Closed within 4 weeks", "at most 28 days", lambda c: c.within_4_weeks),
    ("closed_within_8_weeks", "Closed in 4 to 8 weeks", "29 to 56 days", lambda c: c.within_8_weeks),
    ("closed_after_8_weeks", "Closed after 8 weeks", "more than 56 days", lambda c: c.after_8_weeks),
)

RETURNS: Final = (
    *(
        count_metric(
            metric_id,
            title,
            f"Cases closed in the period at the age of {age}; a line of the regulator's return.",
            "count of cases by closed_at - opened_at",
            Population.CASES_CLOSED,
            _closed(count),
        )
        for metric_id, title, age, count in _AGES
    ),
    share_metric(
        "upheld_share",
        "Upheld",
        "Closed cases decided for the customer, wholly, in part or by goodwill, among those with an outcome.",
        "100 * upheld / cases with an outcome; Wilson interval",
        Population.CASES_CLOSED,
        lambda cell: None if cell.closed is None else (cell.closed.upheld, cell.closed.judged),
        lambda cell: {"upheld": None if cell.closed is None else cell.closed.upheld},
        ("upheld",),
        better=Better.NEITHER,
    ),
    MetricDefinition(
        id="redress_paid",
        title="Redress paid",
        description="Net compensation of the cases closed in the period.",
        formula="sum of net compensation of closed cases",
        unit=Unit.MONEY,
        better=Better.NEITHER,
        populations=(Population.CASES_CLOSED,),
        compute=lambda cell: redress(cell.closed),
        compare=lambda now, before: compare_counts(redress(now.closed).value, redress(before.closed).value),
    ),
    count_metric(
        "cases_outstanding",
        "Cases outstanding",
        "Cases open at as_of, whenever they were opened (ask with as_of at the start of the period).",
        "count of open cases",
        Population.BACKLOG,
        lambda cell: None if cell.open_cases is None else len(cell.open_cases.ages),
        better=Better.LOWER,
        reads_clock=True,
    ),
    count_metric(
        "cases_overdue",
        "Open cases past a deadline",
        "Cases open at as_of of which some deadline has passed.",
        "count of open cases with an open timer past due",
        Population.BACKLOG,
        lambda cell: None if cell.open_cases is None else cell.open_cases.overdue,
        better=Better.LOWER,
        reads_clock=True,
    ),
    share_metric(
        "proactive_share",
        "Proactive share",
        "Cases that we opened before the customer had to.",
        "100 * proactive / opened; Wilson interval",
        Population.CASES_OPENED,
        lambda cell: None if cell.opened is None else (cell.opened.proactive, cell.opened.opened),
        lambda cell: {"proactive": None if cell.opened is None else cell.opened.proactive},
        ("proactive",),
    ),
    share_metric(
        "sla_attainment_cases",
        "SLA attainment by case",
        "Cases whose every decided deadline was met: the worst of their timer cycles counts.",
        "100 * cases met / cases decided; Wilson interval",
        Population.TIMED_CASES,
        lambda cell: attained(cell.timed_cases),
        lambda cell: {} if cell.timed_cases is None else cell.timed_cases._asdict(),
        ("met", "breached", "pending"),
        reads_clock=True,
    ),
)

PROMISES: Final = (
    share_metric(
        "late_share",
        "Late deliveries",
        "Orders delivered after the promised time, or not yet although it has passed.",
        "100 * late / promised (due by as_of); Wilson interval",
        Population.ORDERS,
        _orders(lambda orders: (orders.late, orders.promised)),
        lambda cell: {"late": None if cell.orders is None else cell.orders.late},
        ("late",),
        better=Better.LOWER,
        reads_clock=True,
    ),
    MetricDefinition(
        id="expectation_gap_median",
        title="Gap between promised and actual",
        description="Hours from the promised to the actual delivery; negative is early.",
        formula="median of delivered_at - promised_at",
        unit=Unit.HOURS,
        better=Better.LOWER,
        populations=(Population.ORDERS,),
        compute=lambda cell: gap_value(cell.orders),
        compare=lambda now, before: compare_counts(
            gap_value(now.orders).value, gap_value(before.orders).value
        ),
        parts=("late",),
        reads_clock=True,
    ),
    share_metric(
        "proactive_notice_rate",
        "Delays told first",
        "Delays of which we told the customer before the customer came to us.",
        "100 * told before contact / delays predicted or occurred; Wilson interval",
        Population.ORDERS,
        _orders(lambda orders: (orders.told_first, orders.delayed)),
        lambda cell: {"told_first": None if cell.orders is None else cell.orders.told_first},
        ("told_first",),
        reads_clock=True,
    ),
)
