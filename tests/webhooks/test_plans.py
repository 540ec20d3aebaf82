"""Every question that loops and lists ask often is answered from an index, whatever lies in the tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql

from app.kit.ids import new_id
from app.webhooks import messages
from app.webhooks.claim_sql import CLAIM
from app.webhooks.fanout import _TAKE
from app.webhooks.replay_loop import _FIND, _FIND_MISSING, _WHICH
from app.webhooks.replay_loop import _TAKE as _TAKE_REPLAY
from tests.receiver import Receiver
from tests.webhooks.conftest import Outlet

_FILL = """
WITH made AS (
    INSERT INTO messages (tenant_id, message_id, endpoint_id, event_id, sequence, type, occurred_at,
                          created_at, state, attempts, given_up_at, subject)
    SELECT $1, gen_random_uuid(), $2, gen_random_uuid(), n, 'sla.breached', now(), now(),
           CASE WHEN n % 500 = 0 THEN 'exhausted' WHEN n % 2 = 0 THEN 'delivered' ELSE 'pending' END, 1,
           CASE WHEN n % 500 = 0 THEN now() END, 'case_' || n / 10
      FROM generate_series(1, 20000) n
    RETURNING *
), queued AS (
    INSERT INTO deliveries (tenant_id, delivery_id, message_id, endpoint_id, due_at, manual, first_try,
                            tries, faults, losses)
    SELECT tenant_id, gen_random_uuid(), message_id, endpoint_id, now() + interval '1 day', false, true,
           0, 0, 0 FROM made WHERE state = 'pending'
)
INSERT INTO message_bodies (tenant_id, event_id, body, created_at, type, sequence, occurred_at)
SELECT tenant_id, event_id, '{}', created_at, type, sequence, occurred_at FROM made
"""
_FILL_OUTBOX = """
INSERT INTO outbox (tenant_id, event_id, type, sequence, occurred_at, data, created_at)
SELECT $1, gen_random_uuid(), 'sla.met', n, now(), '{}', now() FROM generate_series(1, 20000) n
"""


@pytest.fixture
async def full(outlet: Outlet, receiver: Receiver) -> Any:
    """Many messages, half of them waiting; the endpoint that they are for."""
    endpoint_id = await outlet.endpoint(receiver.url())
    async with outlet.database.worker() as tx:
        await tx.execute(_FILL, outlet.tenant.tenant_id, endpoint_id)
        await tx.execute(_FILL_OUTBOX, outlet.tenant.tenant_id)
    return endpoint_id


@pytest.fixture
async def analysed(full: Any, server: Any) -> Any:
    import asyncpg

    connection = await asyncpg.connect(server.superuser)
    await connection.execute("ANALYZE")
    await connection.close()
    return full


async def plan(outlet: Outlet, query: str, *arguments: Any) -> str:
    rows = await outlet.sql("EXPLAIN " + query, *arguments)
    return "\n".join(row[0] for row in rows)


def scanned(text: str) -> set[str]:
    """Tables that the plan reads from end to end."""
    return {line.split("Seq Scan on ")[1].split()[0] for line in text.splitlines() if "Seq Scan on " in line}


BIG = {"messages", "deliveries", "message_bodies", "outbox", "attempts"}


async def test_loops_never_read_a_big_table_from_end_to_end(outlet: Outlet, analysed: Any) -> None:
    tenant_id, now = outlet.tenant.tenant_id, datetime.now(UTC)
    since, until = now - timedelta(days=1), now + timedelta(days=1)
    lease = timedelta(seconds=90)
    failed, everything = _FIND.format(which=_WHICH["failed"]), _FIND.format(which=_WHICH["all"])
    plans = {
        "claim": await plan(outlet, CLAIM, True, 100, 32, [], [], new_id(), lease, 5),
        "fan-out": await plan(outlet, _TAKE, 500),
        "replay": await plan(outlet, _TAKE_REPLAY, 10),
        "failed": await plan(outlet, failed, tenant_id, analysed, 0, 0, since, until, [], 20),
        "all": await plan(outlet, everything, tenant_id, analysed, 0, 0, since, until, [], 20),
        "missing": await plan(
            outlet, _FIND_MISSING, tenant_id, analysed, 0, since, until, ["sla.breached"], 20
        ),
    }
    assert {name: scanned(text) & BIG for name, text in plans.items()} == {name: set() for name in plans}, (
        "\n\n".join(plans.values())
    )
    assert "ix_messages_given_up" in plans["failed"]


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"state": "exhausted"}, "ix_messages_given_up"),
        ({"state": "delivered"}, "ix_messages_sequence"),
        ({"endpoint_id": "it"}, "ix_messages_"),
        ({"subject": "case_7"}, "ix_messages_subject"),
        ({}, "ix_messages_sequence"),
    ],
)
async def test_lists_of_messages_come_from_an_index(
    outlet: Outlet, analysed: Any, filters: dict[str, Any], index: str
) -> None:
    filters = {name: analysed if value == "it" else value for name, value in filters.items()}
    async with outlet.database.tenant(outlet.tenant.tenant_id) as connection:
        query = messages.messages_query(
            outlet.tenant.tenant_id,
            filters=filters,
            since=None,
            until=None,
            beyond=None,
            newest_first=True,
            limit=101,
        )
        text = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
        rows = (await connection.exec_driver_sql("EXPLAIN " + text)).all()
    shown = "\n".join(row[0] for row in rows)
    assert index in shown
    assert scanned(shown) & BIG == set()
