"""A metric query -> one SELECT for each population it counts, from the cheapest place that has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Select

from app.domain.measures.definition import DIMENSIONS_OF, Dimension, Population
from app.metrics.buckets import Period
from app.metrics.cuboid_statements import prepare_cuboid
from app.metrics.cuboids import Tell, counters, find_cuboid
from app.metrics.dimensions import DimensionRef
from app.metrics.facts import TenantFacts
from app.metrics.feedback_counts import count_rows
from app.metrics.populations.cases import count_backlog, count_closed, count_returning
from app.metrics.populations.customers import count_comebacks, count_customers
from app.metrics.populations.displayed import count_displayed
from app.metrics.populations.opened import count_opened, count_overdue_cases
from app.metrics.populations.orders import count_orders
from app.metrics.populations.resolved import count_resolved
from app.metrics.populations.reviews import count_overdue_reviews, count_reviews
from app.metrics.populations.surveys import count_surveys, count_unsolicited
from app.metrics.populations.timers import count_timed_cases, count_timers
from app.metrics.populations.volumes import count_volumes
from app.metrics.populations.waits import collect_resolutions, collect_responses
from app.metrics.prepared import Prepared
from app.metrics.query import MetricQuery

ROWS: Final = "rows"
REPLAY: Final = "replay"


@dataclass(frozen=True, slots=True)
class Read:
    """One SELECT: its rows are (bucket, d0, d1, ..., counters) of one population.

    `places` are the parts of the query's key that the rows know, where they do not know all.
    """

    population: Population
    statement: Select[Any] | Prepared
    source: str = ROWS
    folded_seq: int | None = None
    places: tuple[int, ...] | None = None


_ON_ROWS: Final[Mapping[Population, Callable[[MetricQuery, Period, TenantFacts], Select[Any]]]] = {
    Population.VOLUME: count_volumes,
    Population.CASES_OPENED: count_opened,
    Population.CASES_CLOSED: count_closed,
    Population.CASES_RESOLVED: count_resolved,
    Population.RESPONSES: collect_responses,
    Population.RESOLUTIONS: collect_resolutions,
    Population.BACKLOG: lambda query, _period, facts: count_backlog(query, facts),
    Population.RETURNING: count_returning,
    Population.TIMERS: count_timers,
    Population.TIMED_CASES: count_timed_cases,
    Population.SURVEYS: count_surveys,
    Population.UNSOLICITED: count_unsolicited,
    Population.CUSTOMERS: count_customers,
    Population.ORDERS: count_orders,
    Population.REVIEWS: count_reviews,
    Population.DISPLAYED: count_displayed,
    Population.COMEBACKS: count_comebacks,
    Population.OVERDUE_CASES: count_overdue_cases,
    Population.OVERDUE_REVIEWS: count_overdue_reviews,
}


def compile_query(
    query: MetricQuery,
    period: Period,
    facts: TenantFacts,
    *,
    replayed: bool = False,
    scored: Tell | None = None,
) -> list[Read]:
    """What must be read to answer the query for this period (its own, or the one it is compared with).

    `scored`: `score_lists` or `score_text`, for questions that ask for scores alone.
    """
    if scored is not None:
        return [_feedback(Population.FEEDBACK, query, period, facts, scored)]
    reads = [_read(population, query, period, facts) for population in query.populations]
    if replayed:
        reads = [replace(read, source=REPLAY) for read in reads]
    return reads + [_context(population, query, period, facts) for population in query.context]


def _read(population: Population, query: MetricQuery, period: Period, facts: TenantFacts) -> Read:
    if population is Population.FEEDBACK:
        return _feedback(population, query, period, facts)
    if population is Population.CHANNELS:
        by_channel = DimensionRef(Dimension.CHANNEL.value, dimension=Dimension.CHANNEL)
        asking = tuple(metric for metric in query.metrics if population in metric.populations)
        wide = replace(query, metrics=asking, group_by=(*query.group_by, by_channel))
        return _feedback(population, wide, period, facts)
    return Read(population, _ON_ROWS[population](query, period, facts))


def _feedback(
    population: Population,
    query: MetricQuery,
    period: Period,
    facts: TenantFacts,
    scored: Tell | None = None,
) -> Read:
    found = find_cuboid(query, period, facts)
    if found is None:
        if scored is not None:
            return Read(population, scored([count_rows(query, period, facts, stored=True)], query))
        return Read(population, count_rows(query, period, facts))
    folded_seq = found.fold.folded_seq
    statement = prepare_cuboid(found.counts, query, period, facts, folded_seq, scored or counters)
    return Read(population, statement, found.counts.name, folded_seq)


def _context(population: Population, query: MetricQuery, period: Period, facts: TenantFacts) -> Read:
    """What the gates look at: by as many of the query's dimensions as its rows know."""
    known = DIMENSIONS_OF[population] - {Dimension.SOURCE}

    def serves(ref: DimensionRef) -> bool:
        return ref.attribute is not None or ref.dimension in known

    kept = [number for number, ref in enumerate(query.group_by) if serves(ref)]
    narrow = replace(
        query,
        group_by=tuple(query.group_by[number] for number in kept),
        conditions=tuple(condition for condition in query.conditions if serves(condition.ref)),
    )
    places = (0, *(number + 1 for number in kept))
    return Read(population, _ON_ROWS[population](narrow, period, facts), places=places)
