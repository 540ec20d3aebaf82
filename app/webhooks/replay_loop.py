"""Does what replays ask for: queues a second's worth at a time, and stands where it stood after a crash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.db.engine import Database, Tx
from app.domain.outgoing import subject_of
from app.kit import json
from app.kit.ids import new_id
from app.webhooks.fanout import delivery_row, message_row, store_messages
from app.webhooks.ordering import promote
from app.webhooks.subscription import Subscription, passing

PAUSE_SECONDS = 5.0
MAX_WAITING_SECONDS = 10
"""No more is queued while that many seconds' worth waits: cancelling then still means something."""

_TAKE = """
SELECT r.*, (SELECT count(*) FROM (SELECT FROM deliveries d WHERE d.replay_id = r.replay_id
              LIMIT r.messages_per_second * $1) waiting) AS waiting
  FROM replays r WHERE r.state = 'running' AND r.due_at <= now()
 ORDER BY r.due_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED
"""
_ENDPOINT = """
SELECT endpoint_id, event_types, filter, payload, format, ordering, disabled_at, true AS is_listening
  FROM endpoints WHERE endpoint_id = $1 FOR KEY SHARE
"""
_FIND = """
SELECT message_id, sequence, number FROM messages
 WHERE tenant_id = $1 AND endpoint_id = $2 AND (sequence, number) > ($3, $4)
   AND created_at >= $5 AND created_at < $6 AND (cardinality($7::text[]) = 0 OR type = any($7)) AND {which}
 ORDER BY sequence, number LIMIT $8
"""
_WHICH = {"failed": "given_up_at IS NOT NULL", "all": "state <> 'pending'"}
# Delivered stays delivered whatever comes of one more try; what had been given up is pending again.
_QUEUE = """
WITH locked AS (
    SELECT m.* FROM messages m
     WHERE m.message_id = any($1) AND m.state <> 'pending'
       AND EXISTS (SELECT FROM message_bodies b WHERE b.event_id = m.event_id)
       AND NOT EXISTS (SELECT FROM deliveries d WHERE d.message_id = m.message_id)
     ORDER BY m.message_id FOR NO KEY UPDATE
), revived AS (
    UPDATE messages m SET replay_id = $2, given_up_at = NULL,
           state = CASE WHEN m.state = 'delivered' THEN m.state ELSE 'pending' END,
           settled_at = CASE WHEN m.state = 'delivered' THEN m.settled_at END
      FROM locked WHERE m.message_id = locked.message_id
    RETURNING m.tenant_id, m.message_id, m.endpoint_id, m.sequence,
              CASE $3 WHEN 'subject' THEN coalesce(m.subject, '') WHEN 'endpoint' THEN '*' END AS order_key
)
INSERT INTO deliveries (tenant_id, delivery_id, message_id, endpoint_id, due_at, manual, first_try, tries,
                        faults, losses, replay_id, order_key, order_sequence)
SELECT tenant_id, gen_random_uuid(), message_id, endpoint_id,
       CASE WHEN order_key IS NULL THEN now() ELSE 'infinity' END, false, false, 0, 0, 0, $2,
       order_key, CASE WHEN order_key IS NOT NULL THEN sequence END
  FROM revived
RETURNING endpoint_id, order_key
"""
_FIND_MISSING = """
SELECT b.*, now() AS now FROM message_bodies b
 WHERE b.tenant_id = $1 AND b.sequence > $3 AND b.created_at >= $4 AND b.created_at < $5 AND b.type = any($6)
   AND (SELECT m.message_id FROM messages m WHERE m.endpoint_id = $2 AND m.sequence = b.sequence
           AND m.event_id = b.event_id LIMIT 1) IS NULL
 ORDER BY b.tenant_id, b.sequence LIMIT $7
"""
_ADVANCE = """
UPDATE replays SET at_sequence = $2, at_number = $3, queued = queued + $4, passed_over = passed_over + $5,
       due_at = now() + interval '1 second', state = CASE WHEN $6 THEN 'done' ELSE state END,
       ended_at = CASE WHEN $6 THEN now() END
 WHERE replay_id = $1
"""
_PAUSE = "UPDATE replays SET due_at = now() + make_interval(secs => $2) WHERE replay_id = $1"
_DROP = "UPDATE replays SET state = 'cancelled', ended_at = now() WHERE replay_id = $1"


class Replayer:
    """One step queues the next batch of the replay that is most overdue; any number may run."""

    def __init__(self, database: Database, ring: Callable[[], None], *, poll_seconds: float = 1.0) -> None:
        self._database = database
        self._ring = ring
        self._poll_seconds = poll_seconds

    async def step(self) -> float:
        """Do one batch; the seconds until it is worth looking again."""
        async with self._database.worker() as tx:
            job = await tx.fetchrow(_TAKE, MAX_WAITING_SECONDS)
            if job is None:
                return self._poll_seconds
            queued = await _batch(tx, job)
        if queued:
            self._ring()
        return 0.0


async def _batch(tx: Tx, job: Any) -> int:
    endpoint = await tx.fetchrow(_ENDPOINT, job["endpoint_id"])
    if endpoint is None:
        await tx.execute(_DROP, job["replay_id"])
        return 0
    full = job["messages_per_second"] * MAX_WAITING_SECONDS
    if endpoint["disabled_at"] is not None or job["waiting"] >= full:
        seconds = 1.0 if endpoint["disabled_at"] is None else PAUSE_SECONDS
        await tx.execute(_PAUSE, job["replay_id"], seconds)
        return 0
    work = _queue_missing if job["which"] == "missing" else _queue_again
    found, queued = await work(tx, job, endpoint)
    limit = job["messages_per_second"]
    last = found[-1] if found else {"sequence": job["at_sequence"], "number": job["at_number"]}
    place = (last["sequence"], last.get("number") or 0)
    is_over = len(found) < limit
    await tx.execute(_ADVANCE, job["replay_id"], *place, queued, len(found) - queued, is_over)
    return queued


async def _queue_again(tx: Tx, job: Any, endpoint: Any) -> tuple[Sequence[Any], int]:
    found = await tx.fetch(
        _FIND.format(which=_WHICH[job["which"]]),
        *(job[name] for name in ("tenant_id", "endpoint_id", "at_sequence", "at_number", "since", "until")),
        *(job[name] for name in ("event_types", "messages_per_second")),
    )
    ids = [row["message_id"] for row in found]
    queued = await tx.fetch(_QUEUE, ids, job["replay_id"], endpoint["ordering"])
    await promote(
        tx, {(row["endpoint_id"], row["order_key"]) for row in queued if row["order_key"] is not None}
    )
    return found, len(queued)


async def _queue_missing(tx: Tx, job: Any, endpoint: Any) -> tuple[Sequence[Any], int]:
    found = await tx.fetch(
        _FIND_MISSING,
        *(job[name] for name in ("tenant_id", "endpoint_id", "at_sequence", "since", "until")),
        *(job[name] for name in ("event_types", "messages_per_second")),
    )
    subscription = Subscription(endpoint)
    made, queued = [], []
    for row in found:
        if passing([subscription], row, row["body"]):
            message_id, event = new_id(), {**row, "subject": subject_of(json.loads(row["body"])["data"])}
            made.append((*message_row(event, message_id, endpoint, now=row["now"]), job["replay_id"]))
            place = delivery_row(event, message_id, endpoint, due_at=row["now"], first_try=False)
            queued.append((*place, job["replay_id"]))
    await store_messages(tx, made, queued, replayed=True)
    return found, len(queued)
