"""Retention: messages, bodies and attempts older than they are wanted, taken in small transactions."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.db.engine import Database
from app.kit.clock import Clock

BATCH = 2_000
EVERY_SECONDS = 3_600.0

# The queue first: what has waited for longer than its message is kept is given up with it.
_STATEMENTS = (
    """
    DELETE FROM deliveries WHERE delivery_id IN (
        SELECT d.delivery_id FROM deliveries d JOIN messages m USING (message_id)
         WHERE m.created_at < $1 AND d.claim_id IS NULL LIMIT $2)
    """,
    """
    DELETE FROM attempts WHERE (attempted_at, message_id, number) IN (
        SELECT attempted_at, message_id, number FROM attempts WHERE attempted_at < $1 LIMIT $2)
    """,
    """
    DELETE FROM messages WHERE message_id IN (
        SELECT m.message_id FROM messages m WHERE m.created_at < $1
           AND NOT EXISTS (SELECT FROM deliveries d WHERE d.message_id = m.message_id) LIMIT $2)
    """,
    """
    DELETE FROM message_bodies WHERE event_id IN (
        SELECT b.event_id FROM message_bodies b WHERE b.created_at < $1
           AND NOT EXISTS (SELECT FROM messages m WHERE m.event_id = b.event_id) LIMIT $2)
    """,
    "DELETE FROM replays WHERE replay_id IN (SELECT replay_id FROM replays WHERE ended_at < $1 LIMIT $2)",
    "DELETE FROM endpoint_secrets WHERE secret_id IN (SELECT secret_id FROM endpoint_secrets "
    "WHERE expires_at < $1 LIMIT $2)",
)


async def prune(database: Database, *, before: datetime) -> int:
    """Delete what was made before this moment; how many rows. Interrupted, it is simply started again.

    `attempts` is partitioned by time as well: whoever owns the schema may drop its partitions instead.
    """
    pruned = 0
    for statement in _STATEMENTS:
        count = BATCH
        while count == BATCH:
            async with database.worker() as tx:
                count = int((await tx.execute(statement, before, BATCH)).rpartition(" ")[2])
            pruned += count
    return pruned


class MessageRetention:
    """The hourly round of `prune`."""

    def __init__(self, database: Database, clock: Clock, *, days: int) -> None:
        self._database = database
        self._clock = clock
        self._days = days

    async def step(self) -> float:
        """Prune once; the seconds until the next time."""
        await prune(self._database, before=self._clock() - timedelta(days=self._days))
        return EVERY_SECONDS
