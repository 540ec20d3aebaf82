"""Journal rows to events and back: the one place that knows their columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.journal import event_personal, events
from app.domain.events import EventType, Origin, StoredEvent, SubjectKind
from app.journal.ports import Commit

_EVENT_COLUMNS = tuple(column.name for column in events.columns)
_PERSONAL_COLUMNS = tuple(column.name for column in event_personal.columns)

_SELECT = """
SELECT e.tenant_id, e.position, e.event_id, e.type, e.source, e.external_id, e.occurred_at, e.recorded_at,
       e.origin, e.caused_by, e.subject_kind, e.subject_id, e.object, e.version, e.fact, e.day_precision,
       p.customer_ref, p.data AS personal
  FROM events e LEFT JOIN event_personal p ON p.tenant_id = e.tenant_id AND p.event_id = e.event_id
 WHERE e.tenant_id = $1 AND """


async def store_events(tx: Tx, commit: Commit, stored: Sequence[StoredEvent]) -> None:
    """Append events and their personal parts."""
    facts: list[tuple[Any, ...]] = []
    personal: list[tuple[Any, ...]] = []
    for event in stored:
        draft = commit.drafts[event.event_id]
        facts.append(
            (
                event.tenant_id,
                event.position,
                event.event_id,
                event.type.value,
                event.source,
                event.external_id,
                draft.fingerprint,
                event.occurred_at,
                event.recorded_at,
                draft.received_at,
                event.origin.value,
                event.caused_by,
                None if event.subject_kind is None else event.subject_kind.value,
                event.subject_id,
                event.object,
                event.version,
                event.fact,
                draft.event.time_raw,
                event.day_precision,
                draft.backdated,
            )
        )
        if event.personal or event.customer_ref is not None:
            personal.append((event.tenant_id, event.event_id, event.customer_ref, event.personal))
    await insert_rows(tx, events, _EVENT_COLUMNS, facts)
    await insert_rows(tx, event_personal, _PERSONAL_COLUMNS, personal)


def event_of(row: Any) -> StoredEvent:
    """The event of a row of `select_events`."""
    kind = row["subject_kind"]
    return StoredEvent(
        tenant_id=row["tenant_id"],
        position=row["position"],
        event_id=row["event_id"],
        type=EventType(row["type"]),
        source=row["source"],
        external_id=row["external_id"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        origin=Origin(row["origin"]),
        fact=row["fact"],
        personal={} if row["personal"] is None else row["personal"],
        caused_by=row["caused_by"],
        subject_kind=None if kind is None else SubjectKind(kind),
        subject_id=row["subject_id"],
        object=row["object"],
        version=row["version"],
        day_precision=row["day_precision"],
        customer_ref=row["customer_ref"],
    )


async def select_events(tx: Tx, tenant_id: UUID, condition: str, *arguments: Any) -> list[StoredEvent]:
    """Events of a tenant that meet a trusted condition over `e` (its parameters from $2 on), in order."""
    rows = await tx.fetch(f"{_SELECT}{condition} ORDER BY e.position", tenant_id, *arguments)
    return [event_of(row) for row in rows]


def quiet_until(history: Sequence[StoredEvent]) -> datetime | None:
    """Until when nothing of a subject is announced: the last time that its history was filled in."""
    return max((event.recorded_at for event in history if event.origin is not Origin.LIVE), default=None)


def reported_by(history: Sequence[StoredEvent], stated: str) -> str:
    """The source that a case came from: of one that we opened, the source of its feedback."""
    openings = [event for event in history if event.type is EventType.CASE_OPENED]
    openings.sort(key=lambda event: (event.occurred_at, event.source, event.external_id))
    named = (event.fact.get("reported_by") for event in openings)
    return next((source for source in named if source), stated)
