"""Rows of saved queries and of their feeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.saved_queries import query_feeds, saved_queries
from app.domain.errors import ConflictError, NotFoundError
from app.metrics.saved.token import no_such_feed

MOST_QUERIES = 500
MOST_FEEDS = 50


async def list_queries(connection: AsyncConnection, tenant_id: UUID) -> Sequence[Row[Any]]:
    """All of them by key: there are at most `MOST_QUERIES`."""
    rows = saved_queries.c.tenant_id == tenant_id
    return (await connection.execute(select(saved_queries).where(rows).order_by(saved_queries.c.key))).all()


async def get_query(connection: AsyncConnection, tenant_id: UUID, key: str) -> Row[Any]:
    """One saved query. Raises NotFoundError."""
    found = select(saved_queries).where(saved_queries.c.tenant_id == tenant_id, saved_queries.c.key == key)
    row = (await connection.execute(found)).one_or_none()
    if row is None:
        raise NotFoundError("no_such_query", f"there is no saved query {key[:64]!r}")
    return row


async def put_query(
    connection: AsyncConnection,
    tenant_id: UUID,
    key: str,
    title: str,
    document: dict[str, Any],
    now: datetime,
) -> None:
    """Make it or write it anew. Raises ConflictError when there are too many."""
    count = select(func.count()).select_from(saved_queries)
    others = count.where(saved_queries.c.tenant_id == tenant_id, saved_queries.c.key != key)
    if (await connection.scalar(others) or 0) >= MOST_QUERIES:
        raise ConflictError("too_many_queries", f"{MOST_QUERIES} queries are saved", cure="delete some")
    new = upsert(saved_queries).values(
        tenant_id=tenant_id, key=key, title=title, document=document, created_at=now, updated_at=now
    )
    changed = {name: new.excluded[name] for name in ("title", "document", "updated_at")}
    await connection.execute(new.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=changed))


async def delete_query(connection: AsyncConnection, tenant_id: UUID, key: str) -> None:
    """Delete it with its feeds. Raises NotFoundError."""
    await get_query(connection, tenant_id, key)
    feeds, queries = query_feeds.c, saved_queries.c
    await connection.execute(delete(query_feeds).where(feeds.tenant_id == tenant_id, feeds.query == key))
    await connection.execute(delete(saved_queries).where(queries.tenant_id == tenant_id, queries.key == key))


async def list_feeds(connection: AsyncConnection, tenant_id: UUID, key: str) -> Sequence[Row[Any]]:
    """The feeds of a query, newest first."""
    rows = select(query_feeds).where(query_feeds.c.tenant_id == tenant_id, query_feeds.c.query == key)
    return (await connection.execute(rows.order_by(query_feeds.c.feed_id.desc()))).all()


async def get_feed(connection: AsyncConnection, tenant_id: UUID, feed_id: UUID) -> Row[Any]:
    """One feed. Raises NotFoundError."""
    rows = select(query_feeds).where(query_feeds.c.tenant_id == tenant_id, query_feeds.c.feed_id == feed_id)
    row = (await connection.execute(rows)).one_or_none()
    if row is None:
        raise no_such_feed()
    return row


async def insert_feed(connection: AsyncConnection, tenant_id: UUID, row: dict[str, Any]) -> None:
    """Open a feed. Raises ConflictError when a query has too many."""
    count = select(func.count()).select_from(query_feeds)
    of_query = count.where(query_feeds.c.tenant_id == tenant_id, query_feeds.c.query == row["query"])
    if (await connection.scalar(of_query) or 0) >= MOST_FEEDS:
        raise ConflictError(
            "too_many_feeds", f"the query has {MOST_FEEDS} feeds", cure="save it under another key"
        )
    await connection.execute(insert(query_feeds).values(tenant_id=tenant_id, **row))


async def revoke_feed(connection: AsyncConnection, tenant_id: UUID, feed_id: UUID, now: datetime) -> None:
    """Close a feed from its next request on; a second time changes nothing."""
    feeds = query_feeds.c
    await connection.execute(
        update(query_feeds)
        .where(feeds.tenant_id == tenant_id, feeds.feed_id == feed_id, feeds.revoked_at.is_(None))
        .values(revoked_at=now)
    )
