"""Fan-out: an outbox row becomes a message for each endpoint that asked for its type, in order."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Database, Tx
from app.db.tables.webhooks import deliveries, message_bodies, messages
from app.domain.ordering import Ordering, order_key
from app.kit import json
from app.kit.ids import new_id
from app.webhooks.notices import announce_notices
from app.webhooks.ordering import promote
from app.webhooks.subscription import Subscription, passing
from app.webhooks.turns import FANOUT, try_turn

BATCH = 500
GIVE_WAY_SECONDS = 0.05

_WAITING = "SELECT EXISTS (SELECT FROM outbox) AS announced, EXISTS (SELECT FROM notices) AS noted"
# Tenants take turns, each in its own order: a flood of one is no delay for another. A tenant's own rows
# are bounded from both sides, and the ids an array, so that no plan ever reads through the flood.
_TAKE = """
WITH RECURSIVE tenants AS (
    (SELECT tenant_id FROM outbox ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT next.* FROM tenants t CROSS JOIN LATERAL (
        SELECT o.tenant_id FROM outbox o WHERE o.tenant_id > t.tenant_id ORDER BY o.tenant_id LIMIT 1) next
), turns AS (
    SELECT o.outbox_id, row_number() OVER (PARTITION BY t.tenant_id ORDER BY o.outbox_id) AS turn
      FROM tenants t CROSS JOIN LATERAL (
        SELECT o.outbox_id FROM outbox o
         WHERE (o.tenant_id, o.outbox_id) >= (t.tenant_id, 0) AND o.tenant_id <= t.tenant_id
         ORDER BY o.tenant_id, o.outbox_id LIMIT greatest(1, $1 / (SELECT count(*) FROM tenants))) o
)
DELETE FROM outbox
 WHERE outbox_id = any(ARRAY(SELECT outbox_id FROM turns ORDER BY turn, outbox_id LIMIT $1))
RETURNING outbox_id, tenant_id, event_id, type, sequence, occurred_at, data::text AS data, now() AS now,
          left(coalesce(data->'subject'->>'id', data->'case'->>'id'), 200) AS subject,
          (SELECT count(*) FROM tenants) AS tenants
"""
# KEY SHARE: an endpoint deleted meanwhile waits for us, and then takes the new messages along.
# One that we disabled as failing keeps collecting; gone and hand-disabled ones asked for silence, but
# what they would have got is kept for as long as messages are: a replay can still send it.
_ENDPOINTS = """
SELECT endpoint_id, tenant_id, event_types, filter, payload, format, ordering,
       disabled_at IS NULL OR disabled_reason = 'failing' AS is_listening
  FROM endpoints WHERE tenant_id = any($1) ORDER BY endpoint_id FOR KEY SHARE
"""
_UTC = re.compile(r'"(?<!\\")([0-9-]{10}T[0-9:.]{8,15})\+00:00"')
BODY_COLUMNS = ("tenant_id", "event_id", "body", "created_at", "type", "sequence", "occurred_at")
MESSAGE_COLUMNS = (
    "tenant_id",
    "message_id",
    "endpoint_id",
    "event_id",
    "sequence",
    "type",
    "occurred_at",
    "created_at",
    "state",
    "attempts",
    "payload",
    "format",
    "subject",
)
DELIVERY_COLUMNS = (
    "tenant_id",
    "delivery_id",
    "message_id",
    "endpoint_id",
    "due_at",
    "manual",
    "first_try",
    "tries",
    "faults",
    "losses",
    "order_key",
    "order_sequence",
)
HELD = "infinity"
_ENDPOINT_ID, _ORDER_KEY = DELIVERY_COLUMNS.index("endpoint_id"), DELIVERY_COLUMNS.index("order_key")


class Fanout:
    """One step takes a batch of the outbox; `ring` wakes the dispatchers when there is something for them.

    One fan-out runs at a time in the whole installation (a turn, see `turns.py`): so messages
    become visible in the order of their `sequence`, and a reader that goes on after the last one
    it saw misses none.
    """

    def __init__(
        self,
        database: Database,
        ring: Callable[[], None],
        *,
        poll_seconds: float = 1.0,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._ring = ring
        self._poll_seconds = poll_seconds
        self._gives_way = gives_way

    async def step(self) -> float:
        """Fan one batch out; the seconds until it is worth looking again.

        While thousands are being told it gives way: handing on the first would make the last ones late.
        """
        if self._gives_way():
            return GIVE_WAY_SECONDS
        async with self._database.worker() as tx:
            waiting = await tx.fetchrow(_WAITING)
            taken: list[Any] = []
            if waiting["announced"]:
                if not await try_turn(tx, FANOUT):
                    return self._poll_seconds / 10
                taken = sorted(await tx.fetch(_TAKE, BATCH), key=lambda row: row["outbox_id"])
            made = await _fan_out(tx, taken) if taken else 0
        if made:
            self._ring()
        moved = await announce_notices(self._database) if waiting["noted"] else 0
        return 0.0 if moved or _may_be_more(taken) else self._poll_seconds


def _may_be_more(taken: Sequence[Any]) -> bool:
    """True when a tenant got no more than its share of the batch."""
    if not taken:
        return False
    share: int = max(1, BATCH // taken[0]["tenants"])
    return max(Counter(row["tenant_id"] for row in taken).values()) >= share


async def _fan_out(tx: Tx, taken: Sequence[Any]) -> int:
    by_tenant: defaultdict[UUID, list[Subscription]] = defaultdict(list)
    for row in await tx.fetch(_ENDPOINTS, list({row["tenant_id"] for row in taken})):
        by_tenant[row["tenant_id"]].append(Subscription(row))
    bodies, made, queued = [], [], []
    for row in taken:
        asking = [endpoint for endpoint in by_tenant[row["tenant_id"]] if endpoint.wants(row["type"])]
        if not asking:
            continue
        body = message_body(row["type"], row["occurred_at"], row["data"])
        wanting = passing(asking, row, body)
        if wanting:
            facts = (row["type"], row["sequence"], row["occurred_at"])
            bodies.append((row["tenant_id"], row["event_id"], body, row["now"], *facts))
        for endpoint in wanting:
            if endpoint.is_listening:
                message_id = new_id()
                made.append(message_row(row, message_id, endpoint.row, now=row["now"]))
                queued.append(delivery_row(row, message_id, endpoint.row, due_at=row["now"]))
    await insert_rows(tx, message_bodies, BODY_COLUMNS, bodies, suffix="ON CONFLICT DO NOTHING")
    await store_messages(tx, made, queued)
    return len(made)


async def store_messages(
    tx: Tx, made: Sequence[Sequence[Any]], queued: Sequence[Sequence[Any]], *, replayed: bool = False
) -> None:
    """Store messages with their places in the queue; those of a replay carry its id as one column more."""
    more = ("replay_id",) if replayed else ()
    await insert_rows(tx, messages, MESSAGE_COLUMNS + more, made)
    await insert_rows(tx, deliveries, DELIVERY_COLUMNS + more, queued)
    keys = {(row[_ENDPOINT_ID], row[_ORDER_KEY]) for row in queued if row[_ORDER_KEY] is not None}
    await promote(tx, keys)


def message_body(event_type: str, occurred_at: datetime, data: str) -> bytes:
    """What is posted. `data` is JSON text and goes out as it is, but that all times in UTC end in `Z`."""
    head = json.dumps({"type": event_type, "timestamp": occurred_at}).decode()
    return _UTC.sub(r'"\1Z"', f'{head[:-1]},"data":{data}}}').encode()


def message_row(event: Any, message_id: UUID, endpoint: Any, *, now: datetime) -> tuple[Any, ...]:
    """A new message, in the order of MESSAGE_COLUMNS."""
    facts = (event["event_id"], event["sequence"], event["type"], event["occurred_at"])
    shape = (endpoint["payload"], endpoint["format"], event["subject"])
    return (event["tenant_id"], message_id, endpoint["endpoint_id"], *facts, now, "pending", 0, *shape)


def delivery_row(
    event: Any, message_id: UUID, endpoint: Any, *, due_at: datetime, first_try: bool = True
) -> tuple[Any, ...]:
    """A place in the queue, in the order of DELIVERY_COLUMNS; held back where order matters."""
    key = order_key(Ordering(endpoint["ordering"]), event["subject"])
    place = (None, None) if key is None else (key, event["sequence"])
    due: datetime | str = due_at if key is None else HELD
    ids = (event["tenant_id"], new_id(), message_id, endpoint["endpoint_id"])
    return (*ids, due, False, first_try, 0, 0, 0, *place)
