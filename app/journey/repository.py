"""The journey map and what was heard along it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.journey.coverage import Heard

_MAP = """
SELECT d.key, d.title, d.parent, j.stage, j.is_key, j.owner, j.channels, j.questions
  FROM directory d LEFT JOIN journey_touchpoints j ON j.tenant_id = $1 AND j.key = d.key
 WHERE d.tenant_id = $1 AND d.kind = 'touchpoint'
 ORDER BY array_position(ARRAY['before', 'purchase', 'waiting', 'after'], j.stage) NULLS LAST, j.place, d.key
"""
_HEARD = """
SELECT touchpoint, question, count(*) AS n, max(occurred_at) AS last_at,
       bool_or(measure = 'journey_overall') AS overall
  FROM feedback WHERE tenant_id = $1 AND seq_to IS NULL AND occurred_at >= $2 AND occurred_at < $3
 GROUP BY 1, 2
"""


async def list_map(tx: Tx, tenant_id: UUID) -> Sequence[Any]:
    """Every touchpoint, those of the map first, stage by stage."""
    return await tx.fetch(_MAP, tenant_id)


async def load_heard(
    tx: Tx, tenant_id: UUID, from_at: datetime, to_at: datetime
) -> tuple[dict[str, Heard], int, bool]:
    """What was heard at each touchpoint, how much names none, and whether the whole journey was asked."""
    heard: dict[str, Heard] = {}
    nowhere, overall = 0, False
    for row in await tx.fetch(_HEARD, tenant_id, from_at, to_at):
        overall = overall or row["overall"]
        if row["touchpoint"] is None:
            nowhere += row["n"]
            continue
        known = heard.get(row["touchpoint"], Heard())
        last = row["last_at"] if known.last_at is None else max(known.last_at, row["last_at"])
        heard[row["touchpoint"]] = Heard(known.answers + row["n"], last, known.questions | {row["question"]})
    return heard, nowhere, overall


async def count_current(tx: Tx, tenant_id: UUID, touchpoint: str) -> int:
    """Current answers at a touchpoint."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM feedback WHERE tenant_id = $1 AND touchpoint = $2 AND seq_to IS NULL",
        tenant_id,
        touchpoint,
    )
    return found
