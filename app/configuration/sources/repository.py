"""Sources and their inlets in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.configuration import inlets, source_mappings, source_pulls, sources
from app.db.tables.ledgers import raw_payloads
from app.kit.ids import new_id


def _with_tokens(tenant_id: UUID) -> Select[Any]:
    tokens = (
        select(func.count())
        .where(inlets.c.tenant_id == tenant_id, inlets.c.source == sources.c.key)
        .scalar_subquery()
    )
    return select(sources, tokens.label("live_tokens")).where(sources.c.tenant_id == tenant_id)


async def list_sources(
    connection: AsyncConnection, tenant_id: UUID, *, after: str | None, limit: int
) -> Sequence[Any]:
    """Sources after this key, each with the number of its live tokens."""
    query = _with_tokens(tenant_id)
    if after is not None:
        query = query.where(sources.c.key > after)
    found: Sequence[Any] = (await connection.execute(query.order_by(sources.c.key).limit(limit))).all()
    return found


async def find_source(connection: AsyncConnection, tenant_id: UUID, key: str) -> Any:
    """A source with the number of its live tokens, or None."""
    return (await connection.execute(_with_tokens(tenant_id).where(sources.c.key == key))).first()


async def put_source(
    connection: AsyncConnection, tenant_id: UUID, key: str, values: Mapping[str, Any], now: datetime
) -> None:
    """Create or configure a source; what its events wrote stays."""
    statement = postgresql.insert(sources).values(tenant_id=tenant_id, key=key, created_at=now, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=dict(values))
    )


async def count_payloads(
    connection: AsyncConnection, tenant_id: UUID, key: str, since: datetime
) -> Sequence[Any]:
    """What arrived from a source since then: (state, reason, count, last arrival)."""
    query = (
        select(
            raw_payloads.c.state,
            raw_payloads.c.reason,
            func.count().label("payloads"),
            func.max(raw_payloads.c.received_at).label("last_at"),
        )
        .where(
            raw_payloads.c.tenant_id == tenant_id,
            raw_payloads.c.source == key,
            raw_payloads.c.received_at >= since,
        )
        .group_by(raw_payloads.c.state, raw_payloads.c.reason)
    )
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def put_pull(
    connection: AsyncConnection, tenant_id: UUID, source: str, now: datetime, *, pulled: bool
) -> None:
    """Let a source be asked from now on (again at once, if it was already), or no more."""
    own = (source_pulls.c.tenant_id == tenant_id, source_pulls.c.source == source)
    if not pulled:
        await connection.execute(delete(source_pulls).where(*own))
        return
    statement = postgresql.insert(source_pulls).values(
        tenant_id=tenant_id, pull_id=new_id(), source=source, next_at=now, failures=0
    )
    again = {"next_at": now, "failures": 0, "last_error": None, "cursor": None}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "source"], set_=again)
    )


async def find_pull(connection: AsyncConnection, tenant_id: UUID, source: str) -> Any:
    """How the asking of a source goes, or None."""
    own = (source_pulls.c.tenant_id == tenant_id, source_pulls.c.source == source)
    return (await connection.execute(select(source_pulls).where(*own))).first()


async def insert_mapping(
    connection: AsyncConnection, tenant_id: UUID, source: str, document: Mapping[str, Any], now: datetime
) -> int:
    """Keep a mapping document for good; its number. The tenant's write lock keeps two from one number."""
    own = (source_mappings.c.tenant_id == tenant_id, source_mappings.c.source == source)
    newest = await connection.scalar(select(func.max(source_mappings.c.version)).where(*own))
    version = int(newest or 0) + 1
    await connection.execute(
        insert(source_mappings).values(
            tenant_id=tenant_id, source=source, version=version, document=dict(document), created_at=now
        )
    )
    return version


async def insert_token(
    connection: AsyncConnection, tenant_id: UUID, source: str, token_hash: bytes, now: datetime
) -> None:
    """Open a path to a source."""
    await connection.execute(
        insert(inlets).values(tenant_id=tenant_id, token_hash=token_hash, source=source, created_at=now)
    )


async def delete_tokens(
    connection: AsyncConnection, tenant_id: UUID, source: str, *, keep_newest: int = 0
) -> int:
    """Close the paths to a source but the newest ones; how many were closed."""
    own = (inlets.c.tenant_id == tenant_id, inlets.c.source == source)
    kept = (
        select(inlets.c.token_hash)
        .where(*own)
        .order_by(inlets.c.created_at.desc(), inlets.c.token_hash)
        .limit(keep_newest)
    )
    closed = await connection.execute(delete(inlets).where(*own, inlets.c.token_hash.not_in(kept)))
    return closed.rowcount
