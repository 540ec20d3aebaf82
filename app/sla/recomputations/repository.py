"""Recomputations in the database, and the audit entry that each leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.sla import sla_recomputations
from app.journal.audit import Deed, append_audit_rows
from app.journal.tenants import move_config
from app.kit import json

_COLUMNS = tuple(column.name for column in sla_recomputations.columns)
_SUBJECTS = """
SELECT subject_id FROM subjects
 WHERE tenant_id = $1 AND subject_id > $2 AND kind = any($3) ORDER BY subject_id LIMIT $4
"""


async def insert_recomputation(tx: Tx, values: dict[str, Any], deed: Deed) -> None:
    """Write one with its audit entry; the configuration's version moves."""
    await insert_rows(tx, sla_recomputations, _COLUMNS, [[values[name] for name in _COLUMNS]])
    await append_audit_rows(tx, values["tenant_id"], deed)
    await move_config(tx, values["tenant_id"])


async def list_recomputations(tx: Tx, tenant_id: UUID, limit: int = 100) -> list[Any]:
    """The latest ones."""
    return await tx.fetch(
        "SELECT * FROM sla_recomputations WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT $2",
        tenant_id,
        limit,
    )


async def find_recomputation(tx: Tx, tenant_id: UUID, recomputation_id: UUID) -> Any:
    """One of them, or None."""
    return await tx.fetchrow(
        "SELECT * FROM sla_recomputations WHERE tenant_id = $1 AND recomputation_id = $2",
        tenant_id,
        recomputation_id,
    )


async def find_unfinished(tx: Tx, tenant_id: UUID) -> Any:
    """The oldest that is not done, or None."""
    return await tx.fetchrow(
        "SELECT * FROM sla_recomputations WHERE tenant_id = $1 AND finished_at IS NULL "
        "ORDER BY created_at LIMIT 1",
        tenant_id,
    )


async def list_subjects(tx: Tx, tenant_id: UUID, after: UUID, kinds: list[str], limit: int) -> list[UUID]:
    """Subjects of these kinds after one of them."""
    return [row["subject_id"] for row in await tx.fetch(_SUBJECTS, tenant_id, after, kinds, limit)]


async def list_verdicts(tx: Tx, tenant_id: UUID, subject_ids: list[UUID]) -> dict[Any, tuple[Any, ...]]:
    """Due time and state of every cycle as the rows say it."""
    rows = await tx.fetch(
        "SELECT subject_id, timer, cycle, due_at, state FROM sla_timers "
        "WHERE tenant_id = $1 AND subject_id = any($2)",
        tenant_id,
        subject_ids,
    )
    return {(row["subject_id"], row["timer"], row["cycle"]): (row["due_at"], row["state"]) for row in rows}


async def move_cursor(
    tx: Tx, tenant_id: UUID, recomputation_id: UUID, cursor: UUID, counts: dict[str, int]
) -> None:
    """Note how far it came."""
    await tx.execute(
        "UPDATE sla_recomputations SET cursor = $3, counts = $4::text::jsonb "
        "WHERE tenant_id = $1 AND recomputation_id = $2",
        tenant_id,
        recomputation_id,
        cursor,
        json.dumps_text(counts),
    )


async def finish(tx: Tx, tenant_id: UUID, recomputation_id: UUID, at: datetime) -> None:
    """It is done: from now on its subjects are announced like all others."""
    await tx.execute(
        "UPDATE sla_recomputations SET finished_at = $3 WHERE tenant_id = $1 AND recomputation_id = $2",
        tenant_id,
        recomputation_id,
        at,
    )
    await move_config(tx, tenant_id)
