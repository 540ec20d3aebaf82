"""First response and resolution times, the waiting counted; and the age of what is still open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison, compare_counts
from app.domain.measures.definition import PUBLICATION_GATES, Better, MetricDefinition, Population, Unit
from app.domain.measures.recovered import Durations, OpenCases
from app.domain.measures.statistics import Interval, percentile
from app.domain.measures.survival import quantile_of, survival_curve
from app.domain.measures.values import MetricValue, no_value, status_of

_PARTS: Final = ("ended", "waiting", "naive")
_SECONDS: Final = {Unit.MINUTES: 60.0, Unit.HOURS: 3600.0}


def time_value(durations: Durations | None, q: float, unit: Unit) -> MetricValue:
    """The Kaplan-Meier quantile; reason `not_reached` where too many still wait.

    The part `naive` is the percentile of the ended ones alone: shown for comparison, and too good.
    """
    if durations is None:
        return no_value(dict.fromkeys(_PARTS))
    seconds = _SECONDS[unit]
    found = quantile_of(survival_curve(durations.ended, durations.censored), q)
    naive = percentile(sorted(durations.ended), q)
    n = len(durations.ended) + len(durations.censored)
    reasons = ("not_reached",) if found.value is None else ()
    if found.value is not None and found.high is None:
        reasons = ("upper_bound_not_reached",)
    interval = None
    if found.low is not None and found.high is not None:
        interval = Interval(found.low, found.high).scaled(1 / seconds)
    return MetricValue(
        value=None if found.value is None else found.value / seconds,
        n=n,
        interval=interval,
        status=status_of(n),
        reasons=reasons,
        parts={
            "ended": len(durations.ended),
            "waiting": len(durations.censored),
            "naive": None if naive is None else naive / seconds,
        },
    )


def _time_metric(
    name: str,
    title: str,
    what: str,
    population: Population,
    durations: Callable[[Cell], Durations | None],
    unit: Unit,
    q: float,
) -> MetricDefinition:
    def compute(cell: Cell) -> MetricValue:
        return time_value(durations(cell), q, unit)

    def compare(now: Cell, before: Cell) -> Comparison:
        return compare_counts(compute(now).value, compute(before).value)

    word = "median" if q == 0.5 else f"p{100 * q:.0f}"
    return MetricDefinition(
        id=f"{name}_{word}",
        title=f"{title}, {word}",
        description=f"{what} of the cases opened in the period; those still waiting at as_of are counted as "
        "waiting, not dropped. Elapsed time.",
        formula=f"smallest t with S(t) <= {1 - q:.1f} by Kaplan-Meier; log-log interval; naive: ended only",
        unit=unit,
        better=Better.LOWER,
        populations=(population,),
        compute=compute,
        compare=compare,
        parts=_PARTS,
        gates=PUBLICATION_GATES,
        reads_clock=True,
    )


def _age_metric(metric_id: str, title: str, q: float) -> MetricDefinition:
    def compute(cell: Cell) -> MetricValue:
        return age_value(cell.open_cases, q)

    return MetricDefinition(
        id=metric_id,
        title=title,
        description="Age of the cases that are open at as_of, whenever they were opened: the period says "
        "nothing here.",
        formula="percentile (type 7) of as_of - opened_at",
        unit=Unit.HOURS,
        better=Better.LOWER,
        populations=(Population.BACKLOG,),
        compute=compute,
        compare=lambda now, before: compare_counts(compute(now).value, compute(before).value),
        parts=("overdue", "max_age"),
        reads_clock=True,
    )


def age_value(cases: OpenCases | None, q: float) -> MetricValue:
    """Hours; an empty backlog has no age."""
    if cases is None or not cases.ages:
        return no_value({"overdue": None, "max_age": None})
    ages = sorted(cases.ages)
    age = percentile(ages, q)
    return MetricValue(
        value=None if age is None else age / 3600,
        n=len(ages),
        parts={"overdue": cases.overdue, "max_age": ages[-1] / 3600},
    )


TIMES: Final = (
    *(
        _time_metric(
            "first_response",
            "First response",
            "Time to the first reply by a human",
            Population.RESPONSES,
            lambda cell: cell.responses,
            Unit.MINUTES,
            q,
        )
        for q in (0.5, 0.9)
    ),
    *(
        _time_metric(
            "resolution",
            "Resolution",
            "Time to the final remedy (a reopening does not end what did not hold), or to closing",
            Population.RESOLUTIONS,
            lambda cell: cell.resolutions,
            Unit.HOURS,
            q,
        )
        for q in (0.5, 0.9)
    ),
    _age_metric("backlog_age_median", "Backlog age, median", 0.5),
    _age_metric("backlog_age_p90", "Backlog age, p90", 0.9),
)
