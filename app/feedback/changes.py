"""The changes feed: each commit's new versions and withdrawals, numbered for ever.

A commit's changes never change afterwards: versions begin at it or end at it, and both numbers are
written once. So their rank within the commit is stable, and `sequence = seq * 2**20 + rank` (from 1) is a
cursor that neither skips nor repeats, whoever reads and however often. Commits become visible in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.journal.ports import POSITION_BITS

_ENDS_FOR_GOOD: Final = """NOT EXISTS (
    SELECT FROM feedback n
     WHERE n.tenant_id = :tenant_id AND n.feedback_id = f.feedback_id AND n.seq_from = f.seq_to)"""
"""A version that ends where its successor begins was revised, not withdrawn."""

# `bound` is the last commit that this page can need, found from the two indexes alone: the page's rows
# lie behind the part of the first commit that was read before, which is `wanted` more than the page.
_CHANGES: Final = text(f"""
WITH wanted AS (
  SELECT :page + (SELECT count(*) FROM feedback WHERE tenant_id = :tenant_id AND seq_from = :seq)
       + (SELECT count(*) FROM feedback WHERE tenant_id = :tenant_id AND seq_to = :seq) AS n
), started AS (
  SELECT seq_from AS seq FROM feedback WHERE tenant_id = :tenant_id AND seq_from >= :seq
   ORDER BY seq_from LIMIT (SELECT n FROM wanted)
), ended AS (
  SELECT seq_to AS seq FROM feedback f WHERE tenant_id = :tenant_id AND seq_to >= :seq AND {_ENDS_FOR_GOOD}
   ORDER BY seq_to LIMIT (SELECT n FROM wanted)
), bound AS (
  SELECT max(seq) AS seq FROM (
    SELECT seq FROM (SELECT seq FROM started UNION ALL SELECT seq FROM ended) AS either
     ORDER BY seq LIMIT (SELECT n FROM wanted)) AS nearest
), changes AS (
  SELECT f.seq_from AS at_seq, 'stored' AS change, f.* FROM feedback f
   WHERE tenant_id = :tenant_id AND seq_from BETWEEN :seq AND (SELECT seq FROM bound)
  UNION ALL
  SELECT f.seq_to, 'withdrawn', f.* FROM feedback f
   WHERE tenant_id = :tenant_id AND seq_to BETWEEN :seq AND (SELECT seq FROM bound) AND {_ENDS_FOR_GOOD}
), numbered AS (
  SELECT (at_seq << {POSITION_BITS}) + row_number() OVER (
           PARTITION BY at_seq ORDER BY change, position, answer_index, feedback_id) AS sequence, c.*
    FROM changes c
), page AS (
  SELECT * FROM numbered WHERE sequence > :after ORDER BY sequence LIMIT :page
)
SELECT page.*, p.data AS personal
  FROM page LEFT JOIN event_personal p ON p.tenant_id = :tenant_id AND p.event_id = page.event_id
 ORDER BY sequence
""").bindparams(
    bindparam("tenant_id", type_=Uuid),
    bindparam("seq", type_=BigInteger),
    bindparam("after", type_=BigInteger),
    bindparam("page", type_=BigInteger),
)


async def list_changes(
    connection: AsyncConnection, tenant_id: UUID, *, after: int, limit: int
) -> Sequence[Any]:
    """Up to `limit` changes with a greater sequence, in order."""
    parameters = {"tenant_id": tenant_id, "seq": after >> POSITION_BITS, "after": after, "page": limit}
    return (await connection.execute(_CHANGES, parameters)).all()
