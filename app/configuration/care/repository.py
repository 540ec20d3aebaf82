"""Documents of care in the database: a version is written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.care import care_documents
from app.db.tables.configuration import calendars


async def list_versions(
    connection: AsyncConnection, tenant_id: UUID, kind: str, *, below: int | None, limit: int
) -> Sequence[Any]:
    """Versions of a document, the newest first."""
    query = select(care_documents).where(
        care_documents.c.tenant_id == tenant_id, care_documents.c.kind == kind
    )
    if below is not None:
        query = query.where(care_documents.c.version < below)
    query = query.order_by(care_documents.c.version.desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def find_newest(connection: AsyncConnection, tenant_id: UUID, kind: str) -> Any:
    """The newest version, or None while the preset holds."""
    rows = await list_versions(connection, tenant_id, kind, below=None, limit=1)
    return rows[0] if rows else None


async def find_version(connection: AsyncConnection, tenant_id: UUID, kind: str, version: int) -> Any:
    """One version, or None."""
    rows = await list_versions(connection, tenant_id, kind, below=version + 1, limit=1)
    return rows[0] if rows and rows[0].version == version else None


async def insert_version(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Write a version."""
    await connection.execute(insert(care_documents).values(**values))


async def list_calendar_keys(connection: AsyncConnection, tenant_id: UUID) -> frozenset[str]:
    """Keys of the calendars that waiting may be counted by."""
    query = select(calendars.c.key).where(calendars.c.tenant_id == tenant_id).distinct()
    return frozenset(await connection.scalars(query))
