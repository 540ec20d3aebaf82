"""Retention: messages, bodies and attempts older than they are wanted, taken in small transactions."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import Database
from app.kit.clock import Clock

BATCH = 2_000
EVERY_SECONDS = 3_600.0

# The queue first: what has waited for longer than its message is kept is given up with it.
_STATEMENTS = (
    """
    DELETE FROM deliveries WHERE delivery_id IN (
        SELECT d.delivery_id FROM deliveries d JOIN messages m USING (message_id)
         WHERE m.created_at < $1 AND ($3::uuid IS NULL OR m.tenant_id = $3) AND d.claim_id IS NULL LIMIT $2)
    """,
    """
    DELETE FROM attempts WHERE (attempted_at, message_id, number) IN (
        SELECT attempted_at, message_id, number FROM attempts
         WHERE attempted_at < $1 AND ($3::uuid IS NULL OR tenant_id = $3) LIMIT $2)
    """,
    """
    DELETE FROM messages WHERE message_id IN (
        SELECT m.message_id FROM messages m
         WHERE m.created_at < $1 AND ($3::uuid IS NULL OR m.tenant_id = $3)
           AND NOT EXISTS (SELECT FROM deliveries d WHERE d.message_id = m.message_id) LIMIT $2)
    """,
    """
    DELETE FROM message_bodies WHERE event_id IN (
        SELECT b.event_id FROM message_bodies b
         WHERE b.created_at < $1 AND ($3::uuid IS NULL OR b.tenant_id = $3)
           AND NOT EXISTS (SELECT FROM messages m WHERE m.event_id = b.event_id) LIMIT $2)
    """,
    """
    DELETE FROM replays WHERE replay_id IN (
        SELECT replay_id FROM replays
         WHERE ended_at < $1 AND ($3::uuid IS NULL OR tenant_id = $3) LIMIT $2)
    """,
    """
    DELETE FROM endpoint_secrets WHERE secret_id IN (
        SELECT secret_id FROM endpoint_secrets
         WHERE expires_at < $1 AND ($3::uuid IS NULL OR tenant_id = $3) LIMIT $2)
    """,
)
_RULE = "SELECT text_days FROM retention_rules WHERE tenant_id = $1"


async def prune(database: Database, *, before: datetime, tenant_id: UUID | None = None) -> int:
    """Delete what was made before this moment (of one tenant, if told); how many rows.

    Interrupted, it is simply started again.
    `attempts` is partitioned by time as well: whoever owns the schema may drop its partitions instead.
    """
    pruned = 0
    for statement in _STATEMENTS:
        count = BATCH
        while count == BATCH:
            async with database.worker() as tx:
                count = int((await tx.execute(statement, before, BATCH, tenant_id)).rpartition(" ")[2])
            pruned += count
    return pruned


class MessageRetention:
    """The hourly round of `prune`: by the service's days, and by those a tenant keeps words for.

    What is posted is a copy of words and references, which must not outlive its original.
    """

    def __init__(self, database: Database, clock: Clock, *, days: int) -> None:
        self._database = database
        self._clock = clock
        self._days = days

    async def step(self) -> float:
        """Prune once; the seconds until the next time."""
        await prune(self._database, before=self._clock() - timedelta(days=self._days))
        async with self._database.worker() as tx:
            tenants = await tx.fetch("SELECT tenant_id FROM tenants ORDER BY tenant_id")
        for row in tenants:
            await self._prune_of(row["tenant_id"])
        return EVERY_SECONDS

    async def _prune_of(self, tenant_id: UUID) -> None:
        async with self._database.write(tenant_id) as tx:
            days: int | None = await tx.fetchval(_RULE, tenant_id)
        if days is not None and days < self._days:
            before = self._clock() - timedelta(days=days)
            await prune(self._database, before=before, tenant_id=tenant_id)
