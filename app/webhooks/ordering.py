"""Ordered endpoints: of each key one message is in the queue, the others wait behind it at `infinity`.

So the claim knows nothing of order: what is held back is never due. A unique index allows one row of a
key in the queue; `promote` moves the next one up, in the transaction in which the one before left, or
in which it came itself. Both take the endpoint's lock first and look afterwards, so that neither can
miss the other. Whatever else takes a row out of the queue (retention, a cancelled replay, a resend
that succeeded) is followed up by `OrderSweep`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from app.db.engine import Database, Tx
from app.webhooks.turns import take_turns

OrderKey = tuple[UUID, str]
"""An endpoint and the key of what must keep its order there."""

SWEEP_KEYS = 1_000
_FIRST: OrderKey = (UUID(int=0), "")

_PROMOTE = """
WITH wanted AS (
    SELECT unnest($1::uuid[]) AS endpoint_id, unnest($2::text[]) AS order_key
), next AS (
    SELECT (SELECT d.delivery_id FROM deliveries d
             WHERE d.endpoint_id = w.endpoint_id AND d.order_key = w.order_key
               AND d.order_key IS NOT NULL AND d.due_at = 'infinity'
             ORDER BY d.order_sequence LIMIT 1) AS delivery_id
      FROM wanted w
     WHERE NOT EXISTS (SELECT FROM deliveries d
                        WHERE d.endpoint_id = w.endpoint_id AND d.order_key = w.order_key
                          AND d.order_key IS NOT NULL AND d.due_at < 'infinity')
), locked AS (
    SELECT d.delivery_id FROM deliveries d JOIN next USING (delivery_id)
     WHERE d.due_at = 'infinity' FOR UPDATE OF d SKIP LOCKED
)
UPDATE deliveries d SET due_at = now() FROM locked WHERE d.delivery_id = locked.delivery_id
"""
_HELD = """
WITH RECURSIVE keys AS (
    (SELECT endpoint_id, order_key FROM deliveries
      WHERE order_key IS NOT NULL AND due_at = 'infinity' AND (endpoint_id, order_key) > ($1, $2)
      ORDER BY endpoint_id, order_key LIMIT 1)
    UNION ALL
    SELECT next.* FROM keys k CROSS JOIN LATERAL (
        SELECT d.endpoint_id, d.order_key FROM deliveries d
         WHERE d.order_key IS NOT NULL AND d.due_at = 'infinity'
           AND (d.endpoint_id, d.order_key) > (k.endpoint_id, k.order_key)
         ORDER BY d.endpoint_id, d.order_key LIMIT 1) next
), looked_at AS (SELECT * FROM keys LIMIT $3)
SELECT k.endpoint_id, k.order_key,
       EXISTS (SELECT FROM deliveries d
                WHERE d.endpoint_id = k.endpoint_id AND d.order_key = k.order_key
                  AND d.order_key IS NOT NULL AND d.due_at < 'infinity') AS is_led
  FROM looked_at k
"""


async def promote(tx: Tx, keys: Collection[OrderKey]) -> int:
    """Move the next message of these keys up where none is in the queue; how many were moved.

    The last statement of its transaction: the lock that it takes is to be waited for by nobody
    who holds what the rest of the transaction still wants.
    """
    if not keys:
        return 0
    ordered = sorted(set(keys))
    await take_turns(tx, {endpoint_id for endpoint_id, _ in ordered})
    ids, names = [key[0] for key in ordered], [key[1] for key in ordered]
    return int((await tx.execute(_PROMOTE, ids, names)).rpartition(" ")[2])


class OrderSweep:
    """Finds keys of which messages are held back although none is in the queue; a stretch a step."""

    def __init__(self, database: Database, ring: Callable[[], None], *, poll_seconds: float = 1.0) -> None:
        self._database = database
        self._ring = ring
        self._poll_seconds = poll_seconds
        self._place = _FIRST

    async def step(self) -> float:
        """Look at the next keys; the seconds until the next look."""
        async with self._database.worker() as tx:
            rows = await tx.fetch(_HELD, *self._place, SWEEP_KEYS)
            forgotten = [(row["endpoint_id"], row["order_key"]) for row in rows if not row["is_led"]]
            moved = await promote(tx, forgotten)
        is_more = len(rows) == SWEEP_KEYS
        self._place = (rows[-1]["endpoint_id"], rows[-1]["order_key"]) if is_more else _FIRST
        if moved:
            self._ring()
        return self._poll_seconds
