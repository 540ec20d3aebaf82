"""Reads of actions, failures, debriefs, notices, and of what customers are still owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Tx
from app.db.tables.care import (
    case_actions,
    corrective_actions,
    debriefs,
    proactive_notices,
    recurring_failures,
)
from app.db.tables.cases import cases
from app.domain.events import StoredEvent
from app.domain.recurrence import WINDOW
from app.journal.rows import select_events
from app.kit.ids import parse_public_id

ACTIONS, FAILURES, DEBRIEFS, NOTICES = corrective_actions, recurring_failures, debriefs, proactive_notices
Place = tuple[datetime, UUID]


async def list_rows(
    connection: AsyncConnection,
    table: Table,
    tenant_id: UUID,
    filters: dict[str, str | None],
    *,
    at: str,
    key: str,
    before: Place | None,
    limit: int,
) -> Sequence[Any]:
    """Rows that meet the filters, newest first by the column `at`, then by `key`."""
    query = select(table).where(table.c.tenant_id == tenant_id)
    for name, value in filters.items():
        if value is not None:
            query = query.where(table.c[name] == value)
    if before is not None:
        query = query.where(tuple_(table.c[at], table.c[key]) < before)
    query = query.order_by(table.c[at].desc(), table.c[key].desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def find_row(connection: AsyncConnection, table: Table, tenant_id: UUID, key: str, value: UUID) -> Any:
    """One row by its id, or None."""
    query = select(table).where(table.c.tenant_id == tenant_id, table.c[key] == value)
    return (await connection.execute(query)).first()


async def count_links(connection: AsyncConnection, tenant_id: UUID, refs: Sequence[str]) -> dict[str, Any]:
    """How many cases each action has, and how many of their customers are owed a word."""
    owed = case_actions.c.deployed_at.is_not(None) & case_actions.c.informed_at.is_(None)
    query = (
        select(
            case_actions.c.action,
            func.count().label("cases"),
            func.count().filter(owed & case_actions.c.customer_facing).label("owed"),
        )
        .where(case_actions.c.tenant_id == tenant_id, case_actions.c.action.in_(refs))
        .group_by(case_actions.c.action)
    )
    return {row.action: row for row in await connection.execute(query)}


async def list_owed(
    connection: AsyncConnection, tenant_id: UUID, *, action: str | None, before: Place | None, limit: int
) -> Sequence[Any]:
    """Customers who are to be told that it is better, the latest deployment first."""
    links = case_actions
    query = (
        select(links, cases.c.preferred_channel, cases.c.channel, cases.c.assignee, cases.c.cause)
        .join(cases, (cases.c.tenant_id == links.c.tenant_id) & (cases.c.case_id == links.c.case_id))
        .where(
            links.c.tenant_id == tenant_id,
            links.c.deployed_at.is_not(None),
            links.c.informed_at.is_(None),
            links.c.customer_facing,
            cases.c.merged_into.is_(None),
        )
    )
    if action is not None:
        query = query.where(links.c.action == action)
    if before is not None:
        query = query.where(tuple_(links.c.deployed_at, links.c.case_id) < before)
    query = query.order_by(links.c.deployed_at.desc(), links.c.case_id.desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def count_causes(
    connection: AsyncConnection, tenant_id: UUID, causes: Sequence[str], now: datetime
) -> dict[str, dict[str, int]]:
    """Cause -> severity -> its cases of the last 28 days."""
    query = (
        select(cases.c.cause, cases.c.severity, func.count().label("n"))
        .where(
            cases.c.tenant_id == tenant_id,
            cases.c.cause.in_(causes),
            cases.c.opened_at > now - WINDOW,
            cases.c.state.not_in(("invalid", "duplicate", "merged")),
        )
        .group_by(cases.c.cause, cases.c.severity)
    )
    found: dict[str, dict[str, int]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.cause, {})[row.severity] = row.n
    return found


_COUNT = """
SELECT cause, count(*) FILTER (WHERE opened_at > $3::timestamptz - interval '28 days') AS cases,
       count(*) FILTER (WHERE opened_at <= $3::timestamptz - interval '28 days') AS cases_before
  FROM cases
 WHERE tenant_id = $1 AND cause = any($2) AND opened_at > $3::timestamptz - interval '56 days'
   AND opened_at <= $3 AND NOT case_id = any($4) AND state NOT IN ('invalid', 'duplicate', 'merged')
 GROUP BY cause
"""
_EXPOSURE = """
SELECT coalesce(sum(count) FILTER (WHERE occurred_at > $2::timestamptz - interval '28 days'), 0)::float8
           AS now,
       coalesce(sum(count) FILTER (WHERE occurred_at <= $2::timestamptz - interval '28 days'), 0)::float8
           AS before
  FROM volumes WHERE tenant_id = $1 AND kind = 'transactions' AND seq_to IS NULL AND occurred_at <= $2
   AND occurred_at > $2::timestamptz - interval '56 days'
