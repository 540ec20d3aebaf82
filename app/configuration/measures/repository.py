"""Terms and annotations in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.metrics import metric_annotations, metric_terms


async def list_terms(connection: AsyncConnection, tenant_id: UUID, *, limit: int) -> Sequence[Any]:
    """Versions of the terms, the newest first."""
    own = metric_terms.c.tenant_id == tenant_id
    query = select(metric_terms).where(own).order_by(metric_terms.c.version.desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def append_terms(
    connection: AsyncConnection,
    tenant_id: UUID,
    *,
    version: int,
    valid_from: datetime,
    document: Mapping[str, Any],
    now: datetime,
) -> None:
    """Store a new version."""
    await connection.execute(
        insert(metric_terms).values(
            tenant_id=tenant_id, version=version, valid_from=valid_from, document=document, created_at=now
        )
    )


async def list_annotations(
    connection: AsyncConnection, tenant_id: UUID, *, after: str | None, limit: int
) -> Sequence[Any]:
    """Annotations after this key."""
    query = select(metric_annotations).where(metric_annotations.c.tenant_id == tenant_id)
    if after is not None:
        query = query.where(metric_annotations.c.key > after)
    found: Sequence[Any] = (
        await connection.execute(query.order_by(metric_annotations.c.key).limit(limit))
    ).all()
    return found


async def find_annotation(connection: AsyncConnection, tenant_id: UUID, key: str) -> Any:
    """An annotation, or None."""
    own = (metric_annotations.c.tenant_id == tenant_id, metric_annotations.c.key == key)
    return (await connection.execute(select(metric_annotations).where(*own))).first()


async def put_annotation(
    connection: AsyncConnection, tenant_id: UUID, key: str, values: Mapping[str, Any], now: datetime
) -> None:
    """Write an annotation, or replace it."""
    statement = upsert(metric_annotations).values(tenant_id=tenant_id, key=key, created_at=now, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=dict(values))
    )


async def delete_annotation(connection: AsyncConnection, tenant_id: UUID, key: str) -> bool:
    """Remove an annotation; False when there was none."""
    own = (metric_annotations.c.tenant_id == tenant_id, metric_annotations.c.key == key)
    return bool((await connection.execute(delete(metric_annotations).where(*own))).rowcount)
