"""Who has the turn: locks of rows, not advisory ones, which any login of the database could take and hold."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from app.db.engine import Tx

FANOUT: Final = "fanout"

_TRY = "SELECT name FROM turns WHERE name = $1 FOR UPDATE SKIP LOCKED"
_FIRST = "INSERT INTO turns (tenant_id, name) VALUES ($2, $1) ON CONFLICT DO NOTHING"
_TAKE = "SELECT name FROM turns WHERE name = any($1::text[]) ORDER BY name FOR UPDATE"
_FIRST_OF = """
INSERT INTO turns (tenant_id, name) SELECT tenant_id, endpoint_id::text FROM endpoints
 WHERE endpoint_id = any($1::uuid[]) ORDER BY endpoint_id ON CONFLICT DO NOTHING
"""
_NOBODYS = UUID(int=0)


async def try_turn(tx: Tx, name: str) -> bool:
    """Take a turn of the whole installation until the transaction ends; False when another has it."""
    if await tx.fetchval(_TRY, name) is not None:
        return True
    await tx.execute(_FIRST, name, _NOBODYS)
    return await tx.fetchval(_TRY, name) is not None


async def take_turns(tx: Tx, endpoint_ids: Collection[UUID]) -> None:
    """Wait for the turns of these endpoints and keep them until the transaction ends."""
    names = sorted(str(endpoint_id) for endpoint_id in endpoint_ids)
    if len(await tx.fetch(_TAKE, names)) < len(names):
        await tx.execute(_FIRST_OF, list(endpoint_ids))
        await tx.fetch(_TAKE, names)
