"""What cannot be understood is never lost: raw bytes, the reason, and a place to mend it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from app.db.engine import Database
from app.ingest.results import Item
from app.kit import json
from app.kit.coalescing import Coalescer
from app.kit.ids import new_id

_INSERT = """
INSERT INTO raw_payloads (tenant_id, received_at, raw_id, source, state, reason, detail, headers, body,
                          event_ids, mapping_version)
SELECT $1, received_at, raw_id, source, state, reason, detail, headers::jsonb, body, event_ids::jsonb, version
  FROM unnest($2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::bytea[], $10::text[], $11::int[])
       AS raw (received_at, raw_id, source, state, reason, detail, headers, body, event_ids, version)
"""
MOST_ROWS = 200
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RawRow:
    """What a provider sent, and what became of it (`adapted`, `ignored`, `quarantined`).

    `event_ids` are the ids, within the source, of the events that stand for it in the journal.
    """

    source: str
    received_at: datetime
    state: str
    reason: str | None
    detail: str | None
    headers: Mapping[str, str]
    body: bytes
    event_ids: Sequence[str] = ()
    mapping_version: int | None = None
    raw_id: UUID = field(default_factory=new_id)


async def keep_raw(database: Database, tenant_id: UUID, rows: Sequence[RawRow]) -> None:
    """Store what was sent, in one transaction."""
    columns = zip(
        *(
            (
                row.received_at,
                row.raw_id,
                row.source,
                row.state,
                row.reason,
                row.detail,
                json.dumps_text(dict(row.headers)),
                row.body,
                json.dumps_text(list(row.event_ids)),
                row.mapping_version,
            )
            for row in rows
        ),
        strict=True,
    )
    async with database.write(tenant_id) as tx:
        await tx.execute(_INSERT, tenant_id, *(list(column) for column in columns))


class RawInbox:
    """Rows of deliveries that come together are stored together; `keep` returns when its row is durable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rounds: Coalescer[RawRow, None] = Coalescer(
            self._store, most=MOST_ROWS, weigh=lambda row: len(row.body), heaviest=MOST_BYTES
        )

    async def keep(self, tenant_id: UUID, row: RawRow) -> None:
        """Store one row."""
        await self._rounds.ask(tenant_id, row)

    async def _store(self, tenant_id: UUID, rows: Sequence[RawRow]) -> Sequence[Exception | None]:
        try:
            await keep_raw(self._database, tenant_id, rows)
        except asyncpg.DataError:
            # One that the database cannot store must not take its neighbours along.
            return [await self._alone(tenant_id, row) for row in rows]
        return [None] * len(rows)

    async def _alone(self, tenant_id: UUID, row: RawRow) -> Exception | None:
        try:
            await keep_raw(self._database, tenant_id, [row])
        except asyncpg.DataError as error:
            refused: Exception = error
            return refused
        return None


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
    row = RawRow(
        event.source,
        item.terms.received_at,
        state="quarantined",
        reason="poison_event",
        detail=detail[:2000].replace("\x00", "\N{REPLACEMENT CHARACTER}"),
        headers={},
        body=body,
    )
    await keep_raw(database, tenant_id, [row])
