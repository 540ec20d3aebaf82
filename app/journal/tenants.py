"""Whom the loops work for."""

from __future__ import annotations

from uuid import UUID

from app.db.engine import Database


async def list_tenants(database: Database) -> list[UUID]:
    """Every tenant that is not switched off."""
    async with database.worker() as tx:
        rows = await tx.fetch("SELECT tenant_id FROM tenants WHERE disabled_at IS NULL ORDER BY tenant_id")
    return [row["tenant_id"] for row in rows]
