"""Rows as JSON: every kind of value comes back as it went in, and what follows sees a gathered insert."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.bulk import Gathered, insert_rows, upsert_suffix
from tests.conftest import Server

_METADATA = MetaData()
things = Table(
    "things",
    _METADATA,
    Column("key", Text, primary_key=True),
    Column("number", Numeric),
    Column("place", BigInteger),
    Column("hash", LargeBinary),
    Column("at", DateTime(timezone=True)),
    Column("ref", Uuid),
    Column("flag", Boolean),
    Column("document", JSONB),
)
others = Table("others", _METADATA, Column("key", Text, primary_key=True))
COLUMNS = tuple(column.name for column in things.columns)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM things ORDER BY key"
NOON = datetime(2026, 3, 29, 12, 0, 0, 123456, tzinfo=UTC)
REF = UUID("018f6f9a-0000-7000-8000-000000000001")


class Counted:
    """A connection that counts the statements sent through it."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.sent: list[str] = []

    def __getattr__(self, name: str) -> object:
        method = getattr(self._connection, name)
        if name not in ("execute", "fetch", "fetchrow", "fetchval"):
            return method

        async def counted(query: str, *arguments: object) -> object:
            self.sent.append(query)
            return await method(query, *arguments)

        return counted


@pytest.fixture
async def tx(postgres: Server) -> AsyncIterator[Counted]:
    """A connection with two tables of its own."""
    connection = await asyncpg.connect(postgres.superuser)
    await connection.execute(
        "CREATE TEMP TABLE things (key text PRIMARY KEY, number numeric, place bigint, hash bytea, "
        "at timestamptz, ref uuid, flag boolean, document jsonb)"
    )
    await connection.execute("CREATE TEMP TABLE others (key text PRIMARY KEY)")
    yield Counted(connection)
    await connection.close()


def thing(key: str, **values: object) -> tuple[object, ...]:
    return tuple({"key": key, **values}.get(name) for name in COLUMNS)


async def test_every_kind_of_value_comes_back_as_it_went_in(tx):
    hostile = 'O\'Brien "quoted" \\ $1 {0} %s \u2028 🧨'
    full = thing(
        hostile,
        number=Decimal("12345678901234567890.123456789"),
        place=2**62,
        hash=b"\x00\xff\\x",
        at=NOON,
        ref=REF,
        flag=False,
        document={"nested": [1, None, {"ключ": hostile}], "amount": Decimal("0.1")},
    )
    await insert_rows(tx, things, COLUMNS, [full, thing("empty")])
    stored = [tuple(row) for row in await tx.fetch(SELECT)]
    assert len(tx.sent) == 2
    assert thing("empty") in stored
    [kept] = [row for row in stored if row[0] == hostile]
    assert kept[:-1] == full[:-1]
    assert kept[-1] == '{"amount": 0.1, "nested": [1, null, {"ключ": ' + _quoted(hostile) + "}]}"


async def test_a_json_null_and_no_document_are_both_kept_as_sql_null(tx):
    await insert_rows(tx, things, COLUMNS, [thing("a", document=None)])
    assert await tx.fetchval("SELECT document IS NULL FROM things") is True


async def test_no_rows_send_nothing(tx):
    await insert_rows(tx, things, COLUMNS, [])
    gathered = Gathered(tx)
    await insert_rows(gathered, things, COLUMNS, [])
    await gathered.flush()
    assert tx.sent == []


async def test_inserts_into_several_tables_are_one_round_trip(tx):
    gathered = Gathered(tx)
    await insert_rows(gathered, things, COLUMNS, [thing("a"), thing("b")])
    await insert_rows(gathered, others, ("key",), [("a",)])
    assert tx.sent == []
    await gathered.flush()
    assert len(tx.sent) == 1
    assert await tx.fetchval("SELECT (SELECT count(*) FROM things) + (SELECT count(*) FROM others)") == 3


async def test_what_was_gathered_is_seen_by_the_next_statement(tx):
    gathered = Gathered(tx)
    await insert_rows(gathered, things, COLUMNS, [thing("a")])
    assert await gathered.fetchval("SELECT count(*) FROM things") == 1
    await insert_rows(gathered, things, COLUMNS, [thing("b")])
    assert [row["key"] for row in await gathered.fetch("SELECT key FROM things ORDER BY key")] == ["a", "b"]
    await insert_rows(gathered, things, COLUMNS, [thing("c")])
    assert await gathered.execute("DELETE FROM things WHERE key = $1", "c") == "DELETE 1"


async def test_a_table_that_comes_twice_is_sent_twice_so_that_its_rows_see_each_other(tx):
    keys = ("key", "place")
    suffix = upsert_suffix(things, keys)
    gathered = Gathered(tx)
    await insert_rows(gathered, things, keys, [("a", 1)], suffix=suffix)
    await insert_rows(gathered, others, ("key",), [("a",)])
    await insert_rows(gathered, things, keys, [("a", 2)], suffix=suffix)
    await gathered.flush()
    assert len(tx.sent) == 2
    assert await tx.fetchval("SELECT place FROM things") == 2


async def test_an_upsert_replaces_the_named_columns_and_leaves_the_others(tx):
    await insert_rows(tx, things, ("key", "place", "flag"), [("a", 1, True)])
    await insert_rows(
        tx, things, ("key", "place"), [("a", 2)], suffix=upsert_suffix(things, ("key", "place"))
    )
    row = await tx.fetchrow("SELECT place, flag FROM things")
    assert (row["place"], row["flag"]) == (2, True)


async def test_a_value_that_no_column_takes_is_refused_before_anything_is_sent(tx):
    with pytest.raises(TypeError, match="object"):
        await insert_rows(tx, things, ("key", "number"), [("a", object())])
    assert tx.sent == []


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
