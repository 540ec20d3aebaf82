"""Reads metrics: one snapshot for a whole answer, one SELECT for each population."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from asyncpg import PostgresError
from sqlalchemy import Row, Select, case, func, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Database
from app.db.tables.configuration import attributes, sources
from app.db.tables.declared import declared_cuboids, declared_folds
from app.db.tables.journey import touchpoint_retags
from app.db.tables.metrics import metric_annotations, metric_folds, metric_terms
from app.db.tables.tenants import tenant_head, tenants
from app.domain.errors import InvalidError
from app.domain.measures.definition import Population
from app.domain.measures.terms import Terms
from app.domain.measures.terms_document import terms_of
from app.journal.ports import OWN_SOURCE, POSITION_BITS
from app.metrics.compiler import Read
from app.metrics.facts import (
    Annotation,
    Attribute,
    AttributeType,
    Declared,
    FoldState,
    SourceState,
    TenantFacts,
)
from app.metrics.populations.belonging import has_merges
from app.metrics.prepared import Prepared, prepare
from app.metrics.query import MOST_CELLS
from app.metrics.shape import has_presses, relational_questions

TIMEOUT_SECONDS: Final = 10
_CANCELLED: Final = "57014"
_ANY_TENANT: Final = UUID(int=0)
_FIRST_COMMIT: Final = """
SELECT position, recorded_at FROM events WHERE tenant_id = $1 AND position >= $2 ORDER BY position LIMIT 1
"""


class Snapshot:
    """The tenant's numbers at one moment: facts and every population agree with each other."""

    def __init__(self, connection: AsyncConnection, tenant_id: UUID) -> None:
        self.connection = connection
        self._tenant_id = tenant_id

    async def get_facts(self) -> TenantFacts:
        """The tenant's zone, attributes, commit counter and fold state."""
        asked = _facts_statement().given(**dict.fromkeys(_tenant_parameters(), self._tenant_id))
        driver = await self._driver()
        row = await driver.fetchrow(asked.sql, *asked.parameters)
        return TenantFacts(
            tenant_id=self._tenant_id,
            seq=row["seq"] or 0,
            config_version=row["config_version"] or 0,
            time_zone=row["time_zone"],
            attributes=_attributes(row["attributes"]),
            relational=tuple(row["relational"]),
            presses=row["presses"],
            merges=row["merges"],
            renames=tuple(sorted((at, raw, new) for at, raw, new in row["renames"] or ())),
            sources=_sources(row["sources"]),
            fold=_fold(row),
            declared=_declared(row["declared"]),
            terms=_terms(row["terms"]),
            annotations=_annotations(row["annotations"]),
        )

    async def find_commit(self, seq: int) -> tuple[int, datetime] | None:
        """The first commit with events from this one on, and when it was recorded."""
        driver = await self._driver()
        row = await driver.fetchrow(_FIRST_COMMIT, self._tenant_id, seq << POSITION_BITS)
        return None if row is None else (row["position"] >> POSITION_BITS, row["recorded_at"])

    async def fetch(self, read: Read) -> Sequence[Any]:
        """The counters of one population. Raises InvalidError when they are too many or take too long."""
        rows = await self._fetch(read)
        _check_size(len(rows))
        return rows

    async def fetch_lists(self, read: Read) -> list[Sequence[Any]]:
        """The columns that `score_lists` tells, empty where it found no group; raises the same."""
        [row] = await self._fetch(read)
        lists = [column or [] for column in row]
        _check_size(len(lists[0]))
        return lists

    async def _fetch(self, read: Read) -> Sequence[Any]:
        with in_time(read.population):
            return await self._rows(read.statement)

    async def _rows(self, statement: Select[Any] | Prepared) -> Sequence[Any]:
        """Its rows; what is prepared goes to the driver itself, in the same transaction."""
        if isinstance(statement, Prepared):
            driver = await self._driver()
            records: Sequence[Any] = await driver.fetch(statement.sql, *statement.parameters)
            return records
        rows: Sequence[Row[Any]] = (await self.connection.execute(statement.limit(MOST_CELLS + 1))).all()
        return rows

    async def _driver(self) -> Any:
        """The driver's own connection, in the same transaction."""
        return (await self.connection.get_raw_connection()).driver_connection


@contextmanager
def in_time(population: Population) -> Iterator[None]:
    """What takes longer than a statement may is the question's fault: raises InvalidError, not an outage."""
    try:
        yield
    except (DBAPIError, PostgresError) as error:
        known = error.orig if isinstance(error, DBAPIError) else error
        if getattr(known, "sqlstate", None) != _CANCELLED:
            raise
        raise InvalidError(
            "query_too_expensive",
            f"the {population} could not be counted within {TIMEOUT_SECONDS} seconds",
            cure="take a shorter period, fewer dimensions, or filters",
        ) from None


@asynccontextmanager
async def snapshot(database: Database, tenant_id: UUID, *, writable: bool = False) -> AsyncIterator[Snapshot]:
    """A transaction that sees one state of the tenant; read-only unless temporary tables are needed."""
    opened = database.snapshot(tenant_id, timeout_seconds=TIMEOUT_SECONDS, writable=writable)
    async with opened as connection:
        yield Snapshot(connection, tenant_id)


