"""How fresh the sources of an answer are, and how much of it came from each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Table, func, select

from app.db.tables.cases import cases
from app.db.tables.feedback import feedback, volumes
from app.db.tables.sla import sla_timers
from app.domain.measures.definition import Dimension, Population
from app.metrics.buckets import Granularity
from app.metrics.cells import Counted, cells_of
from app.metrics.compiler import Read, compile_query
from app.metrics.dimensions import DimensionRef
from app.metrics.facts import TenantFacts
from app.metrics.query import KEPT_APART, MetricQuery
from app.metrics.repository import Snapshot
from app.metrics.shape import known_rows, rows_of

_BY_SOURCE: Final = DimensionRef(Dimension.SOURCE.value, dimension=Dimension.SOURCE)
_CASES: Final = (cases, cases.c.opened_at)
_ANSWERS: Final = (feedback, feedback.c.occurred_at)
_TIMERS: Final = (sla_timers, sla_timers.c.started_at)
_ROWS_OF: Final[Mapping[Population, tuple[Table, ColumnElement[datetime]]]] = {
    Population.FEEDBACK: _ANSWERS,
    Population.CHANNELS: _ANSWERS,
    Population.SURVEYS: _ANSWERS,
    Population.UNSOLICITED: _ANSWERS,
    Population.CUSTOMERS: _ANSWERS,
    Population.COMEBACKS: _ANSWERS,
    Population.REVIEWS: _ANSWERS,
    Population.OVERDUE_REVIEWS: _ANSWERS,
    Population.VOLUME: (volumes, volumes.c.occurred_at),
    Population.CASES_OPENED: _CASES,
    Population.OVERDUE_CASES: _CASES,
    Population.CASES_CLOSED: _CASES,
    Population.CASES_RESOLVED: _CASES,
    Population.RESPONSES: _CASES,
    Population.RESOLUTIONS: _CASES,
    Population.BACKLOG: _CASES,
    Population.RETURNING: _CASES,
    Population.TIMERS: _TIMERS,
    Population.TIMED_CASES: _TIMERS,
}
"""The rows of a population and when they happened; orders and displayed figures are read off the journal."""


class MetricShare(NamedTuple):
    """How much of what a metric rests on is of one source; `share` in 0..1, null where that is nothing.

    A ratio of two populations rests on both: it has a share of the rows of each.
    """

    metric: str
    population: Population
    n: int
    share: float | None


Based = dict[tuple[str, Population], Counter[str | None]]
"""(metric, population) -> how much of it each source gave."""


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """What one source gave to an answer. `source` is None where rows name none."""

    source: str | None
    last_occurred_at: datetime | None
    shares: tuple[MetricShare, ...]


async def read_coverage(view: Snapshot, query: MetricQuery, facts: TenantFacts) -> tuple[SourceCoverage, ...]:
    """Each source that the answer rests on, by the metrics' own rules.

    The question is asked once more by source, whatever it was grouped by: from rows, for no cuboid of
    ours keeps the source.
    """
    asked = replace(
        query,
        group_by=(_BY_SOURCE, *(ref for ref in query.group_by if ref.dimension in KEPT_APART)),
        granularity=Granularity.NONE,
        compare=None,
    )
    reads = compile_query(asked, asked.period, facts)
    counted = [Counted(read.population, await view.fetch(read), read.places) for read in reads]
    found = cells_of(counted, 1 + len(asked.group_by), asked.terms, asked.location)
    rows = {population: await _rows(view, asked, facts, population) for population in query.populations}
    based: Based = {}
    for metric in query.metrics:
        if len(metric.populations) == 1:
            for key, cell in found.items():
                counts = based.setdefault((metric.id, metric.populations[0]), Counter())
                counts[key[1]] += metric.compute(cell).n
        else:
            for population in metric.populations:
                counted_rows = {source: n for source, (_, n) in rows[population].items()}
                based[metric.id, population] = Counter(counted_rows)
    return _coverage(based, rows.values())


async def _rows(
    view: Snapshot, query: MetricQuery, facts: TenantFacts, population: Population
) -> Mapping[str | None, tuple[datetime, int]]:
    """Of each source: when the newest row in the period happened, and how many there are."""
    if population not in _ROWS_OF:
        return {}
    table, at = _ROWS_OF[population]
    counted = select(table.c.source, func.max(at), func.count())
    counted = counted.where(rows_of(table, at, query, query.period, facts)).group_by(table.c.source)
    if "seq_to" in table.c:
        counted = counted.where(known_rows(table, query.known_at))
    return {source: (newest, n) for source, newest, n in await view.fetch(Read(population, counted))}


def _coverage(
    based: Based, rows: Iterable[Mapping[str | None, tuple[datetime, int]]]
) -> tuple[SourceCoverage, ...]:
    """The sources that any metric rests on, in order; rows without a source last."""
    newest: dict[str | None, datetime] = {}
    for told in rows:
        for source, (at, _) in told.items():
            newest[source] = max(at, newest.get(source, at))
    names = {source for counts in based.values() for source, n in counts.items() if n}
    return tuple(
        SourceCoverage(
            name,
            newest.get(name),
            tuple(
                MetricShare(metric, population, counts[name], counts[name] / total if total else None)
                for (metric, population), counts in based.items()
                for total in (counts.total(),)
            ),
        )
        for name in sorted(names, key=lambda name: (name is None, name or ""))
    )
