"""A metric query -> one SELECT for each population it counts, from the cheapest place that has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, assert_never

from sqlalchemy import Select

from app.domain.measures.definition import Population
from app.metrics.buckets import Period
from app.metrics.cuboids import count_cuboid, find_cuboid
from app.metrics.facts import TenantFacts
from app.metrics.feedback_counts import count_rows
from app.metrics.populations import count_closed, count_opened, count_timers, count_volumes
from app.metrics.query import MetricQuery

ROWS: Final = "rows"


@dataclass(frozen=True, slots=True)
class Read:
    """One SELECT: its rows are (bucket, d0, d1, ..., counters) of one population."""

    population: Population
    statement: Select[Any]
    source: str = ROWS
    folded_seq: int | None = None


def compile_query(query: MetricQuery, period: Period, facts: TenantFacts) -> list[Read]:
    """What must be read to answer the query for this period (its own, or the one it is compared with)."""
    return [_read(population, query, period, facts) for population in query.populations]


def _read(population: Population, query: MetricQuery, period: Period, facts: TenantFacts) -> Read:
    match population:
        case Population.FEEDBACK:
            return _feedback(query, period, facts)
        case Population.VOLUME:
            return Read(population, count_volumes(query, period, facts))
        case Population.CASES_OPENED:
            return Read(population, count_opened(query, period, facts))
        case Population.CASES_CLOSED:
            return Read(population, count_closed(query, period, facts))
        case Population.TIMERS:
            return Read(population, count_timers(query, period, facts))
        case _:
            assert_never(population)


def _feedback(query: MetricQuery, period: Period, facts: TenantFacts) -> Read:
    cuboid = find_cuboid(query, period, facts)
    if cuboid is None or facts.fold is None:
        return Read(Population.FEEDBACK, count_rows(query, period, facts))
    folded_seq = facts.fold.folded_seq
    statement = count_cuboid(cuboid, query, period, facts, folded_seq)
    return Read(Population.FEEDBACK, statement, cuboid.name, folded_seq)
