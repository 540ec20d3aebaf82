"""Operational events: noted where they happen, then given their place in the tenant's order and announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Database, Tx
from app.db.tables.ledgers import outbox
from app.db.tables.webhooks import notices
from app.journal.audit import Deed, append_audit_rows
from app.journal.ports import OWN_SOURCE, POSITION_BITS
from app.kit import json
from app.kit.ids import new_id, public_id
from app.webhooks.catalogue import DISABLED

TENANTS_A_STEP = 20

_COLUMNS = ("tenant_id", "notice_id", "type", "endpoint_id", "occurred_at", "data")
_OUTBOX_COLUMNS = ("tenant_id", "event_id", "type", "sequence", "occurred_at", "data", "created_at")
_LOCK_HEAD = """
UPDATE tenant_head SET seq = seq + 1, recorded_at = greatest(now(), recorded_at + interval '1 microsecond')
 WHERE tenant_id = $1 AND NOT rebuilding RETURNING seq, recorded_at
"""
_TAKE = """
DELETE FROM notices WHERE tenant_id = $1
RETURNING notice_id, type, endpoint_id, occurred_at, data::text AS data
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about deliveries that the tenant's other endpoints should hear of."""

    tenant_id: UUID
    type: str
    endpoint_id: UUID
    occurred_at: datetime
    data: dict[str, Any]


async def append_notices(tx: Tx, found: Sequence[Notice]) -> None:
    """Note them in the transaction that made them true."""
    rows = [
        (item.tenant_id, new_id(), item.type, item.endpoint_id, item.occurred_at, item.data) for item in found
    ]
    await insert_rows(tx, notices, _COLUMNS, rows)


async def announce_notices(database: Database) -> int:
    """Move what is noted into the outboxes of its tenants; how many.

    A settled attempt cannot do this itself: it spans tenants, and the place in a tenant's order
    is given under that tenant's lock.
    """
    async with database.worker() as tx:
        tenants = await tx.fetch("SELECT DISTINCT tenant_id FROM notices LIMIT $1", TENANTS_A_STEP)
    moved = 0
    for row in tenants:
        moved += await _announce(database, row["tenant_id"])
    return moved


async def _announce(database: Database, tenant_id: UUID) -> int:
    async with database.write(tenant_id) as tx:
        head = await tx.fetchrow(_LOCK_HEAD, tenant_id)
        if head is None:
            return 0  # being rebuilt: later
        taken = sorted(
            await tx.fetch(_TAKE, tenant_id), key=lambda row: (row["occurred_at"], row["notice_id"])
        )
        announced: list[tuple[Any, ...]] = []
        deeds: list[Deed] = []
        for number, row in enumerate(taken):
            position = (head["seq"] << POSITION_BITS) + number
            data = {**json.loads(row["data"]), "sequence": position}
            announced.append(
                (
                    tenant_id,
                    row["notice_id"],
                    row["type"],
                    position,
                    row["occurred_at"],
                    data,
                    head["recorded_at"],
                )
            )
            if row["type"] == DISABLED:
                target = public_id("ep", row["endpoint_id"])
                deeds.append(Deed(OWN_SOURCE, DISABLED, target, row["occurred_at"], data["reason"]))
        await insert_rows(tx, outbox, _OUTBOX_COLUMNS, announced)
        await append_audit_rows(tx, tenant_id, *deeds)
    return len(taken)
