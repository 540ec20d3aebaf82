"""What cannot be understood is never lost: raw bytes, the reason, and a place to mend it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from app.db.engine import Database
from app.ingest.results import Item
from app.kit import json
from app.kit.ids import new_id

_INSERT = """
INSERT INTO raw_payloads (tenant_id, received_at, raw_id, source, state, reason, detail, headers, body,
                          event_ids, mapping_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


async def keep_raw(
    database: Database,
    tenant_id: UUID,
    source: str,
    received_at: datetime,
    *,
    state: str,
    reason: str | None,
    detail: str | None,
    headers: Mapping[str, str],
    body: bytes,
    event_ids: Sequence[str] = (),
    mapping_version: int | None = None,
) -> UUID:
    """Store what a provider sent, and what became of it (`adapted`, `ignored`, `quarantined`).

    `event_ids` are the ids, within the source, of the events that stand for it in the journal.
    """
    raw_id = new_id()
    async with database.write(tenant_id) as tx:
        await tx.execute(
            _INSERT,
            tenant_id,
            received_at,
            raw_id,
            source,
            state,
            reason,
            detail,
            json.dumps_text(dict(headers)),
            body,
            json.dumps_text(list(event_ids)),
            mapping_version,
        )
    return raw_id


async def quarantine(database: Database, tenant_id: UUID, item: Item, detail: str) -> None:
    """Keep an event that the database refused, although every rule of ours let it pass."""
    event = item.event
    body = json.dumps(
        {
            "type": event.type,
            "id": event.id,
            "source": event.source,
            "occurred_at": event.occurred_at.astimezone(UTC),
            "subject": None
            if event.subject is None
            else {"kind": event.subject.kind, "ref": event.subject.ref},
            "object": event.object,
            "version": None if event.version is None else str(event.version),
            "data": event.data,
        }
    )
    await keep_raw(
        database,
        tenant_id,
        event.source,
        item.terms.received_at,
        state="quarantined",
        reason="poison_event",
        detail=detail[:2000].replace("\x00", "\N{REPLACEMENT CHARACTER}"),
        headers={},
        body=body,
    )
