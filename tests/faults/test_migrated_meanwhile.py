"""A newer release migrates the schema while this one serves: columns, tables, an index, under full load."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import httpx
import pytest

from app.kit.loops import Loop, run_loops
from tests.builders import event, query
from tests.conftest import Server
from tests.receiver import Receiver, status
from tests.webhooks.conftest import SECRET, Outlet

# What migrations do to tables that are in use. Like those, each waits five seconds for its lock at most.
_CHANGES = (
    *(
        f"ALTER TABLE {table} ADD COLUMN from_the_future text"
        for table in ("events", "tenant_head", "cases", "outbox", "messages", "deliveries", "endpoints")
    ),
    "ALTER TABLE message_bodies ADD COLUMN from_the_future integer NOT NULL DEFAULT 7",
    "CREATE TABLE from_the_future (tenant_id uuid PRIMARY KEY)",
    "CREATE INDEX ix_messages_future ON messages (tenant_id, last_status)",
    "ALTER TABLE deliveries ALTER COLUMN tries SET DEFAULT 0",
)


async def migrate_slowly(server: Server) -> None:
    connection = await asyncpg.connect(server.owner, server_settings={"lock_timeout": "5s"})
    for statement in _CHANGES:
        await connection.execute(statement)
        await asyncio.sleep(0.15)
    await connection.close()


@pytest.mark.full
async def test_a_migration_under_load_loses_nothing_and_refuses_nobody_for_long(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, server: Server
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200), secret=SECRET.text), "case.opened")
    done, slowest, refused = 0, 0.0, 0
    over = asyncio.Event()

    async def post(caller: int) -> None:
        nonlocal done, slowest, refused
        number = 0
        while not over.is_set():
            fact = event("case.opened", f"{caller}-{number}", subject=f"case/{caller}-{number}")
            started = time.monotonic()
            answer = await client.post("/v1/events", json=fact)
            slowest = max(slowest, time.monotonic() - started)
            if answer.status_code in (200, 201):
                done, number = done + 1, number + 1
            else:  # come again with the same
                assert answer.status_code == 503, answer.text
                refused += 1
                await asyncio.sleep(0.05)

    dispatcher = outlet.dispatcher()
    stop = asyncio.Event()
    loops = [Loop("fanout", outlet.fanout.step), Loop("sweep", outlet.sweep.step), *dispatcher.loops()]
    running = asyncio.create_task(run_loops(loops, stop))
    posting = [asyncio.create_task(post(caller)) for caller in range(4)]
    await receiver.wait_for(10, timeout_seconds=20)
    await migrate_slowly(server)
    seen = len(receiver.arrivals())
    await receiver.wait_for(seen + 10, timeout_seconds=20)
    over.set()
    await asyncio.gather(*posting)
    await receiver.wait_for(done, timeout_seconds=30)
    stop.set()
    await running
    await dispatcher.close(2)
    stored = (await query(server, "SELECT count(*) AS n FROM events WHERE type = 'case.opened'"))[0]["n"]
    ids = [arrival.webhook_id for arrival in receiver.arrivals()]
    print(f"{done} events, {refused} refused, slowest {slowest:.2f} s, {len(ids) - len(set(ids))} repeats")
    assert stored == done
    assert len(set(ids)) == done
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}
    assert slowest < 6.0
    assert refused < 40
    assert sum(loop.failures for loop in loops) < 40  # a plan that no longer fits is made anew
    assert {row["outcome"] for row in await outlet.attempts()} == {"delivered"}  # and costs no attempt
