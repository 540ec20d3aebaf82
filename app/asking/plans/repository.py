"""Plans, sampled lines of business and referrals in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.asking import asking_plans, referrals
from app.domain.asking.policy import Sampling, SecondLine

_COLUMNS = tuple(column.name for column in asking_plans.columns)
_PROFITABLE = """
SELECT {0} AS line FROM volumes
 WHERE tenant_id = $1 AND seq_to IS NULL AND kind = 'transactions' AND occurred_at >= $2 AND {0} IS NOT NULL
 GROUP BY 1 ORDER BY sum(CASE WHEN attributes->>'margin' ~ '^-?[0-9]{{1,12}}([.][0-9]{{1,6}})?$'
     THEN (attributes->>'margin')::numeric END) DESC NULLS LAST, sum(amount) DESC NULLS LAST, 1 LIMIT 1
"""
_CAPRICIOUS = """
SELECT sold.line FROM (
    SELECT {0} AS line, sum(count) AS n FROM volumes WHERE tenant_id = $1 AND seq_to IS NULL
       AND kind = 'transactions' AND occurred_at >= $2 AND {0} IS NOT NULL AND {0} IS DISTINCT FROM $3
     GROUP BY 1) AS sold
  LEFT JOIN (
    SELECT {0} AS line, count(*) AS n FROM cases WHERE tenant_id = $1 AND kind = 'complaint'
       AND opened_at >= $2 AND state <> 'awaiting_opening' GROUP BY 1) AS bad USING (line)
 WHERE sold.n > 0 ORDER BY coalesce(bad.n, 0)::float8 / sold.n DESC, sold.line LIMIT 1
"""
_NEWEST = """
SELECT key FROM directory WHERE tenant_id = $1 AND kind = $2 AND key IS DISTINCT FROM $3
 ORDER BY first_seen_at DESC, key LIMIT 1
"""


async def insert_plans(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """Plan moments; one that is planned already stays as it is."""
    await insert_rows(tx, asking_plans, _COLUMNS, rows, suffix="ON CONFLICT DO NOTHING")


async def load_lines(
    tx: Tx, tenant_id: UUID, sampling: Sampling | None, now: datetime
) -> dict[str, str | None]:
    """The two lines of business to ask (S1.8): most profitable, and most capricious or newest."""
    if sampling is None:
        return dict.fromkeys(("dimension", "profitable", "second", "second_by"))
    name, since = sampling.dimension, now - timedelta(days=sampling.window_days)
    first = await tx.fetchval(_PROFITABLE.format(name), tenant_id, since)
    if sampling.second is SecondLine.CAPRICIOUS:
        second = await tx.fetchval(_CAPRICIOUS.format(name), tenant_id, since, first)
    else:
        second = await tx.fetchval(_NEWEST, tenant_id, name, first)
    return {"dimension": name, "profitable": first, "second": second, "second_by": sampling.second.value}


async def list_plans(
    connection: AsyncConnection, tenant_id: UUID, *, moment: str | None, limit: int
) -> Sequence[Any]:
    """Plans, the next one first."""
    query = select(asking_plans).where(asking_plans.c.tenant_id == tenant_id)
    if moment is not None:
        query = query.where(asking_plans.c.moment == moment)
    query = query.order_by(asking_plans.c.next_at, asking_plans.c.plan_id).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def count_referrals(connection: AsyncConnection, tenant_id: UUID, coupon: str | None) -> dict[str, int]:
    """Kind -> copies."""
    query = select(referrals.c.kind, func.sum(referrals.c.copies).label("n")).where(
        referrals.c.tenant_id == tenant_id
    )
    if coupon is not None:
        query = query.where(referrals.c.coupon == coupon)
    return {row.kind: int(row.n) for row in await connection.execute(query.group_by(referrals.c.kind))}
