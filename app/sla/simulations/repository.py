"""Which subjects opened in a period."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import SubjectKind
from app.sla.comparing import Candidate

_OPENED = """
SELECT subject_id, kind FROM (
    SELECT case_id AS subject_id, 'case' AS kind, opened_at AS at FROM cases
     WHERE tenant_id = $1 AND opened_at >= $2 AND opened_at < $3 AND ($4::text IS NULL OR source = $4)
       AND 'case' = any($6)
    UNION ALL
    SELECT subject_id, subject_kind, max(started_at) FROM sla_timers
     WHERE tenant_id = $1 AND started_at >= $2 AND started_at < $3 AND ($4::text IS NULL OR source = $4)
       AND subject_kind = any($6) AND subject_kind <> 'case'
     GROUP BY subject_id, subject_kind) AS opened
 ORDER BY at DESC, subject_id LIMIT $5
"""


async def list_opened(
    tx: Tx,
    tenant_id: UUID,
    kinds: Collection[str],
    opened_from: datetime,
    opened_before: datetime,
    source: str | None,
    limit: int,
) -> list[Candidate]:
    """Subjects of these kinds that opened in a period, the newest first; other than cases: those timed."""
    rows = await tx.fetch(_OPENED, tenant_id, opened_from, opened_before, source, limit, sorted(kinds))
    return [Candidate(row["subject_id"], SubjectKind(row["kind"])) for row in rows]
