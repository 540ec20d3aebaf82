"""Reads of the feedback store: a filtered page, one answer with its versions, one event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, literal, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.configuration import attributes
from app.db.tables.feedback import feedback
from app.db.tables.journal import event_personal, events
from app.domain.errors import NotFoundError
from app.feedback.filters import Conditions

_PERSONAL = event_personal.c.data.label("personal")


def _answers(tenant_id: UUID) -> Select[Any]:
    """Versions of answers with the personal part of the event that states them."""
    joined = feedback.outerjoin(
        event_personal,
        and_(
            event_personal.c.tenant_id == feedback.c.tenant_id,
            event_personal.c.event_id == feedback.c.event_id,
        ),
    )
    return select(feedback, _PERSONAL).select_from(joined).where(feedback.c.tenant_id == tenant_id)


async def list_feedback(
    connection: AsyncConnection, tenant_id: UUID, conditions: Conditions, limit: int
) -> Sequence[Any]:
    """Current answers that meet the conditions, newest first."""
    query = _answers(tenant_id).where(feedback.c.seq_to.is_(None))
    for name, values in conditions.columns.items():
        query = query.where(feedback.c[name].in_(values))
    for name, wanted in conditions.attributes.items():
        query = query.where(feedback.c.attributes[name].in_([literal(value, JSONB) for value in wanted]))
    if conditions.from_at is not None:
        query = query.where(feedback.c.occurred_at >= conditions.from_at)
    if conditions.to_at is not None:
        query = query.where(feedback.c.occurred_at < conditions.to_at)
    key = tuple_(feedback.c.occurred_at, feedback.c.feedback_id)
    if conditions.before is not None:
        query = query.where(key < conditions.before)
    query = query.order_by(feedback.c.occurred_at.desc(), feedback.c.feedback_id.desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def get_versions(connection: AsyncConnection, tenant_id: UUID, feedback_id: UUID) -> Sequence[Any]:
    """Every version of an answer, oldest first. Raises NotFoundError."""
    query = _answers(tenant_id).where(feedback.c.feedback_id == feedback_id).order_by(feedback.c.seq_from)
    rows: Sequence[Any] = (await connection.execute(query)).all()
    if not rows:
        raise NotFoundError("not_found", "there is no such answer")
    return rows


async def get_event(connection: AsyncConnection, tenant_id: UUID, event_id: UUID) -> Any:
    """One event with its personal part. Raises NotFoundError."""
    joined = events.outerjoin(
        event_personal,
        and_(
            event_personal.c.tenant_id == events.c.tenant_id, event_personal.c.event_id == events.c.event_id
        ),
    )
    query = (
        select(events, _PERSONAL)
        .select_from(joined)
        .where(events.c.tenant_id == tenant_id, events.c.event_id == event_id)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFoundError("not_found", "there is no such event")
    return row


async def list_attribute_types(connection: AsyncConnection, tenant_id: UUID) -> dict[str, str]:
    """The registered attributes that stand in the fact part: key -> type."""
    query = select(attributes.c.key, attributes.c.type).where(
        attributes.c.tenant_id == tenant_id, attributes.c.personal.is_(False)
    )
    return {row.key: row.type for row in await connection.execute(query)}