"""


async def count_cases(
    tx: Tx, tenant_id: UUID, causes: Sequence[str], at: datetime, without: Sequence[UUID]
) -> dict[str, tuple[int, int]]:
    """Cause -> its cases in the 28 days up to `at`, and in the 28 before; some cases left out."""
    rows = await tx.fetch(_COUNT, tenant_id, list(causes), at, list(without))
    return {row["cause"]: (row["cases"], row["cases_before"]) for row in rows}


async def find_open_failures(tx: Tx, tenant_id: UUID, causes: Sequence[str]) -> dict[str, Any]:
    """The failures of these causes, the open and the closed ones."""
    rows = await tx.fetch(
        "SELECT cause, state, closed_at FROM recurring_failures WHERE tenant_id = $1 AND cause = any($2)",
        tenant_id,
        list(causes),
    )
    return {row["cause"]: row for row in rows}


async def find_actions(tx: Tx, tenant_id: UUID, refs: Sequence[str]) -> dict[str, Any]:
    """The actions of these references."""
    rows = await tx.fetch(
        "SELECT * FROM corrective_actions WHERE tenant_id = $1 AND ref = any($2)", tenant_id, list(refs)
    )
    return {row["ref"]: row for row in rows}


async def list_untold(tx: Tx, tenant_id: UUID, refs: Sequence[str]) -> list[Any]:
    """Cases linked to these actions whose customers have not been promised a word yet."""
    return await tx.fetch(
        "SELECT case_id, action FROM case_actions WHERE tenant_id = $1 AND action = any($2) "
        "AND deployed_at IS NULL ORDER BY case_id",
        tenant_id,
        list(refs),
    )


async def list_unsettled(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> list[Any]:
    """The actions of these cases whose customers were not told yet."""
    return await tx.fetch(
        "SELECT case_id, action FROM case_actions WHERE tenant_id = $1 AND case_id = any($2) "
        "AND informed_at IS NULL ORDER BY case_id, action",
        tenant_id,
        list(case_ids),
    )


async def list_case_refs(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> dict[UUID, str]:
    """One reference of each of these cases that has any."""
    rows = await tx.fetch(
        "SELECT subject_id, min(ref) AS ref FROM subject_aliases "
        "WHERE tenant_id = $1 AND kind = 'case' AND subject_id = any($2) GROUP BY subject_id",
        tenant_id,
        list(case_ids),
    )
    return {row["subject_id"]: row["ref"] for row in rows}


async def find_cases(tx: Tx, tenant_id: UUID, named: Sequence[str]) -> dict[str, Any]:
    """Case rows by the ids or references that callers named."""
    ids = {name: parse_public_id("case", name) for name in named}
    rows = await tx.fetch(
        "SELECT ref, subject_id FROM subject_aliases "
        "WHERE tenant_id = $1 AND kind = 'case' AND ref = any($2)",
        tenant_id,
        list(named),
    )
    by_ref = {row["ref"]: row["subject_id"] for row in rows}
    wanted = {name: ids[name] or by_ref.get(name) for name in named}
    found = await tx.fetch(
        "SELECT case_id, cause, severity, employee FROM cases WHERE tenant_id = $1 AND case_id = any($2)",
        tenant_id,
        [value for value in wanted.values() if value is not None],
    )
    by_id = {row["case_id"]: row for row in found}
    return {name: by_id[value] for name, value in wanted.items() if value in by_id}


async def list_linked(tx: Tx, tenant_id: UUID, action: str) -> set[UUID]:
    """The cases that are linked to an action."""
    rows = await tx.fetch(
        "SELECT case_id FROM case_actions WHERE tenant_id = $1 AND action = $2", tenant_id, action
    )
    return {row["case_id"] for row in rows}


async def list_debriefed(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> set[UUID]:
    """Of these cases those that led to a debrief already."""
    rows = await tx.fetch(
        "SELECT case_id FROM debriefs WHERE tenant_id = $1 AND case_id = any($2)", tenant_id, list(case_ids)
    )
    return {row["case_id"] for row in rows}


async def history_of(tx: Tx, tenant_id: UUID, subject_id: UUID) -> list[StoredEvent]:
    """All events of a subject in journal order."""
    return await select_events(tx, tenant_id, "e.subject_id = $2", subject_id)


async def exposure(tx: Tx, tenant_id: UUID, at: datetime) -> tuple[float, float]:
    """Transactions in the 28 days up to `at`, and in the 28 before."""
    row = await tx.fetchrow(_EXPOSURE, tenant_id, at)
    return row["now"], row["before"]


async def count_owed(tx: Tx, tenant_id: UUID, action: str) -> int:
    """How many customers are owed a word about an action."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM case_actions WHERE tenant_id = $1 AND action = $2 AND customer_facing "
        "AND deployed_at IS NOT NULL AND informed_at IS NULL",
        tenant_id,
        action,
    )
    return found
