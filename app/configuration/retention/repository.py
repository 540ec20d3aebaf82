"""Retention rules in the database: one row a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.privacy import retention_rules


async def find_rules(connection: AsyncConnection, tenant_id: UUID) -> Any:
    """The tenant's rules, or None."""
    query = select(retention_rules).where(retention_rules.c.tenant_id == tenant_id)
    return (await connection.execute(query)).first()


async def put_rules(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Write the rules; how far texts were dropped already stays, unless they are kept for longer now."""
    statement = insert(retention_rules).values(**values, text_position=0)
    changed = {name: statement.excluded[name] for name in values if name != "tenant_id"}
    await connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=changed))
