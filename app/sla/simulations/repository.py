"""Which subjects opened in a period."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import SubjectKind

_CASES = """
SELECT case_id AS subject_id FROM cases
 WHERE tenant_id = $1 AND opened_at >= $2 AND opened_at < $3 AND ($4::text IS NULL OR source = $4)
 ORDER BY opened_at DESC, case_id LIMIT $5
"""
_OTHERS = """
SELECT subject_id FROM sla_timers
 WHERE tenant_id = $1 AND started_at >= $2 AND started_at < $3 AND ($4::text IS NULL OR source = $4)
   AND subject_kind = $6
 GROUP BY subject_id ORDER BY max(started_at) DESC, subject_id LIMIT $5
"""


async def list_opened(
    tx: Tx,
    tenant_id: UUID,
    kind: SubjectKind,
    opened_from: datetime,
    opened_before: datetime,
    source: str | None,
    limit: int,
) -> list[UUID]:
    """Subjects of a kind that opened in a period, the newest first; of others than cases, those timed."""
    arguments = (tenant_id, opened_from, opened_before, source, limit)
    if kind is SubjectKind.CASE:
        rows = await tx.fetch(_CASES, *arguments)
    else:
        rows = await tx.fetch(_OTHERS, *arguments, kind.value)
    return [row["subject_id"] for row in rows]
