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
# Words may be kept for less time than the record of what was sent: then bodies go first, with what the
# receiver replied to them and with what still waits to be sent.
_FORGET_WORDS = """
WITH gone AS (
    DELETE FROM message_bodies WHERE event_id IN (
        SELECT event_id FROM message_bodies WHERE created_at < $1 AND tenant_id = $3 LIMIT $2)
    RETURNING tenant_id, event_id, sequence
), told AS (
    SELECT m.message_id FROM gone g
      JOIN messages m ON m.tenant_id = g.tenant_id AND m.sequence = g.sequence AND m.event_id = g.event_id
), unqueued AS (
    DELETE FROM deliveries d USING told WHERE d.message_id = told.message_id AND d.claim_id IS NULL
    RETURNING d.message_id
), marked AS (
    UPDATE messages m SET redacted_at = now(),
           state = CASE WHEN u.message_id IS NULL THEN m.state ELSE 'cancelled' END,
           settled_at = CASE WHEN u.message_id IS NULL THEN m.settled_at ELSE now() END,
           given_up_at = CASE WHEN u.message_id IS NULL THEN m.given_up_at ELSE now() END
      FROM told LEFT JOIN unqueued u USING (message_id)
     WHERE m.message_id = told.message_id
), quieted AS (
    UPDATE attempts a SET reply_excerpt = NULL, detail = NULL FROM told WHERE a.message_id = told.message_id
)
SELECT count(*) FROM gone
"""
_RULE = "SELECT text_days, message_days FROM retention_rules WHERE tenant_id = $1"


def days_kept(service_days: int, text_days: int | None, message_days: int | None) -> tuple[int, int]:
    """Days that (messages and attempts, the words in them) are kept.

    Never longer than the service's, and words never longer than the tenant keeps their originals;
    without days of their own messages go with the words.
    """
    wanted = text_days if message_days is None else message_days
    records = service_days if wanted is None else min(service_days, wanted)
    return records, records if text_days is None else min(records, text_days)


async def forget_words(database: Database, *, before: datetime, tenant_id: UUID) -> int:
    """Take the bodies of a tenant that were made before this moment; the record of them stays. How many."""
    forgotten, count = 0, BATCH
    while count == BATCH:
        async with database.worker() as tx:
            count = int(await tx.fetchval(_FORGET_WORDS, before, BATCH, tenant_id))
        forgotten += count
    return forgotten


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
    """The hourly round of `prune`: by the service's days, and by a tenant's own.

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
            rule = await tx.fetchrow(_RULE, tenant_id)
        if rule is None:
            return
        records, words = days_kept(self._days, rule["text_days"], rule["message_days"])
        now = self._clock()
        if records < self._days:
            await prune(self._database, before=now - timedelta(days=records), tenant_id=tenant_id)
        if words < records:
            await forget_words(self._database, before=now - timedelta(days=words), tenant_id=tenant_id)