def _check_size(cells: int) -> None:
    if cells > MOST_CELLS:
        raise InvalidError(
            "answer_too_large",
            f"the answer has more than {MOST_CELLS} cells",
            pointer="/group_by",
            cure="take a coarser granularity, fewer dimensions, or filters",
        )


@cache
def _facts_statement() -> Prepared:
    """Every query begins with it: written once, for any tenant."""
    return prepare(_facts_of(_ANY_TENANT))


@cache
def _tenant_parameters() -> tuple[str, ...]:
    return tuple(name for name, value in _facts_statement().values.items() if value == _ANY_TENANT)


def _facts_of(tenant_id: UUID) -> Any:
    tenant = literal(tenant_id)
    attribute = func.jsonb_build_array(attributes.c.key, attributes.c.type, attributes.c.groupable)
    source = func.jsonb_build_array(
        sources.c.key,
        sources.c.last_event_at,
        case((sources.c.disabled_at.is_(None), sources.c.expected_every_seconds)),
    )
    version = func.jsonb_build_array(
        metric_terms.c.version, metric_terms.c.valid_from, metric_terms.c.document
    )
    told = metric_annotations.c
    annotation = func.jsonb_build_array(
        told.key, told.title, told.starts_at, told.ends_at, told.breaks_series
    )
    retag = touchpoint_retags.c
    rename = func.jsonb_build_array(retag.seq, retag.raw, retag.touchpoint)
    fold = metric_folds.c
    own = declared_folds.c
    declared = func.jsonb_build_array(
        own.cuboid, own.dimensions, own.folded_seq, own.time_zone, own.relational, own.folded_at
    )
    built = select(func.jsonb_agg(declared)).join_from(
        declared_folds,
        declared_cuboids,
        (declared_cuboids.c.tenant_id == own.tenant_id)
        & (declared_cuboids.c.key == own.cuboid)
        & (declared_cuboids.c.dimensions == own.dimensions),
    )
    return (
        select(
            tenants.c.time_zone,
            tenant_head.c.seq,
            tenant_head.c.config_version,
            select(func.jsonb_agg(attribute)).where(attributes.c.tenant_id == tenant).label("attributes"),
            relational_questions(tenant_id).label("relational"),
            has_presses(tenant_id).label("presses"),
            has_merges(tenant_id).label("merges"),
            select(func.jsonb_agg(rename)).where(touchpoint_retags.c.tenant_id == tenant).label("renames"),
            select(func.jsonb_agg(source))
            .where(sources.c.tenant_id == tenant, sources.c.key != OWN_SOURCE)
            .label("sources"),
            select(func.jsonb_agg(version)).where(metric_terms.c.tenant_id == tenant).label("terms"),
            select(func.jsonb_agg(annotation))
            .where(metric_annotations.c.tenant_id == tenant)
            .label("annotations"),
            built.where(own.tenant_id == tenant, own.problem.is_(None)).label("declared"),
            fold.folded_seq,
            fold.time_zone.label("fold_zone"),
            fold.relational.label("fold_relational"),
            fold.hours_from,
        )
        .select_from(tenants)
        .outerjoin(tenant_head, tenant_head.c.tenant_id == tenants.c.tenant_id)
        .outerjoin(metric_folds, fold.tenant_id == tenants.c.tenant_id)
        .where(tenants.c.tenant_id == tenant)
    )


def _attributes(rows: Sequence[tuple[str, str, bool]] | None) -> Mapping[str, Attribute]:
    return {key: Attribute(key, AttributeType(kind), groupable) for key, kind, groupable in rows or ()}


def _sources(rows: Sequence[tuple[str, str | None, int | None]] | None) -> tuple[SourceState, ...]:
    """In the order of their keys; who is switched off is not expected."""
    found = (
        SourceState(key, None if at is None else datetime.fromisoformat(at), expected)
        for key, at, expected in rows or ()
    )
    return tuple(sorted(found, key=lambda source: source.key))


def _terms(rows: Sequence[tuple[int, str, Any]] | None) -> tuple[tuple[datetime, Terms], ...]:
    found = sorted(rows or (), key=lambda row: row[0])
    return tuple((datetime.fromisoformat(at), terms_of(document, number)) for number, at, document in found)


def _annotations(rows: Sequence[tuple[str, str, str, str | None, bool]] | None) -> tuple[Annotation, ...]:
    found = (
        Annotation(
            key,
            title,
            datetime.fromisoformat(start),
            None if end is None else datetime.fromisoformat(end),
            breaks,
        )
        for key, title, start, end, breaks in rows or ()
    )
    return tuple(sorted(found, key=lambda annotation: (annotation.starts_at, annotation.key)))


def _fold(row: Mapping[str, Any]) -> FoldState | None:
    if row["folded_seq"] is None:
        return None
    return FoldState(row["folded_seq"], row["fold_zone"], tuple(row["fold_relational"]), row["hours_from"])


def _declared(rows: Sequence[tuple[str, list[str], int, str, list[str], str]] | None) -> tuple[Declared, ...]:
    """The declared cuboids, those that keep least apart first."""
    found = (
        Declared(key, tuple(dimensions), FoldState(seq, zone, tuple(relational), datetime.fromisoformat(at)))
        for key, dimensions, seq, zone, relational, at in rows or ()
    )
    return tuple(sorted(found, key=lambda declared: (len(declared.dimensions), declared.key)))
