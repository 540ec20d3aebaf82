"""Alert rules, their states, and the outbox rows of what is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Tx
from app.db.tables.metrics import metric_alert_states, metric_alerts
from app.journal.ports import POSITION_BITS
from app.kit import json
from app.kit.ids import new_id

MOST_ALERTS = 500

_CLAIM = """
UPDATE metric_alerts SET evaluated_at = $2
 WHERE tenant_id = $1 AND enabled AND (evaluated_at IS NULL
       OR evaluated_at <= $2::timestamptz - (document->>'every_seconds')::int * interval '1 second')
RETURNING key, document
"""
_LOCK_HEAD = """
UPDATE tenant_head SET seq = seq + 1, recorded_at = greatest(now(), recorded_at + interval '1 microsecond')
 WHERE tenant_id = $1 AND NOT rebuilding RETURNING seq, recorded_at
"""
_RAISE = """
INSERT INTO metric_alert_states (tenant_id, alert, unit, raised_at, finding) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING unit
"""
_CLEAR = "DELETE FROM metric_alert_states WHERE tenant_id = $1 AND alert = $2 AND unit = $3 RETURNING unit"
_ANNOUNCE = """
INSERT INTO outbox (tenant_id, event_id, type, sequence, occurred_at, data, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def claim_alerts(tx: Tx, tenant_id: UUID, now: datetime) -> list[tuple[str, dict[str, Any]]]:
    """The rules that are due; they are this process's until the next time."""
    return [(row["key"], row["document"]) for row in await tx.fetch(_CLAIM, tenant_id, now)]


async def list_raised(tx: Tx, tenant_id: UUID, alert: str) -> dict[str, dict[str, Any]]:
    """The raised units of an alert and what was found."""
    rows = await tx.fetch(
        "SELECT unit, finding FROM metric_alert_states WHERE tenant_id = $1 AND alert = $2", tenant_id, alert
    )
    return {row["unit"]: row["finding"] for row in rows}


async def list_touchpoints(tx: Tx, tenant_id: UUID, keys: Sequence[str]) -> list[str]:
    """The named touchpoints, or those marked as key ones."""
    if keys:
        return sorted(keys)
    rows = await tx.fetch(
        "SELECT key FROM directory WHERE tenant_id = $1 AND kind = 'touchpoint' "
        "AND details->>'key' = 'true' ORDER BY key",
        tenant_id,
    )
    return [row["key"] for row in rows]


async def list_heard(tx: Tx, tenant_id: UUID, keys: Sequence[str], since: datetime) -> set[str]:
    """Those of the touchpoints that had feedback since then."""
    rows = await tx.fetch(
        "SELECT DISTINCT touchpoint FROM feedback WHERE tenant_id = $1 AND seq_to IS NULL "
        "AND occurred_at >= $2 AND touchpoint = any($3)",
        tenant_id,
        since,
        list(keys),
    )
    return {row["touchpoint"] for row in rows}


async def note_problem(tx: Tx, tenant_id: UUID, alert: str, problem: str | None) -> None:
    """Why an evaluation failed; None: it did not."""
    await tx.execute(
        "UPDATE metric_alerts SET problem = $3 "
        "WHERE tenant_id = $1 AND key = $2 AND problem IS DISTINCT FROM $3",
        tenant_id,
        alert,
        problem,
    )


async def announce(
    tx: Tx,
    tenant_id: UUID,
    alert: str,
    kind: str,
    raised: Mapping[str, dict[str, Any]],
    cleared: Mapping[str, dict[str, Any]],
    now: datetime,
    *,
    tell_cleared: bool,
) -> int:
    """Write the new states and tell of those that are new indeed, in the tenant's order; how many.

    The state's key makes a second telling of the same impossible, whoever else evaluates.
    """
    head = await tx.fetchrow(_LOCK_HEAD, tenant_id)
    if head is None:
        return 0  # being rebuilt: the next evaluation finds the same
    told: list[dict[str, Any]] = []
    for unit, finding in raised.items():
        if await tx.fetchval(_RAISE, tenant_id, alert, unit, now, json.dumps_text(finding)) is not None:
            told.append({**finding, "state": "raised"})
    for unit, finding in cleared.items():
        if await tx.fetchval(_CLEAR, tenant_id, alert, unit) is not None and tell_cleared:
            told.append({**finding, "state": "cleared"})
    for number, finding in enumerate(told):
        position = (head["seq"] << POSITION_BITS) + number
        data = {**finding, "alert": alert, "sequence": position}
        await tx.execute(
            _ANNOUNCE, tenant_id, new_id(), kind, position, now, json.dumps_text(data), head["recorded_at"]
        )
    return len(told)


async def list_alerts(connection: AsyncConnection, tenant_id: UUID) -> Sequence[Any]:
    """All rules, by key."""
    own = metric_alerts.c.tenant_id == tenant_id
    query = select(metric_alerts).where(own).order_by(metric_alerts.c.key).limit(MOST_ALERTS)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def find_alert(
    connection: AsyncConnection, tenant_id: UUID, key: str, *, lock: bool = False
) -> Any | None:
    """The rule of that key; locked for the rest of the transaction where it is to be changed."""
    query = select(metric_alerts).where(metric_alerts.c.tenant_id == tenant_id, metric_alerts.c.key == key)
    return (await connection.execute(query.with_for_update() if lock else query)).one_or_none()


async def list_states(connection: AsyncConnection, tenant_id: UUID) -> Sequence[Any]:
    """All raised units, by alert and unit."""
    states = metric_alert_states.c
    query = select(metric_alert_states).where(states.tenant_id == tenant_id)
    found: Sequence[Any] = (await connection.execute(query.order_by(states.alert, states.unit))).all()
    return found


async def put_alert(
    connection: AsyncConnection, tenant_id: UUID, key: str, document: Mapping[str, Any], now: datetime
) -> None:
    """Write a rule: what the old one had raised is forgotten, the new one is looked at soon."""
    values = {
        "document": document,
        "enabled": document["enabled"],
        "changed_at": now,
        "evaluated_at": None,
        "problem": None,
    }
    statement = upsert(metric_alerts).values(tenant_id=tenant_id, key=key, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=values)
    )
    await _forget(connection, tenant_id, key)


async def delete_alert(connection: AsyncConnection, tenant_id: UUID, key: str) -> None:
    """Remove a rule and what it had raised."""
    own = (metric_alerts.c.tenant_id == tenant_id, metric_alerts.c.key == key)
    await _forget(connection, tenant_id, key)
    await connection.execute(delete(metric_alerts).where(*own))


async def _forget(connection: AsyncConnection, tenant_id: UUID, key: str) -> None:
    states = metric_alert_states.c
    await connection.execute(
        delete(metric_alert_states).where(states.tenant_id == tenant_id, states.alert == key)
    )
