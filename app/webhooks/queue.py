"""The queue in SQL: claim a batch under a fence and a lease, give back what was not sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.endpoint_health import FAILING_FAILURES
from app.kit.ids import new_id

MAX_LOSSES = 5
"""A delivery whose lease ended without a word this often is taken for what kills its workers."""

# `heads`: the oldest delivery of every endpoint, by one index probe each; tenants take turns. The
# chosen ones share the batch, and each row's own state is checked again under its lock. A claimed
# row is due again when its lease ends: recovery is the same look as any other.
_CLAIM = """
WITH RECURSIVE heads AS (
    (SELECT endpoint_id, first_try, due_at FROM deliveries WHERE NOT manual
      ORDER BY endpoint_id, first_try, due_at LIMIT 1)
    UNION ALL
    SELECT next.* FROM heads h CROSS JOIN LATERAL (
        SELECT d.endpoint_id, d.first_try, d.due_at FROM deliveries d
         WHERE NOT d.manual AND (d.endpoint_id, d.first_try) > (h.endpoint_id, h.first_try)
         ORDER BY d.endpoint_id, d.first_try, d.due_at LIMIT 1) next
), due AS (
    SELECT h.endpoint_id, h.first_try, e.tenant_id, $3 - coalesce(held.n, 0) AS room
      FROM heads h
      JOIN endpoints e ON e.endpoint_id = h.endpoint_id AND e.disabled_at IS NULL
      JOIN tenants t ON t.tenant_id = e.tenant_id AND t.disabled_at IS NULL
      LEFT JOIN unnest($4::uuid[], $5::int[]) AS held(endpoint_id, n) ON held.endpoint_id = h.endpoint_id
     WHERE h.due_at <= now() AND (h.first_try AND e.failures < $8) = $1 AND $3 > coalesce(held.n, 0)
     ORDER BY row_number() OVER (PARTITION BY e.tenant_id ORDER BY h.due_at), h.due_at LIMIT $2
), candidates AS (
    SELECT d.delivery_id, d.due_at, row_number() OVER (PARTITION BY due.tenant_id ORDER BY d.due_at) AS turn
      FROM due CROSS JOIN LATERAL (
        SELECT d.delivery_id, d.due_at FROM deliveries d
         WHERE NOT d.manual AND d.endpoint_id = due.endpoint_id AND d.first_try = due.first_try
           AND d.due_at <= now()
         ORDER BY d.due_at LIMIT least(due.room, 1 + 2 * $2 / (SELECT count(*) FROM due))) d
    UNION ALL
    (SELECT d.delivery_id, d.due_at, 0 FROM deliveries d
       JOIN tenants t ON t.tenant_id = d.tenant_id AND t.disabled_at IS NULL
      WHERE $1 AND d.manual AND d.due_at <= now() ORDER BY d.due_at LIMIT $2)
), chosen AS (
    SELECT d.delivery_id, d.claim_id FROM deliveries d
      JOIN (SELECT delivery_id FROM candidates ORDER BY turn, due_at LIMIT $2) c USING (delivery_id)
     WHERE d.due_at <= now() FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE deliveries d
       SET claim_id = $6, due_at = now() + $7, losses = d.losses + (chosen.claim_id IS NOT NULL)::int
      FROM chosen WHERE d.delivery_id = chosen.delivery_id
    RETURNING d.*, chosen.claim_id IS NOT NULL AS lost
)
SELECT EXISTS (SELECT FROM candidates) AS is_due, clock_timestamp() AS now, claimed.*, m.type, b.body,
       e.url, e.sealed_headers, e.failures,
       (SELECT array_agg(s.sealed ORDER BY s.created_at DESC, s.secret_id) FROM endpoint_secrets s
         WHERE s.endpoint_id = e.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets
  FROM (VALUES (1)) AS always(row)
  LEFT JOIN (claimed JOIN messages m ON m.message_id = claimed.message_id
                     JOIN endpoints e ON e.endpoint_id = claimed.endpoint_id) ON true
  LEFT JOIN message_bodies b ON b.event_id = m.event_id
"""
# What a lost lease did is unknown: it is put on record, but costs the receiver no try.
_RECORD_LOSSES = """
WITH lost AS (
    UPDATE messages SET attempts = attempts + 1 WHERE message_id = any($1)
    RETURNING tenant_id, message_id, endpoint_id, attempts)
INSERT INTO attempts (tenant_id, attempted_at, message_id, number, endpoint_id, outcome, manual, detail)
SELECT tenant_id, now(), message_id, attempts, endpoint_id, 'unknown', message_id = any($2),
       'the process that had claimed this try did not report back'
  FROM lost
"""
_RELEASE = """
UPDATE deliveries d SET claim_id = NULL, due_at = now()
  FROM unnest($1::uuid[], $2::uuid[]) AS g(delivery_id, claim_id)
 WHERE d.delivery_id = g.delivery_id AND d.claim_id = g.claim_id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery under our lease, with all that an attempt needs as it stands now."""

    delivery_id: UUID
    claim_id: UUID
    tenant_id: UUID
    message_id: UUID
    endpoint_id: UUID
    type: str
    manual: bool
    tries: int
    faults: int
    losses: int
    is_healthy: bool
    url: str
    body: bytes | None = field(repr=False)
    sealed_headers: bytes | None = field(repr=False)
    sealed_secrets: Sequence[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """One batch; `is_contended` when others had their hands on all that was due, `now` is the database's."""

    items: Sequence[Claimed]
    is_contended: bool
    now: datetime


async def claim(
    tx: Tx,
    *,
    fast: bool,
    limit: int,
    per_endpoint: int,
    held: Mapping[UUID, int],
    lease_seconds: float,
) -> Claim:
    """Claim up to `limit` due deliveries.

    The fast lane takes first tries of endpoints in good health, and what was asked for by hand;
    the slow one retries and failing endpoints. `held` is what this process already has of each
    endpoint, which counts against `per_endpoint`.
    """
    claim_id = new_id()
    rows = await tx.fetch(
        _CLAIM,
        fast,
        limit,
        per_endpoint,
        list(held),
        list(held.values()),
        claim_id,
        timedelta(seconds=lease_seconds),
        FAILING_FAILURES,
    )
    taken = [row for row in rows if row["delivery_id"] is not None]
    if lost := [row for row in taken if row["lost"]]:
        by_hand = [row["message_id"] for row in lost if row["manual"]]
        await tx.execute(_RECORD_LOSSES, [row["message_id"] for row in lost], by_hand)
    items = [_claimed(row) for row in sorted(taken, key=lambda row: row["delivery_id"])]
    return Claim(items, is_contended=rows[0]["is_due"] and not taken, now=rows[0]["now"])


async def release(tx: Tx, items: Sequence[Claimed]) -> None:
    """Give back what was not sent, where it is still ours, as if it had not been claimed."""
    await tx.execute(_RELEASE, [item.delivery_id for item in items], [item.claim_id for item in items])


def _claimed(row: Any) -> Claimed:
    return Claimed(
        delivery_id=row["delivery_id"],
        claim_id=row["claim_id"],
        tenant_id=row["tenant_id"],
        message_id=row["message_id"],
        endpoint_id=row["endpoint_id"],
        type=row["type"],
        manual=row["manual"],
        tries=row["tries"],
        faults=row["faults"],
        losses=row["losses"],
        is_healthy=row["failures"] == 0,
        url=row["url"],
        body=row["body"],
        sealed_headers=row["sealed_headers"],
        sealed_secrets=row["secrets"] or (),
    )
