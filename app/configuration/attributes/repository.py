"""Registered attributes in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.configuration import attributes


async def list_attributes(
    connection: AsyncConnection, tenant_id: UUID, *, after: str | None, limit: int
) -> Sequence[Any]:
    """Attributes after this key."""
    query = select(attributes).where(attributes.c.tenant_id == tenant_id)
    if after is not None:
        query = query.where(attributes.c.key > after)
    found: Sequence[Any] = (await connection.execute(query.order_by(attributes.c.key).limit(limit))).all()
    return found


async def find_attribute(connection: AsyncConnection, tenant_id: UUID, key: str) -> Any:
    """An attribute, or None."""
    query = select(attributes).where(attributes.c.tenant_id == tenant_id, attributes.c.key == key)
    return (await connection.execute(query)).first()


async def put_attribute(
    connection: AsyncConnection, tenant_id: UUID, key: str, values: Mapping[str, Any]
) -> None:
    """Register an attribute, or replace its definition."""
    statement = insert(attributes).values(tenant_id=tenant_id, key=key, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=dict(values))
    )
