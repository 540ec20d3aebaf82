"""A transaction that stays open beside the queue: dead rows pile up, and claims do not read through them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from app.kit.ids import new_id
from app.webhooks.claim_sql import CLAIM, CLAIM_OF_KNOWN
from tests.conftest import Server
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet

DEAD = 12_000
_CHURN = (
    """
    INSERT INTO deliveries (tenant_id, delivery_id, message_id, endpoint_id, due_at, manual, first_try, tries,
                            faults, losses)
    SELECT $1, gen_random_uuid(), gen_random_uuid(), $2, now() - interval '1 minute' * random(), false, true,
           0, 0, 0 FROM generate_series(1, $3)
    """,
    "UPDATE deliveries SET claim_id = gen_random_uuid(), due_at = now() + interval '90 seconds'",
    "DELETE FROM deliveries",
)


@asynccontextmanager
async def an_open_report(server: Server) -> AsyncIterator[None]:
    """Somebody's report, which sees the database as it was when it began."""
    connection = await asyncpg.connect(server.superuser)
    async with connection.transaction(isolation="repeatable_read"):
        await connection.fetchval("SELECT count(*) FROM endpoints")
        yield
    await connection.close()


async def pages_read(outlet: Outlet, query: str, *known: object) -> int:
    """How many pages a claim touches."""
    arguments = (True, 100, 32, [], [], new_id(), timedelta(seconds=90), 5, *known)
    rows = await outlet.sql("EXPLAIN (ANALYZE, BUFFERS) " + query, *arguments)
    plan = "\n".join(row[0] for row in rows)
    found = re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan)
    assert found, plan
    return int(found[1]) + int(found[2] or 0)


async def test_claims_stay_cheap_behind_rows_that_no_vacuum_can_take(
    outlet: Outlet, receiver: Receiver, server: Server
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)))
    fresh = await pages_read(outlet, CLAIM)
    async with an_open_report(server):
        churn, *rest = _CHURN
        await outlet.sql(churn, outlet.tenant.tenant_id, endpoint_id, DEAD)
        for statement in rest:
            await outlet.sql(statement)
        live_from = datetime.now(UTC) + timedelta(seconds=100)  # after all that died
        ignorant = await pages_read(outlet, CLAIM)
        knowing = await pages_read(outlet, CLAIM_OF_KNOWN, [endpoint_id], [True], [live_from])
        assert ignorant > DEAD / 10, "nothing piled up: this test proved nothing"
        assert knowing <= fresh + 20, (fresh, ignorant, knowing)
        await outlet.announce(count=50)
        await outlet.fan_out()
        await outlet.deliver(outlet.dispatcher())
        assert {row["state"] for row in await outlet.messages()} == {"delivered"}
