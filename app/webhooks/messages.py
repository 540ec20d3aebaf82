"""Messages and attempts in the database: the lists, one message, and another try by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, and_, cast, func, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from app.db.tables.journal import events
from app.db.tables.tenants import tenant_head
from app.db.tables.webhooks import attempts, deliveries, message_bodies, messages
from app.domain.errors import ConflictError, NotFoundError
from app.journal.ports import POSITION_BITS
from app.kit.ids import new_id, public_id

MAX_WAITING_RESENDS = 10
GIVEN_UP = frozenset({"exhausted", "quarantined", "cancelled"})

_infinity = text("'infinity'::timestamptz")
_next_at = (
    select(func.nullif(func.min(deliveries.c.due_at), _infinity))
    .where(deliveries.c.message_id == messages.c.message_id)
    .scalar_subquery()
)
_leader = deliveries.alias("leader")
_waits_for = (
    select(_leader.c.message_id)
    .join_from(
        deliveries,
        _leader,
        and_(
            _leader.c.endpoint_id == deliveries.c.endpoint_id,
            _leader.c.order_key == deliveries.c.order_key,
            _leader.c.order_key.is_not(None),
            _leader.c.due_at < _infinity,
        ),
    )
    .where(deliveries.c.message_id == messages.c.message_id, deliveries.c.due_at == _infinity)
    .scalar_subquery()
)


def _messages(tenant_id: UUID) -> Select[Any]:
    query = select(messages, _next_at.label("next_at"), _waits_for.label("waits_for"))
    return query.where(messages.c.tenant_id == tenant_id)


def _with_body(query: Select[Any]) -> Select[Any]:
    return query.add_columns(message_bodies.c.body).outerjoin(
        message_bodies, message_bodies.c.event_id == messages.c.event_id
    )


async def list_messages(connection: AsyncConnection, tenant_id: UUID, **wanted: Any) -> Sequence[Any]:
    """Messages as `messages_query` finds them."""
    rows: Sequence[Any] = (await connection.execute(messages_query(tenant_id, **wanted))).all()
    return rows


def messages_query(
    tenant_id: UUID,
    *,
    filters: Mapping[str, Any],
    event_id: UUID | None = None,
    since: datetime | None,
    until: datetime | None,
    beyond: tuple[int, int] | None,
    newest_first: bool,
    limit: int,
    with_body: bool = False,
) -> Select[Any]:
    """Messages beyond this (sequence, number), in the tenant's order or against it."""
    query = _with_body(_messages(tenant_id)) if with_body else _messages(tenant_id)
    query = query.where(*(_holds(name, value) for name, value in filters.items() if value is not None))
    if event_id is not None:
        query = query.where(messages.c.event_id == event_id, messages.c.sequence == _place_of(event_id))
    if filters.get("state") in GIVEN_UP:
        query = query.where(messages.c.given_up_at.is_not(None))  # few, and they have an index of their own
    if since is not None:
        query = query.where(messages.c.created_at >= since)
    if until is not None:
        query = query.where(messages.c.created_at < until)
    if beyond is not None:
        place = tuple_(messages.c.sequence, messages.c.number)
        limit_place = tuple_(*(cast(part, BigInteger) for part in beyond))
        query = query.where(place < limit_place if newest_first else place > limit_place)
    order = [messages.c.sequence, messages.c.number]
    return query.order_by(*(column.desc() if newest_first else column for column in order)).limit(limit)


def _holds(name: str, value: Any) -> ColumnElement[bool]:
    column: ColumnElement[Any] = messages.c[name]
    return column.in_(value) if isinstance(value, list) else column == value


def _place_of(event_id: UUID) -> ColumnElement[int]:
    """The `sequence` of an event, by which its messages are found: from its body, or from the journal."""
    body = select(message_bodies.c.sequence).where(message_bodies.c.event_id == event_id)
    event = select(events.c.position).where(
        events.c.tenant_id == messages.c.tenant_id, events.c.event_id == event_id
    )
    return func.coalesce(body.scalar_subquery(), event.scalar_subquery())


async def get_message(connection: AsyncConnection, tenant_id: UUID, message_id: UUID) -> Any:
    """A message with its body. Raises NotFoundError."""
    query = _with_body(_messages(tenant_id)).where(messages.c.message_id == message_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFoundError("not_found", f"there is no message {public_id('msg', message_id)}")
    return row


async def list_attempts(connection: AsyncConnection, tenant_id: UUID, message_id: UUID) -> Sequence[Any]:
    """The attempts of a message in order."""
    query = select(attempts).where(attempts.c.tenant_id == tenant_id, attempts.c.message_id == message_id)
    return (await connection.execute(query.order_by(attempts.c.number, attempts.c.attempted_at))).all()


async def insert_resend(connection: AsyncConnection, row: Any) -> None:
    """Queue one more try of a message: a row of its own, so that a second click is a second try."""
    waiting = await connection.scalar(
        select(func.count())
        .select_from(deliveries)
        .where(deliveries.c.message_id == row.message_id, deliveries.c.manual)
    )
    if (waiting or 0) >= MAX_WAITING_RESENDS:
        raise ConflictError("resend_waiting", f"{waiting} tries by hand of this message are waiting already")
    await _queue(connection, row.tenant_id, row.message_id, row.endpoint_id)


async def insert_test_message(
    connection: AsyncConnection,
    endpoint: Any,
    *,
    event_type: str,
    body: bytes,
    sequence: int,
    now: datetime,
) -> UUID:
    """Queue a test message: one try, also where the endpoint is disabled."""
    tenant_id, endpoint_id, message_id = endpoint.tenant_id, endpoint.endpoint_id, new_id()
    values = {"tenant_id": tenant_id, "event_id": new_id(), "created_at": now}
    await connection.execute(insert(message_bodies).values(**values, body=body))
    await connection.execute(
        insert(messages).values(
            **values,
            message_id=message_id,
            endpoint_id=endpoint_id,
            sequence=sequence,
            type=event_type,
            occurred_at=now,
            state="pending",
            attempts=0,
            payload=endpoint.payload,
            format=endpoint.format,
        )
    )
    await _queue(connection, tenant_id, message_id, endpoint_id)
    return message_id


async def get_last_position(connection: AsyncConnection, tenant_id: UUID) -> int:
    """The last place that the tenant's latest commit could have given: what comes next sorts after it."""
    seq = await connection.scalar(select(tenant_head.c.seq).where(tenant_head.c.tenant_id == tenant_id))
    return ((int(seq or 0) + 1) << POSITION_BITS) - 1


async def _queue(connection: AsyncConnection, tenant_id: UUID, message_id: UUID, endpoint_id: UUID) -> None:
    await connection.execute(
        insert(deliveries).values(
            tenant_id=tenant_id,
            delivery_id=new_id(),
            message_id=message_id,
            endpoint_id=endpoint_id,
            due_at=func.now(),
            manual=True,
            first_try=True,
            tries=0,
            faults=0,
            losses=0,
        )
    )
