"""Versioned documents in the database: calendars and policies alike, a version is written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.configuration import calendars, policies

CALENDARS = calendars
POLICIES = policies


async def list_newest(
    connection: AsyncConnection, table: Table, tenant_id: UUID, *, after: str | None, limit: int
) -> Sequence[Any]:
    """The newest version of each document after this key."""
    query = select(table).ext(distinct_on(table.c.key)).where(table.c.tenant_id == tenant_id)
    if after is not None:
        query = query.where(table.c.key > after)
    query = query.order_by(table.c.key, table.c.version.desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def list_versions(
    connection: AsyncConnection, table: Table, tenant_id: UUID, key: str, *, below: int | None, limit: int
) -> Sequence[Any]:
    """Versions of a document, the newest first."""
    query = select(table).where(table.c.tenant_id == tenant_id, table.c.key == key)
    if below is not None:
        query = query.where(table.c.version < below)
    found: Sequence[Any] = (
        await connection.execute(query.order_by(table.c.version.desc()).limit(limit))
    ).all()
    return found


async def find_newest(connection: AsyncConnection, table: Table, tenant_id: UUID, key: str) -> Any:
    """The newest version of a document, or None."""
    rows = await list_versions(connection, table, tenant_id, key, below=None, limit=1)
    return rows[0] if rows else None


async def find_version(
    connection: AsyncConnection, table: Table, tenant_id: UUID, key: str, version: int
) -> Any:
    """One version of a document, or None."""
    query = select(table).where(
        table.c.tenant_id == tenant_id, table.c.key == key, table.c.version == version
    )
    return (await connection.execute(query)).first()


async def insert_version(connection: AsyncConnection, table: Table, values: Mapping[str, Any]) -> None:
    """Write a version."""
    await connection.execute(insert(table).values(**values))


async def list_calendar_keys(connection: AsyncConnection, tenant_id: UUID) -> frozenset[str]:
    """Keys of the calendars that policies may count by."""
    query = select(calendars.c.key).where(calendars.c.tenant_id == tenant_id).distinct()
    return frozenset(await connection.scalars(query))


async def find_policies_in_force(
    connection: AsyncConnection, tenant_id: UUID, now: datetime
) -> frozenset[tuple[str, int]]:
    """Key and version of the policies that bind what opens now: of each key the newest one in effect."""
    query = (
        select(policies.c.key, policies.c.version)
        .ext(distinct_on(policies.c.key))
        .where(
            policies.c.tenant_id == tenant_id,
            or_(policies.c.effective_from.is_(None), policies.c.effective_from <= now),
        )
        .order_by(policies.c.key, policies.c.effective_from.desc().nulls_last(), policies.c.version.desc())
    )
    return frozenset((row.key, row.version) for row in await connection.execute(query))
