"""Rows of declared cuboids: the declarations, and how far each is folded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.declared import declared_counts, declared_cuboids, declared_folds
from app.db.tables.tenants import tenant_head
from app.domain.errors import ConflictError, NotFoundError

MOST_CUBOIDS: Final = 8


async def list_cuboids(
    connection: AsyncConnection, tenant_id: UUID, key: str | None = None
) -> Sequence[Row[Any]]:
    """Declarations by key, each with its fold (nulls where it has none that holds) and its rows."""
    cuboid, fold = declared_cuboids.c, declared_folds.c
    rows = select(func.count()).where(
        declared_counts.c.tenant_id == cuboid.tenant_id, declared_counts.c.cuboid == cuboid.key
    )
    query = (
        select(
            declared_cuboids,
            fold.folded_seq,
            fold.problem,
            tenant_head.c.seq,
            rows.scalar_subquery().label("counted"),
        )
        .select_from(declared_cuboids)
        .join(tenant_head, tenant_head.c.tenant_id == cuboid.tenant_id)
        .outerjoin(
            declared_folds,
            (fold.tenant_id == cuboid.tenant_id)
            & (fold.cuboid == cuboid.key)
            & (fold.dimensions == cuboid.dimensions),
        )
        .where(cuboid.tenant_id == tenant_id)
        .order_by(cuboid.key)
    )
    if key is not None:
        query = query.where(cuboid.key == key)
    return (await connection.execute(query)).all()


async def get_cuboid(connection: AsyncConnection, tenant_id: UUID, key: str) -> Row[Any]:
    """One of them. Raises NotFoundError."""
    rows = await list_cuboids(connection, tenant_id, key)
    if not rows:
        raise NotFoundError("no_such_cuboid", f"there is no declared cuboid {key[:64]!r}")
    return rows[0]


async def put_cuboid(
    connection: AsyncConnection, tenant_id: UUID, key: str, dimensions: list[str], now: datetime
) -> None:
    """Declare it, or declare it otherwise. Raises ConflictError when there are too many."""
    count = select(func.count()).select_from(declared_cuboids)
    others = count.where(declared_cuboids.c.tenant_id == tenant_id, declared_cuboids.c.key != key)
    if (await connection.scalar(others) or 0) >= MOST_CUBOIDS:
        raise ConflictError(
            "too_many_cuboids",
            f"{MOST_CUBOIDS} cuboids are declared: each is written with every commit",
            cure="delete one that is asked for seldom",
        )
    new = upsert(declared_cuboids).values(tenant_id=tenant_id, key=key, dimensions=dimensions, created_at=now)
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "key"], set_={"dimensions": new.excluded.dimensions}
        )
    )


async def delete_cuboid(connection: AsyncConnection, tenant_id: UUID, key: str) -> None:
    """Take it back with all that was counted."""
    for table, column in (
        (declared_cuboids, declared_cuboids.c.key),
        (declared_folds, declared_folds.c.cuboid),
        (declared_counts, declared_counts.c.cuboid),
    ):
        await connection.execute(delete(table).where(table.c.tenant_id == tenant_id, column == key))
