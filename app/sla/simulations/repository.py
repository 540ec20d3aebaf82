"""Which subjects opened in a period."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import SubjectKind
from app.sla.comparing import Candidate

_OPENED = """
SELECT subject_id, kind, count(*) OVER () AS opened FROM (
    SELECT case_id AS subject_id, 'case' AS kind FROM cases
     WHERE tenant_id = $1 AND opened_at >= $2 AND opened_at < $3 AND ($4::text IS NULL OR source = $4)
       AND 'case' = any($6)
    UNION ALL
    SELECT subject_id, subject_kind FROM sla_timers
     WHERE tenant_id = $1 AND started_at >= $2 AND started_at < $3 AND ($4::text IS NULL OR source = $4)
       AND subject_kind = any($6) AND subject_kind <> 'case'
     GROUP BY subject_id, subject_kind) AS opened
 ORDER BY md5(subject_id::text) LIMIT $5
"""


async def list_opened(
    tx: Tx,
    tenant_id: UUID,
    kinds: Collection[str],
    opened_from: datetime,
    opened_before: datetime,
    source: str | None,
    limit: int,
) -> tuple[list[Candidate], int]:
    """Subjects of these kinds that opened in a period, and how many there are; other than cases: those timed.

    They come in an order that has nothing to do with anything, so that however many of them are
    read, from the first on, they are a fair sample of the period; and the same one when asked again.
    """
    rows = await tx.fetch(_OPENED, tenant_id, opened_from, opened_before, source, limit, sorted(kinds))
    opened = rows[0]["opened"] if rows else 0
    return [Candidate(row["subject_id"], SubjectKind(row["kind"])) for row in rows], opened
