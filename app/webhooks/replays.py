"""Replays in the database: asked for, looked at, cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.errors import ConflictError, InvalidError, NotFoundError
from app.kit.ids import new_id, public_id
from app.webhooks.patterns import check_patterns, matches, matching_types
from app.webhooks.replay_schemas import ReplayIn, ReplayOut, Which

MAX_AGE = timedelta(days=90)

_ENDPOINT = "SELECT * FROM endpoints WHERE tenant_id = $1 AND endpoint_id = $2 FOR NO KEY UPDATE"
_RANGE = {
    Which.FAILED: """
        SELECT count(*) AS total, min(sequence) AS first FROM messages
         WHERE tenant_id = $1 AND endpoint_id = $2 AND created_at >= $3 AND created_at < $4
           AND given_up_at IS NOT NULL AND (cardinality($5::text[]) = 0 OR type = any($5))""",
    Which.ALL: """
        SELECT count(*) AS total, min(sequence) AS first FROM messages
         WHERE tenant_id = $1 AND endpoint_id = $2 AND created_at >= $3 AND created_at < $4
           AND state <> 'pending' AND (cardinality($5::text[]) = 0 OR type = any($5))""",
    Which.MISSING: """
        SELECT count(*) AS total, min(sequence) AS first FROM message_bodies b
         WHERE tenant_id = $1 AND created_at >= $3 AND created_at < $4 AND type = any($5)
           AND NOT EXISTS (SELECT FROM messages m WHERE m.endpoint_id = $2 AND m.sequence = b.sequence
                              AND m.event_id = b.event_id)""",
}
_INSERT = """
INSERT INTO replays (tenant_id, replay_id, endpoint_id, state, which, event_types, since, until,
                     messages_per_second, total, queued, passed_over, at_sequence, at_number, due_at,
                     created_by, created_at)
VALUES ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9, 0, 0, $10, 0, now(), $11, now())
ON CONFLICT (endpoint_id) WHERE state = 'running' DO NOTHING RETURNING replay_id
"""
_GET = """
SELECT r.*,
       (SELECT count(*) FROM deliveries d WHERE d.replay_id = r.replay_id) AS waiting,
       (SELECT count(*) FROM messages m WHERE m.replay_id = r.replay_id AND m.state = 'delivered'
           AND NOT EXISTS (SELECT FROM deliveries d WHERE d.message_id = m.message_id)) AS delivered
  FROM replays r WHERE r.tenant_id = $1 AND r.replay_id = $2
"""
_LIST = """
SELECT * FROM replays
 WHERE tenant_id = $1 AND ($2::uuid IS NULL OR endpoint_id = $2) AND ($3::uuid IS NULL OR replay_id < $3)
 ORDER BY replay_id DESC LIMIT $4
"""
# What had ended undelivered and was waiting for its new try ends again; what is being tried goes on.
_CANCEL = """
WITH dropped AS (
    DELETE FROM deliveries WHERE replay_id = $2 AND tenant_id = $1 AND claim_id IS NULL
    RETURNING message_id, tries
), ended AS (
    UPDATE messages m SET state = 'cancelled', settled_at = now(), given_up_at = now()
      FROM dropped WHERE m.message_id = dropped.message_id AND m.state = 'pending'
)
UPDATE replays SET state = 'cancelled', ended_at = now() WHERE tenant_id = $1 AND replay_id = $2
"""


async def create_replay(
    tx: Tx, tenant_id: UUID, endpoint_id: UUID, wanted: ReplayIn, *, actor: str, now: datetime
) -> Any:
    """Note a replay; the loop does it. Raises NotFoundError, ConflictError, InvalidError."""
    until = min(wanted.until or now, now)
    if wanted.since < now - MAX_AGE:
        raise InvalidError("range_too_old", "what is older than 90 days cannot be replayed", pointer="/since")
    if wanted.since >= until:
        raise InvalidError("range_empty", "the range ends before it begins", pointer="/since")
    endpoint = await tx.fetchrow(_ENDPOINT, tenant_id, endpoint_id)
    if endpoint is None:
        raise NotFoundError("not_found", f"there is no endpoint {public_id('ep', endpoint_id)}")
    if endpoint["disabled_at"] is not None:
        raise ConflictError(
            "endpoint_disabled", "a disabled endpoint gets nothing", cure="enable it, then replay"
        )
    types = _types(wanted, endpoint["event_types"])
    found = await tx.fetchrow(_RANGE[wanted.which], tenant_id, endpoint_id, wanted.since, until, types)
    place = (found["total"], (found["first"] or 0) - 1, actor)
    values = (wanted.which.value, types, wanted.since, until, wanted.messages_per_second)
    replay_id = await tx.fetchval(_INSERT, tenant_id, new_id(), endpoint_id, *values, *place)
    if replay_id is None:
        raise ConflictError(
            "replay_running",
            "a replay of this endpoint is running",
            cure="wait for its end, or cancel it",
        )
    return await get_replay(tx, tenant_id, replay_id)


async def get_replay(tx: Tx, tenant_id: UUID, replay_id: UUID) -> Any:
    """A replay with its progress. Raises NotFoundError."""
    row = await tx.fetchrow(_GET, tenant_id, replay_id)
    if row is None:
        raise NotFoundError("not_found", f"there is no replay {public_id('rpl', replay_id)}")
    return row


async def list_replays(
    tx: Tx, tenant_id: UUID, *, endpoint_id: UUID | None, before: UUID | None, limit: int
) -> Sequence[Any]:
    """Replays before this one, newest first."""
    return await tx.fetch(_LIST, tenant_id, endpoint_id, before, limit)


async def cancel_replay(tx: Tx, tenant_id: UUID, replay_id: UUID) -> Any:
    """Stop it and drop what still waits. Raises NotFoundError, ConflictError `replay_over`."""
    locked = "SELECT 1 FROM replays WHERE tenant_id = $1 AND replay_id = $2 FOR UPDATE"
    await tx.fetchval(locked, tenant_id, replay_id)
    row = await get_replay(tx, tenant_id, replay_id)
    if row["state"] == "cancelled" or (row["state"] == "done" and row["waiting"] == 0):
        raise ConflictError("replay_over", f"this replay is {row['state']}: there is nothing to stop")
    await tx.execute(_CANCEL, tenant_id, replay_id)
    return await get_replay(tx, tenant_id, replay_id)


def replay_out(row: Any) -> ReplayOut:
    """A replay as callers see it."""
    return ReplayOut(
        **{
            **dict(row),
            "id": public_id("rpl", row["replay_id"]),
            "endpoint_id": public_id("ep", row["endpoint_id"]),
        }
    )


def _types(wanted: ReplayIn, subscribed: Sequence[str]) -> list[str]:
    """The types to look for; [] is any (only where the messages themselves say what was asked for)."""
    if wanted.event_types is not None:
        check_patterns(wanted.event_types)
    asked = None if wanted.event_types is None else matching_types(wanted.event_types)
    if wanted.which is not Which.MISSING:
        return asked or []
    return [found for found in matching_types(subscribed) if asked is None or matches(asked, found)]
