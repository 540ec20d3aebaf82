"""Rows as the server's binary COPY wants them: written when there is time, sent when there is none."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Final

from app.db.engine import Tx

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LENGTH, _INT, _LONG = (struct.Struct(form) for form in ("!i", "!i", "!q"))
_FIRST: Final = struct.Struct("!hii")


def copied(*fields: bytes) -> bytes:
    """All of a row but its number; fields are in the server's binary form (UTF-8 text, or as below)."""
    return b"".join(part for field in fields for part in (_LENGTH.pack(len(field)), field))


def copied_time(at: datetime) -> bytes:
    """A timestamptz: microseconds since 2000."""
    return _LONG.pack((at - _EPOCH) // _MICROSECOND)


def copied_int(number: int) -> bytes:
    """An int4."""
    return _INT.pack(number)


def copied_json(document: bytes) -> bytes:
    """A jsonb, of JSON text."""
    return b"\x01" + document


async def copy_numbered(tx: Tx, table: str, columns: int, rows: Sequence[bytes]) -> None:
    """Send rows into a temporary table (COPY is refused where row-level security is).

    `columns` is how many it has; the first of them is an int4, which numbers the rows from 0.
    """
    parts = [_HEADER]
    for number, row in enumerate(rows):
        parts += (_FIRST.pack(columns, 4, number), row)
    parts.append(_END)
    source = BytesIO(b"".join(parts))
    await tx.copy_to_table(table, source=source, schema_name="pg_temp", format="binary")
