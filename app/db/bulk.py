"""Many rows in one statement, many tables in one round trip: INSERT .. SELECT from one JSON text a table.

One JSON text costs the driver a fraction of what arrays of every column do, and the server the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSON

from app.db.engine import Tx
from app.kit import json

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


class Gathered:
    """A transaction that sends the inserts between two other statements as one; `flush` ends it.

    The same table twice is sent twice, for rows of one statement do not see each other.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tables: set[str] = set()
        self._statements: list[str] = []
        self._rows: list[str] = []

    async def gather(self, table: Table, statement: str, rows: str) -> None:
        """Keep an insert back."""
        if table.name in self._tables:
            await self.flush()
        self._tables.add(table.name)
        self._statements.append(statement)
        self._rows.append(rows)

    async def flush(self) -> None:
        """Send what was kept back."""
        if not self._statements:
            return
        statement, rows = _joined(tuple(self._statements)), self._rows
        self._tables, self._statements, self._rows = set(), [], []
        await self._tx.execute(statement, *rows)

    async def execute(self, query: str, *arguments: Any) -> str:
        """See Tx."""
        await self.flush()
        return await self._tx.execute(query, *arguments)

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """See Tx."""
        await self.flush()
        return await self._tx.fetch(query, *arguments)

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """See Tx."""
        await self.flush()
        return await self._tx.fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """See Tx."""
        await self.flush()
        return await self._tx.fetchval(query, *arguments)

    async def copy_to_table(self, table_name: str, *, source: Any, schema_name: str, format: str) -> str:
        """See Tx."""
        await self.flush()
        return await self._tx.copy_to_table(table_name, source=source, schema_name=schema_name, format=format)

    def is_closed(self) -> bool:
        """See Tx."""
        return self._tx.is_closed()


async def insert_rows(
    tx: Tx,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Sequence[Any]],
    *,
    suffix: str = "",
) -> None:
    """Insert rows (in the order of `columns`); JSON columns take Python values.

    `suffix` is a trusted clause such as `ON CONFLICT DO NOTHING`.
    """
    if not rows:
        return
    statement, text = _statement(table, columns, suffix), _rows_text(table, columns, rows)
    if isinstance(tx, Gathered):
        await tx.gather(table, statement, text)
    else:
        await tx.execute(statement.format(1), text)


def upsert_suffix(table: Table, columns: tuple[str, ...]) -> str:
    """The clause that makes an insert replace the row of the same primary key."""
    keys = [column.name for column in table.primary_key.columns]
    changed = [f"{_quoted(name)} = excluded.{_quoted(name)}" for name in columns if name not in keys]
    return f"ON CONFLICT ({', '.join(map(_quoted, keys))}) DO UPDATE SET {', '.join(changed)}"


@lru_cache(maxsize=64)
def _statement(table: Table, columns: tuple[str, ...], suffix: str) -> str:
    """The insert; `{}` is where the number of its parameter goes."""
    names = ", ".join(map(_quoted, columns))
    kinds = ", ".join(f"{_quoted(name)} {table.c[name].type.compile(_DIALECT)}" for name in columns)
    return (
        f"INSERT INTO {table.name} ({names}) "
        f"SELECT {names} FROM json_to_recordset(${{}}::text::json) AS u({kinds}) {suffix}"
    )


@lru_cache(maxsize=256)
def _joined(statements: tuple[str, ...]) -> str:
    """Several inserts as one statement, each with its own parameter."""
    *first, last = (statement.format(number) for number, statement in enumerate(statements, start=1))
    if not first:
        return last
    return f"WITH {', '.join(f't{number} AS ({text})' for number, text in enumerate(first))} {last}"


@lru_cache(maxsize=64)
def _json_columns(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if isinstance(table.c[name].type, JSON))


def _rows_text(table: Table, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> str:
    documents = _json_columns(table, columns)
    names = tuple(map(str, columns))  # SQLAlchemy's quoted names are no keys for the encoder
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    for name in documents:
        for item in objects:
            if item[name] is not None:
                item[name] = orjson.Fragment(json.dumps(item[name]))
    return orjson.dumps(objects, default=_as_text).decode()


def _as_text(value: Any) -> str:
    """What JSON has no form for, as PostgreSQL reads it."""
    if isinstance(value, Decimal | UUID):  # a UUID that the driver read is of its own class
        return str(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{type(value).__name__} is no column value")


def _quoted(name: str) -> str:
    return f'"{name}"'
