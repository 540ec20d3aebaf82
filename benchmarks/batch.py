"""Batches of 1,000 events beside COPY of the very rows that they became, into the same indexed tables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import asyncpg

from benchmarks.bodies import Ratings, post
from benchmarks.load import Load
from benchmarks.plan import Plan
from benchmarks.processes import free_port, running
from benchmarks.report import Goal, Line
from benchmarks.stage import Place, Stage

SIZE = 1_000
CONNECTIONS = 2
_NDJSON = "application/x-ndjson"
# how the rows of a span of commits are found in each table that ratings fill
_TABLES = {
    "events": "position > $1",
    "event_personal": "event_id IN (SELECT event_id FROM events WHERE position > $1)",
    "feedback": "position > $1",
}


@dataclass(frozen=True, slots=True)
class _Copied:
    """Rows of one table in the order in which they were written, as its COPY takes them."""

    table: str
    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """Our events per second, then COPY of what those became, repetition by repetition."""
    line = Line("batch of 1,000 (NDJSON) x 2", "events/s", "COPY of its rows", Goal(">= 0.6", at_least=0.6))
    port, bodies = free_port(), Ratings()
    with running(["-m", "app", "serve"], place.environment(port), port):
        async with Load(port, CONNECTIONS) as load, place.superuser() as connection:

            def ask() -> bytes:
                return post("/v1/events", bodies.batch(SIZE), key=place.key, media_type=_NDJSON)

            (await load.flat_out(0.5, ask)).check(200)
            await _make_copies(connection)
            for _ in range(plan.repetitions):
                before = await connection.fetchval("SELECT coalesce(max(position), 0) FROM events")
                measured = (await load.flat_out(plan.window_seconds, ask)).check(200)
                sent = len(measured.latencies) * SIZE
                written = await _read(connection, before)
                line.add(sent / measured.seconds, sent / await _copy_all(place, written))
                line.note = f"{sent} events, p50 {measured.percentile_ms(0.5):.0f} ms a batch"
    return [line]


async def _make_copies(connection: asyncpg.Connection) -> None:
    """Tables like ours, with the rows that ours hold by now."""
    for table in _TABLES:
        await connection.execute(f"CREATE TABLE {table}_copy (LIKE {table} INCLUDING ALL)")
        await connection.execute(f"INSERT INTO {table}_copy SELECT * FROM {table}")


async def _read(connection: asyncpg.Connection, above: int) -> list[_Copied]:
    found = []
    for table, condition in _TABLES.items():
        rows = await connection.fetch(f"SELECT * FROM {table} WHERE {condition}", above)
        found.append(_Copied(f"{table}_copy", list(rows[0].keys()), [tuple(row) for row in rows]))
    return found


async def _copy_all(place: Place, written: Sequence[_Copied]) -> float:
    """Seconds that COPY takes: as many connections, as many events a transaction."""
    count = max(len(part.rows) for part in written)
    firsts = iter(range(0, count, SIZE))

    async def copy_chunks() -> None:
        async with place.superuser() as connection:
            for first in firsts:
                async with connection.transaction():
                    for part in written:
                        rows = part.rows[first : first + SIZE]
                        await connection.copy_records_to_table(part.table, records=rows, columns=part.columns)

    started = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(copy_chunks())
    return perf_counter() - started
