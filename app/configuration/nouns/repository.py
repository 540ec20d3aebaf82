"""Nouns in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.configuration import directory


async def list_nouns(
    connection: AsyncConnection,
    tenant_id: UUID,
    kind: str,
    *,
    uncategorised: bool | None,
    after: str | None,
    limit: int,
) -> Sequence[Any]:
    """Nouns of a kind after this key."""
    query = select(directory).where(directory.c.tenant_id == tenant_id, directory.c.kind == kind)
    if uncategorised is not None:
        query = query.where(directory.c.uncategorised.is_(uncategorised))
    if after is not None:
        query = query.where(directory.c.key > after)
    found: Sequence[Any] = (await connection.execute(query.order_by(directory.c.key).limit(limit))).all()
    return found


async def find_nouns(
    connection: AsyncConnection, tenant_id: UUID, kind: str, keys: Collection[str]
) -> dict[str, Any]:
    """The nouns that exist under these keys."""
    query = select(directory).where(
        directory.c.tenant_id == tenant_id, directory.c.kind == kind, directory.c.key.in_(keys)
    )
    return {row.key: row for row in await connection.execute(query)}


async def list_parents(connection: AsyncConnection, tenant_id: UUID, kind: str) -> dict[str, str]:
    """Key -> key above it, of every noun of the kind that has one."""
    query = select(directory.c.key, directory.c.parent).where(
        directory.c.tenant_id == tenant_id, directory.c.kind == kind, directory.c.parent.is_not(None)
    )
    return {row.key: row.parent for row in await connection.execute(query)}


async def put_nouns(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Create or describe nouns; when they were first seen stays."""
    statement = insert(directory)
    kept = ("tenant_id", "kind", "key", "first_seen_at")
    described = {name: statement.excluded[name] for name in rows[0] if name not in kept}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "kind", "key"], set_=described), rows
    )
