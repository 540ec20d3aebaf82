"""The announcement ledger: what was decided about each cycle of a timer, exactly once; never rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.sla import announcements
from app.domain.sla import Announced
from app.journal.ports import Commit
from app.journal.staged import TABLE

CycleKey = tuple[UUID, str, UUID]
LEDGER_COLUMNS = tuple(column.name for column in announcements.columns)
_STAGED = f"""
INSERT INTO announcements (tenant_id, subject_id, timer, cycle, kind, level, revision, event_id, at,
                           announced_at, provisional, quiet)
SELECT $1, subject_id, timer, cycle, kind, level, revision, event_id, at, $2, provisional, false
  FROM {TABLE}
"""


async def list_announced(
    tx: Tx, tenant_id: UUID, subject_ids: Sequence[UUID]
) -> dict[CycleKey, list[Announced]]:
    """What was announced of these subjects, by (subject, timer, cycle)."""
    rows = await tx.fetch(
        "SELECT subject_id, timer, cycle, kind, level, revision, provisional, quiet FROM announcements "
        "WHERE tenant_id = $1 AND subject_id = any($2)",
        tenant_id,
        list(subject_ids),
    )
    found: dict[CycleKey, list[Announced]] = {}
    for row in rows:
        entry = Announced(row["kind"], row["level"], row["revision"], row["provisional"], row["quiet"])
        found.setdefault((row["subject_id"], row["timer"], row["cycle"]), []).append(entry)
    return found


async def append_announced(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """Note announcements; the primary key makes a second one of the same kind impossible."""
    await insert_rows(tx, announcements, LEDGER_COLUMNS, rows)


async def note_staged(tx: Tx, commit: Commit) -> None:
    """The same for what was laid ready."""
    await tx.execute(_STAGED, commit.tenant_id, commit.recorded_at)
