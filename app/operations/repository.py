"""How much waits, for how long, and how many receivers are in trouble."""

from __future__ import annotations

from typing import Any

from app.db.engine import Tx

_QUEUES = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
       (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox)
           AS outbox_age_seconds,
       (SELECT count(*) FROM sla_due WHERE next_at < now()) AS timers_due,
       (SELECT coalesce(extract(epoch FROM now() - min(next_at)), 0)::float8 FROM sla_due
         WHERE next_at < now()) AS timers_late_seconds,
       d.waiting AS deliveries_waiting, d.held AS deliveries_held, d.due AS deliveries_due,
       d.late_seconds AS deliveries_late_seconds,
       (SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables
         WHERE relname IN ('deliveries', 'outbox', 'sla_due')) AS queue_dead_rows,
       e.failing AS endpoints_failing, e.open AS endpoints_left_alone, e.disabled AS endpoints_disabled
  FROM (SELECT count(*) AS waiting, count(*) FILTER (WHERE due_at = 'infinity') AS held,
               count(*) FILTER (WHERE is_open AND due_at <= now()) AS due,
               coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE is_open AND due_at <= now())),
                        0)::float8 AS late_seconds
          FROM deliveries LEFT JOIN (
              SELECT endpoint_id, true AS is_open FROM endpoints
               WHERE disabled_at IS NULL AND (open_until IS NULL OR open_until <= now())) o
               USING (endpoint_id)
       ) d,
       (SELECT count(*) FILTER (WHERE failures >= 5) AS failing,
               count(*) FILTER (WHERE open_until > now()) AS open,
               count(*) FILTER (WHERE disabled_at IS NOT NULL) AS disabled FROM endpoints) e
"""


async def get_queues(tx: Tx) -> dict[str, Any]:
    """Depth and age of the outbox, the due timers and the deliveries.

    What waits for an endpoint that is disabled or left alone is waiting, but neither due nor late;
    so is what an ordered endpoint holds back. Dead rows that grow and grow are kept by a transaction
    that stays open somewhere (a report, a dump).
    """
    return dict(await tx.fetchrow(_QUEUES))
