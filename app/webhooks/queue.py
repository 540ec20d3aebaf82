"""The queue in SQL: claim a batch under a fence and a lease, give back what was not sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.delivery import RETRY_DELAYS_SECONDS
from app.domain.endpoint_health import FAILING_FAILURES
from app.domain.outgoing import Format, Payload
from app.kit.ids import new_id
from app.webhooks.claim_sql import CLAIM, CLAIM_OF_KNOWN
from app.webhooks.horizon import Groups

MAX_LOSSES = 5
"""A delivery whose lease ended without a word this often is taken for what kills its workers."""

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
    is_probe: bool
    event_id: UUID
    order_key: str | None
    redacted_at: datetime | None
    payload: Payload
    format: Format
    deadline_seconds: float | None
    delays: Sequence[int]
    url: str
    body: bytes | None = field(repr=False)
    sealed_headers: bytes | None = field(repr=False)
    sealed_secrets: Sequence[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """One batch; `now` is the database's.

    `is_contended`: others had their hands on all that was due. `is_held_back`: a throttle, a limit or
    a circuit kept some of it.
    """

    items: Sequence[Claimed]
    is_contended: bool
    is_held_back: bool
    now: datetime


async def claim(
    tx: Tx,
    *,
    fast: bool,
    limit: int,
    per_endpoint: int,
    held: Mapping[UUID, int],
    lease_seconds: float,
    groups: Groups | None = None,
) -> Claim:
    """Claim up to `limit` due deliveries.

    The fast lane takes first tries of endpoints in good health, and what was asked for by hand;
    the slow one retries and failing endpoints. `held` is what this process already has of each
    endpoint, which counts against `per_endpoint`. `groups`: only from these (see `horizon`).
    """
    claim_id = new_id()
    rows = await tx.fetch(
        CLAIM if groups is None else CLAIM_OF_KNOWN,
        fast,
        limit,
        per_endpoint,
        list(held),
        list(held.values()),
        claim_id,
        timedelta(seconds=lease_seconds),
        FAILING_FAILURES,
        *(() if groups is None else (groups.endpoint_ids, groups.first_tries, groups.live_from)),
    )
    taken = [row for row in rows if row["delivery_id"] is not None]
    if lost := [row for row in taken if row["lost"]]:
        by_hand = [row["message_id"] for row in lost if row["manual"]]
        await tx.execute(_RECORD_LOSSES, [row["message_id"] for row in lost], by_hand)
    items = [_claimed(row) for row in sorted(taken, key=lambda row: row["delivery_id"])]
    first = rows[0]
    is_contended = first["is_due"] and not taken
    return Claim(items, is_contended=is_contended, is_held_back=first["is_held_back"], now=first["now"])


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
        is_probe=row["is_probe"],
        event_id=row["event_id"],
        order_key=row["order_key"],
        redacted_at=row["redacted_at"],
        payload=Payload(row["payload"] or Payload.FULL),
        format=Format(row["format"] or Format.STANDARD),
        deadline_seconds=None if row["deadline_ms"] is None else row["deadline_ms"] / 1000,
        delays=RETRY_DELAYS_SECONDS if row["retry_delays_seconds"] is None else row["retry_delays_seconds"],
        url=row["url"],
        body=row["body"],
        sealed_headers=row["sealed_headers"],
        sealed_secrets=row["secrets"] or (),
    )
