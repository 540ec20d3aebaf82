"""Reads for the routes: actions, failures, debriefs, notices, and what customers are still owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.care import (
    case_actions,
    corrective_actions,
    debriefs,
    proactive_notices,
    recurring_failures,
)
from app.db.tables.cases import cases
from app.domain.recurrence import WINDOW

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
