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
from app.metrics.rows import Table, answer_table
from app.metrics.schemas import Freshness, MetricQueryIn
from app.metrics.score_lists import score_lists
from app.metrics.score_text import is_writable, score_text
from app.metrics.scored import find_written, is_scored, scored_table


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
    as_json: bool = False
    """the rows may come as JSON that is written already"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of rows with all that is told about them."""

    query: MetricQuery
    facts: TenantFacts
    reads: Sequence[Read]
    page: Table
    next_cursor: str | None
    etag: str
    now: datetime
    statements: Sequence[dict[str, Any]] | None = None
    written: bytes | None = None
    """the page as a JSON array of objects, in the place of the table"""
    coverage: Sequence[SourceCoverage] | None = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        names = [column.name for column in self.query.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*self.page, strict=True)]


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
        if is_scored(query, with_parts=reader.reads_rows):
            found = await _score(view, reader, query, facts, etag, now)
            return replace(found, coverage=await _coverage(view, given, query, facts))
        replayed = needs_replay(query)
        if replayed:
            await replay_cases(view, reader, query)
        coverage = await _coverage(view, given, query, facts)
        reads = compile_query(query, query.period, facts, replayed=replayed)
        cells = await _count(view, query, reads)
        before: Mapping[Key, Cell] = {}
        if query.compare is not None:
            before = await count_cells(view, query, query.compare, facts)
    table = answer_table(query, cells, before, with_parts=reader.reads_rows)
    found = _answer(query, facts, reads, table, etag, now=now, explain=reader.explain)
    return replace(found, coverage=coverage)


async def _coverage(
    view: Snapshot, given: MetricQueryIn, query: MetricQuery, facts: TenantFacts
) -> Sequence[SourceCoverage] | None:
    return await read_coverage(view, query, facts) if given.freshness is Freshness.FULL else None


async def _score(
    view: Snapshot, reader: Reader, query: MetricQuery, facts: TenantFacts, etag: str, now: datetime
) -> Answer:
    """The answer to a question of scores alone, written by the database where all of it is one page."""
    if reader.as_json and is_writable(query):
        reads = compile_query(query, query.period, facts, scored=score_text)
        written = find_written(query, await view.fetch(reads[0]))
        if written is not None:
            statements = explained(reads) if reader.explain else None
            return Answer(query, facts, reads, (), None, etag, now, statements, written)
    reads = compile_query(query, query.period, facts, scored=score_lists)
    table = scored_table(query, await view.fetch_lists(reads[0]))
    return _answer(query, facts, reads, table, etag, now=now, explain=reader.explain)


async def replay_cases(view: Snapshot, reader: Reader, query: MetricQuery) -> None:
    """Cases and timers as they were known. Raises InvalidError where no journal is at hand."""
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
    table: Table,
    etag: str,
    *,
    now: datetime,
    explain: bool,
) -> Answer:
    """The page of the rows that is asked for."""
    page, next_cursor = page_of(query, table)
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
