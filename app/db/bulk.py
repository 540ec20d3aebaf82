"""Many rows in one statement: INSERT .. SELECT FROM unnest, built from the table's own columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from app.db.engine import Tx
from app.kit import json

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=64)
def _statement(table: Table, columns: tuple[str, ...], suffix: str) -> str:
    arrays, selected = [], []
    for number, name in enumerate(columns, start=1):
        kind = table.c[name].type
        if isinstance(kind, JSONB):
            arrays.append(f"${number}::text[]")
            selected.append(f"u.{_quoted(name)}::jsonb")
        else:
            arrays.append(f"${number}::{kind.compile(_DIALECT)}[]")
            selected.append(f"u.{_quoted(name)}")
    names = ", ".join(map(_quoted, columns))
    return (
        f"INSERT INTO {table.name} ({names}) "  # noqa: S608 - names come from the table's declaration
        f"SELECT {', '.join(selected)} FROM unnest({', '.join(arrays)}) AS u({names}) {suffix}"
    )


async def insert_rows(
    tx: Tx, table: Table, columns: tuple[str, ...], rows: Sequence[Sequence[Any]], *, suffix: str = ""
) -> None:
    """Insert rows (in the order of `columns`); JSON columns take Python values.

    `suffix` is a trusted clause such as `ON CONFLICT DO NOTHING`. Arrays cannot be unnested,
    so a table with array columns is not for this function.
    """
    if not rows:
        return
    arguments: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    for number, name in enumerate(columns):
        if isinstance(table.c[name].type, JSONB):
            arguments[number] = [None if value is None else json.dumps_text(value) for value in arguments[number]]
    await tx.execute(_statement(table, columns, suffix), *arguments)


def upsert_suffix(table: Table, columns: tuple[str, ...]) -> str:
    """The clause that makes an insert replace the row of the same primary key."""
    keys = [column.name for column in table.primary_key.columns]
    changed = [f"{_quoted(name)} = excluded.{_quoted(name)}" for name in columns if name not in keys]
    return f"ON CONFLICT ({', '.join(map(_quoted, keys))}) DO UPDATE SET {', '.join(changed)}"


def _quoted(name: str) -> str:
    return f'"{name}"'
