"""Rows behind the further answers: touchpoints heard, cases and sales around a fix, answers to check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx

MOST_CANDIDATES = 50_000

_TOUCHPOINTS = """
SELECT d.key, d.title, coalesce(d.details->>'key' = 'true', false) AS is_key,
       count(f.feedback_id) AS answers, max(f.occurred_at) AS last_answer_at
  FROM directory d LEFT JOIN feedback f ON f.tenant_id = $1 AND f.touchpoint = d.key AND f.seq_to IS NULL
       AND f.class <> 'silent' AND f.occurred_at >= $2 AND f.occurred_at < $3
 WHERE d.tenant_id = $1 AND d.kind = 'touchpoint'
 GROUP BY d.key, d.title, d.details ORDER BY count(f.feedback_id) > 0, d.key LIMIT 10000
"""
_CASES = """
SELECT count(*) FROM cases
 WHERE tenant_id = $1 AND opened_at >= $2 AND opened_at < $3
   AND state <> 'awaiting_opening' AND ended_at IS NULL
   AND ($4::text IS NULL OR cause = $4 OR starts_with(cause, $4 || '.'))
   AND ($5::text IS NULL OR location = $5)
"""
_SALES = """
SELECT coalesce(sum(count), 0)::bigint FROM volumes
 WHERE tenant_id = $1 AND seq_to IS NULL AND kind = 'transactions' AND occurred_at >= $2 AND occurred_at < $3
   AND ($4::text IS NULL OR location = $4)
"""
_PAIRS = """
WITH sides AS (
  SELECT customer_ref, question, scale_id, occurred_at < $4 AS is_before, avg(norm01) AS norm01
    FROM feedback
   WHERE tenant_id = $1 AND seq_to IS NULL AND measure = 'csat' AND norm01 IS NOT NULL
     AND customer_ref IS NOT NULL AND qualification IS DISTINCT FROM 'invalid'
     AND ((occurred_at >= $2 AND occurred_at < $3) OR (occurred_at >= $5 AND occurred_at < $6))
     AND scale_id = 'csat_1_5' AND ($7::text IS NULL OR location = $7)
   GROUP BY 1, 2, 3, 4)
SELECT 1 + 4 * b.norm01 AS before, 1 + 4 * a.norm01 AS after
  FROM sides b JOIN sides a USING (customer_ref, question, scale_id)
 WHERE b.is_before AND NOT a.is_before LIMIT 200000
"""
_CANDIDATES = """
SELECT f.feedback_id, f.class, f.question, f.occurred_at, f.location, f.employee, f.qualification,
       coalesce(f.employee = $4 OR d.details->>'manager' = $4 OR d.parent = $4, false) AS is_own
  FROM feedback f LEFT JOIN directory d ON d.tenant_id = $1 AND d.kind = 'employee' AND d.key = f.employee
 WHERE f.tenant_id = $1 AND f.seq_to IS NULL AND f.occurred_at >= $2 AND f.occurred_at < $3
   AND f.class IN ('positive', 'negative') AND f.measure IN ('staff', 'office', 'recommend')
   AND ($5::text IS NULL OR f.location = $5)
 ORDER BY f.occurred_at DESC, f.feedback_id LIMIT $6
"""


async def list_touchpoints(tx: Tx, tenant_id: UUID, start: datetime, end: datetime) -> Sequence[Any]:
    """Every touchpoint of the map with its answers; those without any first."""
    return await tx.fetch(_TOUCHPOINTS, tenant_id, start, end)


async def count_side(
    tx: Tx, tenant_id: UUID, start: datetime, end: datetime, cause: str | None, location: str | None
) -> tuple[int, int]:
    """Cases opened (of a cause and its branch) and transactions."""
    cases = await tx.fetchval(_CASES, tenant_id, start, end, cause, location)
    return int(cases), int(await tx.fetchval(_SALES, tenant_id, start, end, location))


async def list_pairs(
    tx: Tx,
    tenant_id: UUID,
    before: tuple[datetime, datetime],
    after: tuple[datetime, datetime],
    location: str | None,
) -> list[tuple[float, float]]:
    """CSAT (1..5) of the customers who answered the same question before and after."""
    rows = await tx.fetch(_PAIRS, tenant_id, *before, before[1], *after, location)
    return [(float(row["before"]), float(row["after"])) for row in rows]


async def list_candidates(
    tx: Tx, tenant_id: UUID, start: datetime, end: datetime, reviewer: str, location: str | None
) -> Sequence[Any]:
    """Answers to key questions, checked or not; `is_own` are those the reviewer may not judge."""
    return await tx.fetch(_CANDIDATES, tenant_id, start, end, reviewer, location, MOST_CANDIDATES)
