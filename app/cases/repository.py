"""Reads of cases: a filtered page, the events of one case, and the references it is known by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cases.filters import FLAGS, CaseFilters, CaseOrder
from app.db.engine import Tx
from app.db.tables.cases import cases
from app.db.tables.journal import subject_aliases
from app.db.tables.sla import sla_timers
from app.domain.errors import NotFoundError
from app.domain.events import StoredEvent
from app.journal.histories import find_histories
from app.kit.ids import parse_public_id

CASE_COLUMNS = tuple(
    column for column in cases.columns if column.name not in ("tenant_id", "customer_ref", "quiet_until")
)
_BREACHES_AT: Final = func.coalesce(sla_timers.c.breaches_after, sla_timers.c.due_at)
_REFS: Final = func.array(
    select(subject_aliases.c.ref)
    .where(
        subject_aliases.c.tenant_id == cases.c.tenant_id,
        subject_aliases.c.kind == "case",
        or_(
            subject_aliases.c.subject_id == cases.c.case_id,
            and_(subject_aliases.c.home_id == cases.c.case_id, cases.c.merged_into.is_(None)),
        ),
    )
    .order_by(subject_aliases.c.ref)
    .scalar_subquery()
).label("refs")


async def list_cases(
    connection: AsyncConnection, tenant_id: UUID, filters: CaseFilters, limit: int
) -> Sequence[Any]:
    """Cases that meet the filters, each with its nearest open deadline, in the order that they name."""
    nearest = (
        select(sla_timers.c.timer, sla_timers.c.due_at, _BREACHES_AT.label("breaches_at"))
        .where(
            sla_timers.c.tenant_id == tenant_id,
            sla_timers.c.subject_id == cases.c.case_id,
            sla_timers.c.state == "open",
            sla_timers.c.due_at.is_not(None),
        )
        .order_by(sla_timers.c.due_at)
        .limit(1)
        .lateral("nearest")
    )
    by_due = filters.order is CaseOrder.DUE
    query = (
        select(*CASE_COLUMNS, _REFS, nearest.c.timer, nearest.c.due_at, nearest.c.breaches_at)
        .join_from(cases, nearest, true(), isouter=not by_due)
        .where(cases.c.tenant_id == tenant_id)
    )
    for name, values in filters.columns.items():
        wanted = [value == "true" for value in values] if name in FLAGS else values
        query = query.where(cases.c[name].in_(wanted))
    for key, values in filters.attributes.items():
        query = query.where(func.jsonb_extract_path_text(cases.c.attributes, key).in_(values))
    if filters.opened_from is not None:
        query = query.where(cases.c.opened_at >= filters.opened_from)
    if filters.opened_to is not None:
        query = query.where(cases.c.opened_at < filters.opened_to)
    if filters.anomaly is not None:
        query = query.where(cases.c.anomalies.contains([{"reason": filters.anomaly.value}]))
    if filters.overdue_at is not None:
        late = exists().where(
            sla_timers.c.tenant_id == tenant_id,
            sla_timers.c.subject_id == cases.c.case_id,
            sla_timers.c.state == "open",
            filters.overdue_at > _BREACHES_AT,
        )
        query = query.where(late)
    if by_due:
        query = query.order_by(nearest.c.due_at, cases.c.case_id)
        behind = tuple_(nearest.c.due_at, cases.c.case_id).__gt__
    else:
        query = query.order_by(cases.c.opened_at.desc(), cases.c.case_id.desc())
        behind = tuple_(cases.c.opened_at, cases.c.case_id).__lt__
    if filters.place is not None:
        query = query.where(behind(filters.place))
    found: Sequence[Any] = (await connection.execute(query.limit(limit))).all()
    return found


async def find_history(tx: Tx, tenant_id: UUID, case_id: UUID) -> list[StoredEvent]:
    """All events that belong to a case, in journal order; [] when there is no such case."""
    history = (await find_histories(tx, tenant_id, (case_id,)))[case_id]
    return history if any(event.type.startswith("case.") for event in history) else []


async def get_history(tx: Tx, tenant_id: UUID, case_id: UUID) -> list[StoredEvent]:
    """The same. Raises NotFoundError."""
    history = await find_history(tx, tenant_id, case_id)
    if not history:
        raise NotFoundError("not_found", "there is no such case")
    return history


async def find_case_id(tx: Tx, tenant_id: UUID, ref: str) -> UUID | None:
    """The case that is known by a reference; of a merged one the survivor."""
    found: UUID | None = await tx.fetchval(
        "SELECT subject_id FROM subject_aliases WHERE tenant_id = $1 AND kind = 'case' AND ref = $2",
        tenant_id,
        ref,
    )
    return found


async def get_case_id(tx: Tx, tenant_id: UUID, ref: str) -> UUID:
    """The same. Raises NotFoundError."""
    found = await find_case_id(tx, tenant_id, ref)
    if found is None:
        raise NotFoundError("not_found", "no case is known by this reference")
    return found


_REFS_TO = """
SELECT ref FROM subject_aliases
 WHERE tenant_id = $1 AND (subject_id = $2 OR home_id = $2 AND NOT EXISTS (
       SELECT FROM cases WHERE tenant_id = $1 AND case_id = $2 AND merged_into IS NOT NULL))
 ORDER BY ref
