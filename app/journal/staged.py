"""What was worded before its time: laid ready beside the journal, then put down whole under the lock.

The rows go by COPY into a table of the connection's own, before the lock is taken; under the lock only
INSERT .. SELECT is left, which costs half of what JSON texts do. The table is empty after every commit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.db.copying import copied, copied_int, copied_json, copied_time, copy_numbered
from app.db.engine import Tx
from app.domain.events import EventType, SubjectKind
from app.journal.ports import OWN_SOURCE, Commit
from app.kit import json

TABLE: Final = "staged_announcements"

_COLUMNS: Final = (
    "number int",
    "event_id uuid",
    "type text",
    "at timestamptz",
    "subject_kind text",
    "subject_id uuid",
    "timer text",
    "cycle uuid",
    "kind text",
    "level int",
    "revision int",
    "provisional bool",
    "fact jsonb",
    "said text",
)
_CREATE: Final = f"CREATE TEMP TABLE IF NOT EXISTS {TABLE} ({', '.join(_COLUMNS)}) ON COMMIT DELETE ROWS"
_EVENTS: Final = f"""
INSERT INTO events (tenant_id, position, event_id, type, source, external_id, fingerprint, occurred_at,
                    recorded_at, received_at, origin, caused_by, subject_kind, subject_id, fact,
                    day_precision, backdated)
SELECT $1, $2::bigint + number, event_id, type, $3, event_id::text, uuid_send(event_id), at,
       $4::timestamptz, $4, 'live', cycle, subject_kind, subject_id, fact, false, false
  FROM {TABLE}
"""
# rows of a temporary table are read in the order of their COPY: so the outbox keeps that of the journal
_OUTBOX: Final = f"""
INSERT INTO outbox (tenant_id, event_id, type, sequence, occurred_at, data, created_at)
SELECT $1, event_id, type, $2::bigint + number, at,
       ('{{"sequence":' || $2::bigint + number || ',"detected_at":' || $3::text || ',' || said)::json, $4
  FROM {TABLE}
"""


@dataclass(frozen=True, slots=True)
class Saying:
    """An announcement with all that is known of it before its time."""

    event_id: UUID
    type: EventType
    at: datetime
    subject_kind: SubjectKind
    subject_id: UUID
    timer: str
    cycle: UUID
    kind: str
    level: int
    revision: int
    provisional: bool
    fact: Mapping[str, Any]
    said: bytes
    """what subscribers are told: a JSON object without its first brace, `sequence` and `detected_at`"""

    def as_row(self) -> bytes:
        """Itself as it is laid ready."""
        return copied(
            self.event_id.bytes,
            self.type.value.encode(),
            copied_time(self.at),
            self.subject_kind.value.encode(),
            self.subject_id.bytes,
            self.timer.encode(),
            self.cycle.bytes,
            self.kind.encode(),
            copied_int(self.level),
            copied_int(self.revision),
            bytes([self.provisional]),
            copied_json(json.dumps(self.fact)),
            self.said,
        )


async def lay_ready(tx: Tx, rows: Sequence[bytes]) -> None:
    """Lay the rows ready; nobody else sees them, and they are gone when the transaction ends."""
    await tx.execute(_CREATE)
    await copy_numbered(tx, TABLE, len(_COLUMNS), rows)


async def take_off(tx: Tx, subject_ids: Collection[UUID]) -> None:
    """Take away what was laid ready of these subjects."""
    await tx.execute(f"DELETE FROM {TABLE} WHERE subject_id = any($1)", list(subject_ids))


async def append_staged(tx: Tx, commit: Commit) -> None:
    """Put down what lies ready, as events of the journal and for subscribers."""
    mine, first, at = commit.tenant_id, commit.next_position, commit.recorded_at
    await tx.execute(_EVENTS, mine, first, OWN_SOURCE, at)
    await tx.execute(_OUTBOX, mine, first, json.dumps_text(at), at)
