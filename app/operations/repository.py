"""How much waits, and for how long."""

from __future__ import annotations

from typing import Any

from app.db.engine import Tx

_QUEUES = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
       (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox)
           AS outbox_age_seconds,
       (SELECT count(*) FROM sla_due WHERE next_at < now()) AS timers_due,
       (SELECT coalesce(extract(epoch FROM now() - min(next_at)), 0)::float8 FROM sla_due
         WHERE next_at < now()) AS timers_late_seconds
"""


async def get_queues(tx: Tx) -> dict[str, Any]:
    """Depth and age of the outbox and of the due timers."""
    return dict(await tx.fetchrow(_QUEUES))
