"""Takes a request to be forgotten into the journal, and gathers everything about one person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import Event, EventType
from app.domain.privacy import traces_of
from app.journal.audit import Deed, append_audit_rows
from app.journal.drafts import draft
from app.journal.journal import Journal
from app.journal.ports import OWN_SOURCE
from app.kit.ids import new_id, public_id
from app.privacy import repository
from app.privacy.erasure import FIRST_PLACE, RAW_AT_ONCE
from app.privacy.schemas import ErasureOut, ExportOut, PersonIn

MOST_ROWS: Final = 10_000

_EVENTS = """
SELECT e.event_id, e.position, e.type, e.source, e.external_id, e.occurred_at, e.recorded_at, e.fact,
       p.data AS personal
  FROM events e JOIN event_personal p ON p.tenant_id = $1 AND p.event_id = e.event_id
 WHERE e.tenant_id = $1 AND e.event_id = any($2) ORDER BY e.position LIMIT $3
"""
_JOBS = """
SELECT erasure_id, requested_at, completed_at, counts FROM erasures
 WHERE tenant_id = $1 AND ($2::uuid IS NULL OR erasure_id = $2) ORDER BY requested_at DESC LIMIT $3
"""


async def request_erasure(journal: Journal, tenant_id: UUID, person: PersonIn, *, by: str) -> UUID:
    """Record the request; the job that follows from it is committed with it. Its id."""
    async with journal.transaction(tenant_id) as tx:
        commit = await journal.lock(tx, tenant_id)
        event = Event(
            type=EventType.ERASURE_REQUESTED,
            id=f"erasure:{new_id()}",
            source=OWN_SOURCE,
            occurred_at=commit.recorded_at,
            data={"customer": person.model_dump(), "by": by},
        )
        made = draft(event, commit.config, received_at=commit.recorded_at)
        appended = await journal.append(tx, commit, [made])
        erasure_id = appended.events[0].event_id
        deed = Deed(by, "erasure.requested", public_id("ers", erasure_id), commit.recorded_at)
        await append_audit_rows(tx, tenant_id, deed)
    return erasure_id


async def list_erasures(
    journal: Journal, tenant_id: UUID, *, erasure_id: UUID | None = None, limit: int = 100
) -> list[ErasureOut]:
    """Erasures, the newest first."""
    async with journal.database.write(tenant_id) as tx:
        rows = await tx.fetch(_JOBS, tenant_id, erasure_id, limit)
    return [
        ErasureOut(
            id=public_id("ers", row["erasure_id"]),
            state="completed" if row["completed_at"] else "pending",
            requested_at=row["requested_at"],
            completed_at=row["completed_at"],
            counts=row["counts"],
        )
        for row in rows
    ]


async def export_person(
    journal: Journal, tenant_id: UUID, person: PersonIn, *, by: str, now: datetime
) -> ExportOut:
    """Everything about one person, with a line in the audit."""
    async with journal.database.write(tenant_id) as tx:
        config = (await journal.read_head(tx, tenant_id, ())).config
        ref = config.customer_ref(person.type, person.value)
        found = await repository.find_belongings(tx, tenant_id, ref)
        events = await tx.fetch(_EVENTS, tenant_id, list(found.event_ids), MOST_ROWS + 1)
        tables = {
            name: await _rows_of(tx, name, tenant_id, ref)
            for name in repository.tables_of_customers()
            if name != "event_personal"
        }
        traces = traces_of(person.type, person.value, found.names)
        raw: list[dict[str, Any]] = []
        place: tuple[Any, UUID] | None = FIRST_PLACE
        while place is not None and len(raw) <= MOST_ROWS:
            hits, place = await repository.find_raw(tx, tenant_id, traces, place, RAW_AT_ONCE)
            raw += [
                {"received_at": row["received_at"], "body": bytes(row["body"]).decode("utf-8", "replace")}
                for row in hits
            ]
        # whose export it was is not noted: the note would outlive an erasure
        deed = Deed(by, "person.exported", f"{len(events)} events", now)
        await append_audit_rows(tx, tenant_id, deed)
    parts: Sequence[Sequence[Any]] = (events, raw, *tables.values())
    return ExportOut(
        customer_ref=ref.hex(),
        events=[_shown(row) for row in events[:MOST_ROWS]],
        tables={name: rows[:MOST_ROWS] for name, rows in tables.items() if rows},
        raw_payloads=raw[:MOST_ROWS],
        truncated=any(len(part) > MOST_ROWS for part in parts),
    )


async def _rows_of(tx: Tx, table: str, tenant_id: UUID, ref: bytes) -> list[dict[str, Any]]:
    rows = await tx.fetch(
        f"SELECT * FROM {table} WHERE tenant_id = $1 AND customer_ref = $2 LIMIT $3",
        tenant_id,
        ref,
        MOST_ROWS + 1,
    )
    return [_shown(row) for row in rows]


def _shown(row: Any) -> dict[str, Any]:
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in row.items()
        if name != "tenant_id"
    }
