"""Endpoints and their secrets in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.webhooks import deliveries, endpoint_secrets, endpoints, messages, turns
from app.domain.errors import NotFoundError
from app.kit.ids import new_id, public_id


async def list_endpoints(
    connection: AsyncConnection, tenant_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Endpoints after this one, oldest first."""
    query = select(endpoints).where(endpoints.c.tenant_id == tenant_id)
    if after is not None:
        query = query.where(endpoints.c.endpoint_id > after)
    return (await connection.execute(query.order_by(endpoints.c.endpoint_id).limit(limit))).all()


async def count_endpoints(connection: AsyncConnection, tenant_id: UUID) -> int:
    """How many endpoints the tenant has."""
    query = select(func.count()).select_from(endpoints).where(endpoints.c.tenant_id == tenant_id)
    return int(await connection.scalar(query) or 0)


async def get_endpoint(
    connection: AsyncConnection, tenant_id: UUID, endpoint_id: UUID, *, lock: bool = False
) -> Any:
    """An endpoint, locked if it is to be changed. Raises NotFoundError."""
    query = select(endpoints).where(
        endpoints.c.tenant_id == tenant_id, endpoints.c.endpoint_id == endpoint_id
    )
    row = (await connection.execute(query.with_for_update(key_share=True) if lock else query)).first()
    if row is None:
        raise NotFoundError("not_found", f"there is no endpoint {public_id('ep', endpoint_id)}")
    return row


async def insert_endpoint(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """A new endpoint."""
    await connection.execute(insert(endpoints).values(**values, version=1, failures=0))


async def update_endpoint(
    connection: AsyncConnection, row: Any, values: Mapping[str, Any], *, now: datetime
) -> None:
    """Change an endpoint that was read with a lock; its version moves."""
    await connection.execute(
        update(endpoints)
        .where(endpoints.c.endpoint_id == row.endpoint_id, endpoints.c.tenant_id == row.tenant_id)
        .values(**values, version=row.version + 1, updated_at=now)
    )


async def delete_endpoint(connection: AsyncConnection, row: Any, *, now: datetime) -> None:
    """Delete an endpoint; what waits for it is cancelled, what was sent stays on record.

    The endpoint goes first: a fan-out that is about to queue for it has ended by then, and
    workers that hold a delivery find it gone when they settle.
    """
    own = (endpoints.c.tenant_id == row.tenant_id, endpoints.c.endpoint_id == row.endpoint_id)
    await connection.execute(delete(endpoints).where(*own))
    await connection.execute(
        delete(endpoint_secrets).where(endpoint_secrets.c.endpoint_id == row.endpoint_id)
    )
    waiting = (
        delete(deliveries)
        .where(deliveries.c.tenant_id == row.tenant_id, deliveries.c.endpoint_id == row.endpoint_id)
        .returning(deliveries.c.message_id)
        .cte("waiting")
    )
    await connection.execute(
        update(messages)
        .where(messages.c.message_id.in_(select(waiting.c.message_id)), messages.c.state == "pending")
        .values(state="cancelled", settled_at=now, given_up_at=now)
    )
    await connection.execute(delete(turns).where(turns.c.name == str(row.endpoint_id)))


async def list_secrets(
    connection: AsyncConnection, endpoint_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, list[Any]]:
    """Live secrets by endpoint, the current one first."""
    query = (
        select(endpoint_secrets)
        .where(
            endpoint_secrets.c.endpoint_id.in_(endpoint_ids),
            or_(endpoint_secrets.c.expires_at.is_(None), endpoint_secrets.c.expires_at > now),
        )
        .order_by(endpoint_secrets.c.created_at.desc(), endpoint_secrets.c.secret_id.desc())
    )
    found: dict[UUID, list[Any]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.endpoint_id, []).append(row)
    return found


async def insert_secret(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """A new current secret."""
    await connection.execute(insert(endpoint_secrets).values(secret_id=new_id(), expires_at=None, **values))


async def expire_secrets(
    connection: AsyncConnection, endpoint_id: UUID, *, at: datetime, now: datetime
) -> None:
    """Let the live secrets end at `at` (or sooner, where they already do); drop the dead ones."""
    own = endpoint_secrets.c.endpoint_id == endpoint_id
    await connection.execute(delete(endpoint_secrets).where(own, endpoint_secrets.c.expires_at <= now))
    ends = func.least(func.coalesce(endpoint_secrets.c.expires_at, at), at)
    await connection.execute(update(endpoint_secrets).where(own).values(expires_at=ends))


async def count_waiting(connection: AsyncConnection, endpoint_id: UUID) -> int:
    """How many deliveries wait for an endpoint."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.endpoint_id == endpoint_id)
    return int(await connection.scalar(query) or 0)


async def bring_forward(connection: AsyncConnection, endpoint_id: UUID) -> None:
    """Let what is parked go out within a minute, spread so that it does not arrive as one wave."""
    soon = func.now() + text("random() * interval '60 seconds'")
    await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.endpoint_id == endpoint_id,
            deliveries.c.claim_id.is_(None),
            deliveries.c.due_at < text("'infinity'"),
        )
        .values(due_at=func.least(deliveries.c.due_at, soon))
    )


async def release_held(connection: AsyncConnection, endpoint_id: UUID) -> None:
    """Let what was held back for the sake of order go out: the endpoint no longer asks for it."""
    held = (deliveries.c.endpoint_id == endpoint_id, deliveries.c.order_key.is_not(None))
    await connection.execute(
        update(deliveries)
        .where(*held, deliveries.c.due_at == text("'infinity'"))
        .values(due_at=func.now(), order_key=None, order_sequence=None)
    )
