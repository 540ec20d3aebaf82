"""Tenants: whom the loops work for, and whose configuration has changed."""

from __future__ import annotations

from uuid import UUID

from app.db.engine import Database, Tx

_MOVE_CONFIG = "UPDATE tenant_head SET config_version = config_version + 1 WHERE tenant_id = $1"


async def list_tenants(database: Database) -> list[UUID]:
    """Every tenant that is not switched off."""
    async with database.worker() as tx:
        rows = await tx.fetch("SELECT tenant_id FROM tenants WHERE disabled_at IS NULL ORDER BY tenant_id")
    return [row["tenant_id"] for row in rows]


async def move_config(tx: Tx, tenant_id: UUID) -> None:
    """Say that the tenant's configuration has changed: every process reads it anew with its next commit."""
    await tx.execute(_MOVE_CONFIG, tenant_id)
