"""Rows in the server's binary form: what is copied comes back as it was meant, numbered as it went."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import asyncpg
import pytest

from app.db.copying import copied, copied_int, copied_json, copied_time, copy_numbered
from tests.conftest import Server

KYIV = timezone(timedelta(hours=3))
TIMES = (
    datetime(2026, 3, 29, 12, 0, 0, 123456, tzinfo=UTC),
    datetime(2026, 7, 1, 0, 0, tzinfo=KYIV),
    datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
)
TEXTS = ("", "п'ятниця \U0001f600", "a\tb\\N\n\"c\"", "x" * 70_000)  # fmt: skip
REF = UUID("018f6f9a-0000-7000-8000-000000000001")


@pytest.fixture
async def connection(postgres: Server) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(postgres.superuser)
    await made.execute(
        "CREATE TEMP TABLE copies (n int, ref uuid, said text, at timestamptz, level int, document jsonb)"
    )
    yield made
    await made.close()


def row(text: str, at: datetime, level: int) -> bytes:
    return copied(
        REF.bytes, text.encode(), copied_time(at), copied_int(level), copied_json(b'{"a": [1, null]}')
    )


async def test_every_kind_of_value_comes_back_in_its_place(connection):
    levels = (0, -1, 2**31 - 1, -(2**31))
    given = list(zip(TEXTS, TIMES, levels, strict=True))
    await copy_numbered(connection, "copies", 6, [row(*values) for values in given])
    found = await connection.fetch("SELECT * FROM copies ORDER BY n")
    assert [(item["n"], item["said"], item["at"], item["level"]) for item in found] == [
        (number, *values) for number, values in enumerate(given)
    ]
    assert {(item["ref"], item["document"]) for item in found} == {(REF, '{"a": [1, null]}')}


@pytest.mark.parametrize("spoilt", [row("a", TIMES[0], 1)[:-1], copied(REF.bytes), row("\x00", TIMES[0], 1)])
async def test_a_row_that_is_not_whole_leaves_nothing_behind(connection, spoilt):
    rows = [row("good", TIMES[0], 1), spoilt]
    with pytest.raises(asyncpg.PostgresError):
        await copy_numbered(connection, "copies", 6, rows)
    assert await connection.fetchval("SELECT count(*) FROM copies") == 0
