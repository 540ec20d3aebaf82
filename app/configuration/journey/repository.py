"""The journey map in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.journey import journey_rules, journey_touchpoints

RULES = journey_rules


async def put_touchpoints(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Place touchpoints on the map, or place them anew."""
    statement = insert(journey_touchpoints)
    placed = {name: statement.excluded[name] for name in rows[0] if name not in ("tenant_id", "key")}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=placed), rows
    )
