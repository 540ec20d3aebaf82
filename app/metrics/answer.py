"""Answers a metric query: understand it, count in one snapshot, compute, page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Database
from app.domain.errors import InvalidError
from app.domain.measures.cell import Cell
from app.journal.journal import Journal
from app.metrics.bodies import Bodies, Body
from app.metrics.buckets import Period
from app.metrics.cells import Counted, Key, cells_of
from app.metrics.compiler import Read, compile_query
from app.metrics.etag import answer_etag, is_current
from app.metrics.explain import explained
from app.metrics.facts import TenantFacts
from app.metrics.freshness import SourceCoverage, read_coverage
from app.metrics.known import known_by_seq
from app.metrics.paging import page_of
from app.metrics.query import MetricQuery, resolve
from app.metrics.replay import needs_replay, replay
from app.metrics.repository import Snapshot, snapshot
from app.metrics.rows import Row, answer_rows
from app.metrics.schemas import Freshness, MetricQueryIn
from app.metrics.scored import is_scored, scored_rows


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks and how: `reads_rows` may see what small groups are made of, `form` is that of the answer.

    `explain` asks for the SQL too.
    """

    tenant_id: UUID
    reads_rows: bool
    form: str
    if_none_match: str | None = None
    explain: bool = False
    journal: Journal | None = None
    """by which cases can be replayed as they were known earlier"""
    bodies: Bodies | None = None
    """what was sent before; without it every answer is computed"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of rows with all that is told about them."""

    query: MetricQuery
    facts: TenantFacts
    reads: Sequence[Read]
    page: Sequence[Row]
    next_cursor: str | None
    etag: str
    now: datetime
    statements: Sequence[dict[str, Any]] | None = None
    coverage: Sequence[SourceCoverage] | None = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        names = [column.name for column in self.query.columns]
        return [dict(zip(names, row, strict=True)) for row in self.page]


@dataclass(frozen=True, slots=True)
class NotModified:
    """The caller already holds the answer."""

    etag: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """The answer was written before, byte for byte."""

    etag: str
    body: Body


Outcome = Answer | NotModified | Repeated


async def answer_query(database: Database, reader: Reader, given: MetricQueryIn, now: datetime) -> Outcome:
    """The answer, or word that it is unchanged. Raises InvalidError for a question that has none."""
    async with snapshot(database, reader.tenant_id, writable=given.known_at is not None) as view:
        facts = await view.get_facts()
        given = await known_by_seq(view, given, facts, now)
        query = resolve(given, facts, now)
        form = f"{reader.form} explained" if reader.explain else reader.form
        etag = answer_etag(given, query, facts, form=form, with_parts=reader.reads_rows, now=now)
        if is_current(reader.if_none_match, etag):
            return NotModified(etag)
        if reader.bodies is not None and (body := reader.bodies.find(etag)) is not None:
            return Repeated(etag, body)
        replayed = needs_replay(query)
        if replayed:
            await _replay(view, reader, query)
        is_full = given.freshness is Freshness.FULL
        coverage = await read_coverage(view, query, facts) if is_full else None
        scored = is_scored(query, with_parts=reader.reads_rows)
        reads = compile_query(query, query.period, facts, replayed=replayed, scored=scored)
        if scored:
            rows = scored_rows(query, list(zip(*await view.fetch(reads[0]), strict=True)))
            found = _answer(query, facts, reads, rows, etag, now=now, explain=reader.explain)
            return replace(found, coverage=coverage)
        cells = await _count(view, query, reads)
        before: Mapping[Key, Cell] = {}
        if query.compare is not None:
            before = await count_cells(view, query, query.compare, facts)
    rows = answer_rows(query, cells, before, with_parts=reader.reads_rows)
    found = _answer(query, facts, reads, rows, etag, now=now, explain=reader.explain)
    return replace(found, coverage=coverage)


async def _replay(view: Snapshot, reader: Reader, query: MetricQuery) -> None:
    if reader.journal is None or query.known_at is None:
        raise InvalidError(
            "known_at_not_supported",
            "here cases and timers are known only as they are now",
            pointer="/known_at",
            cure="known_at is for feedback and volumes here; ask POST /v1/metrics/query for cases",
        )
    await replay(view.connection, reader.journal, reader.tenant_id, query.known_at)


def _answer(
    query: MetricQuery,
    facts: TenantFacts,
    reads: Sequence[Read],
    rows: Sequence[Row],
    etag: str,
    *,
    now: datetime,
    explain: bool,
) -> Answer:
    """The page of the rows that is asked for."""
    page, next_cursor = page_of(query, rows)
    statements = explained(reads) if explain else None
    return Answer(query, facts, reads, page, next_cursor, etag, now, statements)


async def count_cells(
    view: Snapshot, query: MetricQuery, period: Period, facts: TenantFacts
) -> dict[Key, Cell]:
    """The cells of a query for a period (its own, or the one it is compared with)."""
    return await _count(view, query, compile_query(query, period, facts))


async def _count(view: Snapshot, query: MetricQuery, reads: Sequence[Read]) -> dict[Key, Cell]:
    counted = [Counted(read.population, await view.fetch(read), read.places) for read in reads]
    return cells_of(counted, 1 + len(query.group_by), query.terms, query.location)
