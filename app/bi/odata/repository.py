"""Reads the `bi` views as one tenant: what they are, and their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    column,
    false,
    func,
    literal,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.bi.odata.conditions import condition_of
from app.bi.odata.errors import ODataError
from app.bi.odata.model import KEYS, TYPE_OF, EntitySet, Model, Property
from app.bi.odata.options import Options, SortKey
from app.bi.odata.values import SQL_TYPE
from app.db.engine import Database

TIMEOUT_SECONDS: Final = 30
PRUNED: Final = "SET LOCAL constraint_exclusion = on"
"""A filter by metric leaves the other metrics of the views uncounted."""
_CANCELLED: Final = "57014"
_COLUMNS: Final = """
SELECT c.relname::text AS view, obj_description(c.oid, 'pg_class') AS about, a.attname::text AS name,
       format_type(a.atttypid, a.atttypmod) AS type, col_description(c.oid, a.attnum) AS comment
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = to_regnamespace('bi') AND c.relkind = 'v' ORDER BY a.attnum
"""


async def read_model(database: Database) -> Model:
    """The entity sets, as the views stand in the database."""
    async with database.engine.connect() as connection:
        rows = (await connection.execute(text(_COLUMNS))).all()
    sets = {}
    for name, key in KEYS.items():
        own = [row for row in rows if row.view == name]
        properties = {row.name: Property(row.name, TYPE_OF[row.type], row.comment or "") for row in own}
        if own:
            sets[name] = EntitySet(name, key, properties, own[0].about or "")
    return Model(sets)


async def list_rows(
    database: Database, tenant_id: UUID, options: Options
) -> tuple[list[dict[str, Any]], int | None, bool]:
    """One page, the count of all rows when it was asked for, and whether more follow."""
    source = _source(options.entity_set)
    async with database.tenant(tenant_id, timeout_seconds=TIMEOUT_SECONDS) as connection:
        await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await connection.exec_driver_sql(PRUNED)
        total = await _total(connection, source, options) if options.count else None
        if options.limit == 0:
            return [], total, False
        found = await _fetch(connection, _page(source, options))
    return found[: options.limit], total, len(found) > options.limit


async def count_rows(database: Database, tenant_id: UUID, options: Options) -> int:
    """How many rows the filter keeps."""
    async with database.tenant(tenant_id, timeout_seconds=TIMEOUT_SECONDS) as connection:
        await connection.exec_driver_sql(PRUNED)
        return await _total(connection, _source(options.entity_set), options)


def _source(entity_set: EntitySet) -> FromClause:
    columns = [column(item.name, SQL_TYPE[item.type]) for item in entity_set.properties.values()]
    return table(entity_set.name, *columns, schema="bi")


def _page(source: FromClause, options: Options) -> Select[Any]:
    names = dict.fromkeys([*options.select, *(key.property.name for key in options.order)])
    statement = select(*(source.c[name] for name in names)).where(*_conditions(source, options))
    if options.after is not None:
        statement = statement.where(_follows(source, options.order, options.after))
    else:
        statement = statement.offset(options.skip)
    order = [
        source.c[key.property.name].desc().nulls_last()
        if key.descending
        else source.c[key.property.name].asc().nulls_first()
        for key in options.order
    ]
    return statement.order_by(*order).limit(options.limit + 1)


def _conditions(source: FromClause, options: Options) -> list[ColumnElement[bool]]:
    if options.filter is None:
        return []
    return [condition_of(options.filter, options.entity_set, source)]


def _follows(source: FromClause, order: Sequence[SortKey], after: Sequence[Any]) -> ColumnElement[bool]:
    """Rows behind the last one given: equal in some first keys, behind it in the next."""
    ways = []
    equal: list[ColumnElement[bool]] = []
    for key, last in zip(order, after, strict=True):
        mine = source.c[key.property.name]
        value = literal(last, SQL_TYPE[key.property.type])
        ways.append(and_(*equal, _behind(mine, value, last, key)))
        equal.append(mine.is_(None) if last is None else mine == value)
    return or_(*ways)


def _behind(
    mine: ColumnElement[Any], value: ColumnElement[Any], last: Any, key: SortKey
) -> ColumnElement[bool]:
    if key.descending:
        return false() if last is None else or_(mine < value, mine.is_(None))
    return mine.is_not(None) if last is None else mine > value


async def _total(connection: AsyncConnection, source: FromClause, options: Options) -> int:
    statement = select(func.count().label("total")).select_from(source).where(*_conditions(source, options))
    (row,) = await _fetch(connection, statement)
    return int(row["total"])


async def _fetch(connection: AsyncConnection, statement: Select[Any]) -> list[dict[str, Any]]:
    try:
        rows: Sequence[Mapping[str, Any]] = (await connection.execute(statement)).mappings().all()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _CANCELLED:
            raise
        raise ODataError(
            "query_too_expensive",
            f"the rows could not be read within {TIMEOUT_SECONDS} seconds",
            cure="filter by local_date, or take feedback_daily or metric_daily",
        ) from None
    return [dict(row) for row in rows]
