"""Reads who is still to be told that it is better, with all that whoever tells them needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.care import case_actions as links
from app.db.tables.care import corrective_actions as actions
from app.db.tables.cases import cases
from app.db.tables.journal import events, subject_aliases
from app.db.tables.sla import sla_timers
from app.domain.events import EventType
from app.improvement.repository import Place

_REFS: Final = func.array(
    select(subject_aliases.c.ref)
    .where(
        subject_aliases.c.tenant_id == links.c.tenant_id,
        subject_aliases.c.kind == "case",
        or_(subject_aliases.c.subject_id == links.c.case_id, subject_aliases.c.home_id == links.c.case_id),
    )
    .order_by(subject_aliases.c.ref)
    .scalar_subquery()
)
_DUE: Final = (
    # the nearest of the running timers that the deployment of this very action started
    select(func.min(sla_timers.c.due_at))
    .join_from(
        events,
        sla_timers,
        and_(
            sla_timers.c.tenant_id == events.c.tenant_id,
            sla_timers.c.subject_id == links.c.case_id,
            sla_timers.c.cycle == events.c.event_id,
        ),
    )
    .where(
        events.c.tenant_id == links.c.tenant_id,
        events.c.subject_id == links.c.case_id,
        events.c.type == EventType.CASE_IMPROVEMENT_DEPLOYED.value,
        events.c.fact["action"].astext == links.c.action,
        sla_timers.c.stopped_at.is_(None),
        sla_timers.c.cancelled_at.is_(None),
    )
    .scalar_subquery()
)
_OF_THE_CASE: Final = ("preferred_channel", "channel", "assignee", "cause", "kind", "severity", "location")


async def list_owed(
    connection: AsyncConnection, tenant_id: UUID, *, action: str | None, before: Place | None, limit: int
) -> Sequence[Any]:
    """Customers who are to be told that it is better, the latest deployment first."""
    query = (
        select(
            links,
            *(cases.c[name] for name in _OF_THE_CASE),
            actions.c.name.label("action_name"),
            _REFS.label("refs"),
            _DUE.label("due_at"),
        )
        .join(cases, and_(cases.c.tenant_id == links.c.tenant_id, cases.c.case_id == links.c.case_id))
        .outerjoin(actions, and_(actions.c.tenant_id == links.c.tenant_id, actions.c.ref == links.c.action))
        .where(
            links.c.tenant_id == tenant_id,
            links.c.deployed_at.is_not(None),
            links.c.informed_at.is_(None),
            links.c.customer_facing,
            cases.c.merged_into.is_(None),
        )
    )
    if action is not None:
        query = query.where(links.c.action == action)
    if before is not None:
        query = query.where(tuple_(links.c.deployed_at, links.c.case_id) < before)
    query = query.order_by(links.c.deployed_at.desc(), links.c.case_id.desc()).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found
