"""A row of two tenants in every table, made from the declarations alone: what walls are tried on."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import Column, Table
from sqlalchemy.types import ARRAY, JSON

from app.db.kinds import metadata

MINE, THEIRS = UUID(int=0xA), UUID(int=0xB)
TABLES = sorted(metadata.tables.values(), key=lambda table: table.name)
_VALUES: dict[type, Any] = {
    bool: False,
    int: 1,
    float: 1.0,
    Decimal: Decimal(1),
    str: "x",
    bytes: b"x",
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
    date: date(2026, 1, 1),
}


def row_of(table: Table, tenant_id: UUID) -> dict[str, Any]:
    """A row with a value in every column that must have one; keys are different each time."""
    row = {
        column.name: _value(column)
        for column in table.columns
        if not column.nullable and column.identity is None
    }
    return row | {"tenant_id": tenant_id}


def _value(column: Column[Any]) -> Any:
    if isinstance(column.type, ARRAY):
        return []
    if isinstance(column.type, JSON):
        return "{}"
    kind = column.type.python_type
    if kind is UUID:
        return uuid4()
    if kind in (str, bytes) and (column.unique or column.primary_key):
        word = uuid4().hex
        return word if kind is str else word.encode()
    return _VALUES[kind]


async def insert(connection: asyncpg.Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert the row as whoever the connection is."""
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO {table.name} ({names}) VALUES ({values})", *row.values())


async def fill(superuser: asyncpg.Connection) -> None:
    """One row of each of the two tenants in every table."""
    for table in TABLES:
        for tenant_id in (MINE, THEIRS):
            await insert(superuser, table, row_of(table, tenant_id))


async def tenants_seen(connection: asyncpg.Connection, table: Table) -> set[UUID]:
    """Whose rows of the table the connection is shown."""
    return {row["tenant_id"] for row in await connection.fetch(f"SELECT tenant_id FROM {table.name}")}