"""


async def list_refs(tx: Tx, tenant_id: UUID, case_id: UUID) -> list[str]:
    """The references that lead to a case or did until it was continued, in order; a merged one has none."""
    rows = await tx.fetch(_REFS_TO, tenant_id, case_id)
    return [row["ref"] for row in rows]


_STATES = """
SELECT case_id, opened_at, state, cause, severity, kind, assignee,
       least(closed_at, ended_at, remedied_at, (steps->-1->'steps'->>'declined')::timestamptz) AS settled_at
  FROM cases WHERE tenant_id = $1 AND case_id = any($2) AND state <> 'awaiting_opening'
"""


async def get_states(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """How these opened cases stand, and since when they are settled."""
    if not case_ids:
        return {}
    return {row["case_id"]: row for row in await tx.fetch(_STATES, tenant_id, list(case_ids))}


async def list_own_refs(tx: Tx, tenant_id: UUID, case_id: UUID) -> list[str]:
    """The references under which events of this very case are filed, in alphabetical order."""
    rows = await tx.fetch(
        "SELECT ref FROM subject_aliases WHERE tenant_id = $1 AND kind = 'case' "
        "AND (home_id = $2 OR home_id IS NULL AND subject_id = $2) ORDER BY ref",
        tenant_id,
        case_id,
    )
    return [row["ref"] for row in rows]


async def find_row(tx: Tx, tenant_id: UUID, case_id: UUID) -> Any:
    """The last commit that touched a case, and its survivor if it was merged; None during a rebuild."""
    return await tx.fetchrow(
        "SELECT seq, merged_into FROM cases WHERE tenant_id = $1 AND case_id = $2", tenant_id, case_id
    )


_OWN_REFS = """
SELECT coalesce(a.home_id, a.subject_id) AS case_id, min(a.ref) AS ref FROM subject_aliases a
 WHERE a.tenant_id = $1 AND (a.home_id = any($2) AND EXISTS (
           SELECT FROM cases c
            WHERE c.tenant_id = $1 AND c.case_id = a.home_id AND c.merged_into IS NULL)
       OR a.home_id IS NULL AND a.subject_id = any($2))
 GROUP BY 1
"""


async def list_refs_of(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> dict[UUID, str]:
    """One reference of its own of each of these cases (a merged one has none)."""
    rows = await tx.fetch(_OWN_REFS, tenant_id, list(case_ids))
    return {row["case_id"]: row["ref"] for row in rows}


async def list_attention(tx: Tx, tenant_id: UUID, offset: timedelta, limit: int) -> list[UUID]:
    """Cases to which time has done something, the longest due first."""
    rows = await tx.fetch(
        "SELECT case_id FROM cases WHERE tenant_id = $1 AND attention_at <= now() + $2::interval "
        "ORDER BY attention_at LIMIT $3",
        tenant_id,
        offset,
        limit,
    )
    return [row["case_id"] for row in rows]


_GIVEN_BY = """
SELECT sum(base_amount) FROM compensations
 WHERE tenant_id = $1 AND offered_at >= $2 AND offered_at < $3 AND employee = $4 AND state <> 'rejected'
"""
_GIVEN_BY_NOBODY = _GIVEN_BY.replace("= $4", "IS NULL")


async def sum_given(
    tx: Tx, tenant_id: UUID, employee: str | None, from_at: datetime, before_at: datetime
) -> Decimal:
    """What an employee offered in a period, in base currency; what was refused does not count.

    Offers that name nobody count together, so that leaving the name out evades nothing.
    """
    arguments = (tenant_id, from_at, before_at)
    given: Decimal | None = await (
        tx.fetchval(_GIVEN_BY_NOBODY, *arguments)
        if employee is None
        else tx.fetchval(_GIVEN_BY, *arguments, employee)
    )
    return given or Decimal(0)


async def find_action_ref(tx: Tx, tenant_id: UUID, named: str) -> str | None:
    """The reference of a corrective action, by its id or reference; None when there is none."""
    found: str | None = await tx.fetchval(
        "SELECT ref FROM corrective_actions WHERE tenant_id = $1 AND (ref = $2 OR action_id = $3) "
        "AND state <> 'cancelled' ORDER BY ref = $2 DESC LIMIT 1",
        tenant_id,
        named,
        parse_public_id("action", named),
    )
    return found
