"""Reads of timers, of one subject's clock, and of the announcement ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.journal import subjects
from app.db.tables.sla import announcements, sla_timers
from app.domain.case import fold
from app.domain.errors import NotFoundError
from app.domain.events import Subject, SubjectKind
from app.journal.histories import find_histories
from app.journal.journal import Journal
from app.journal.subjects import find_subjects
from app.sla.readings import Circumstances, SubjectClock, read_subject
from app.sla.receipts import find_receipts
from app.sla.schemas import LiveState

_T: Final = sla_timers.c
_after: Final = func.coalesce(_T.breaches_after, _T.due_at)
_TIMER_KEY: Final = (_T.started_at, _T.subject_id, _T.timer, _T.cycle)
_LEDGER_KEY: Final = (announcements.c.announced_at, announcements.c.event_id)


@dataclass(slots=True)
class TimerFilters:
    """What a page of timers must meet at `now`."""

    now: datetime
    columns: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    states: Sequence[LiveState] | None = None
    due_from: datetime | None = None
    due_to: datetime | None = None
    overdue: bool = False
    before: tuple[Any, ...] | None = None


@dataclass(slots=True)
class LedgerFilters:
    """What a page of the ledger must meet."""

    columns: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    subject_id: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    before: tuple[Any, ...] | None = None


def live_state(row: Any, now: datetime) -> LiveState:
    """What a timer's row means to who asks now: the row itself knows only what events say."""
    after = row.breaches_after or row.due_at
    if row.state == "open" and after < now:
        return LiveState.BREACHED
    if row.state == "cancelled" and after is not None and after < row.cancelled_at:
        return LiveState.BREACHED
    return LiveState(row.state)


def _is_in(state: LiveState, now: datetime) -> ColumnElement[bool]:
    """The same in SQL."""
    late = and_(_T.state == "open", _after < now)
    ended_late = and_(_T.state == "cancelled", _after < _T.cancelled_at)
    match state:
        case LiveState.OPEN:
            return and_(_T.state == "open", _after >= now)
        case LiveState.BREACHED:
            return or_(late, ended_late)
        case LiveState.CANCELLED:
            in_time = or_(_after.is_(None), _after >= _T.cancelled_at)
            return and_(_T.state == "cancelled", in_time)
        case LiveState.PAUSED | LiveState.MET | LiveState.MET_LATE:
            return _T.state == state.value
        case _:
            assert_never(state)


async def list_timers(
    connection: AsyncConnection, tenant_id: UUID, filters: TimerFilters, limit: int
) -> Sequence[Any]:
    """Timers that meet the filters, the latest start first."""
    query = select(sla_timers).where(_T.tenant_id == tenant_id)
    for name, values in filters.columns.items():
        if values:
            query = query.where(_T[name].in_(values))
    if filters.states:
        query = query.where(or_(*(_is_in(state, filters.now) for state in filters.states)))
    if filters.overdue:
        query = query.where(_T.state == "open", _after < filters.now)
    if filters.due_from is not None:
        query = query.where(_T.due_at >= filters.due_from)
    if filters.due_to is not None:
        query = query.where(_T.due_at < filters.due_to)
    if filters.before is not None:
        query = query.where(tuple_(*_TIMER_KEY) < filters.before)
    query = query.order_by(*(column.desc() for column in _TIMER_KEY)).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def list_ledger(
    connection: AsyncConnection, tenant_id: UUID, filters: LedgerFilters, limit: int
) -> Sequence[Any]:
    """Announcements that meet the filters, with the kind of their subject, the latest first."""
    about = and_(
        subjects.c.tenant_id == announcements.c.tenant_id, subjects.c.subject_id == announcements.c.subject_id
    )
    query = (
        select(announcements, subjects.c.kind.label("subject_kind"))
        .join(subjects, about)
        .where(announcements.c.tenant_id == tenant_id)
    )
    for name, values in filters.columns.items():
        if values:
            query = query.where(announcements.c[name].in_(values))
    if filters.subject_id is not None:
        query = query.where(announcements.c.subject_id == filters.subject_id)
    if filters.from_at is not None:
        query = query.where(announcements.c.announced_at >= filters.from_at)
    if filters.to_at is not None:
        query = query.where(announcements.c.announced_at < filters.to_at)
    if filters.before is not None:
        query = query.where(tuple_(*_LEDGER_KEY) < filters.before)
    query = query.order_by(*(column.desc() for column in _LEDGER_KEY)).limit(limit)
    found: Sequence[Any] = (await connection.execute(query)).all()
    return found


async def get_clock(
    journal: Journal, tenant_id: UUID, kind: SubjectKind, subject_id: UUID, as_of: datetime
) -> SubjectClock | None:
    """The clock of a subject; None when nothing binds it. Raises NotFoundError."""
    async with journal.database.write(tenant_id) as tx:
        head = await journal.read_head(tx, tenant_id, ())
        merges = head.config.has_merges and kind is SubjectKind.CASE
        found = await find_histories(tx, tenant_id, (subject_id,), merges=merges)
        history = [event for event in found[subject_id] if event.subject_kind is kind]
        receipts = await find_receipts(tx, tenant_id, head.config, (subject_id,))
    told = any(event.type.startswith("case.") for event in history)
    if not history or (kind is SubjectKind.CASE and not told):
        raise NotFoundError("not_found", f"there is no such {kind.value}")
    case = fold(history) if kind is SubjectKind.CASE else None
    terms = Circumstances(as_of, receipts.get(subject_id), foresee=True)
    return read_subject(subject_id, history, case, head.config, terms)


async def get_subject_id(journal: Journal, tenant_id: UUID, kind: SubjectKind, ref: str) -> UUID:
    """The subject that a reference names. Raises NotFoundError."""
    wanted = Subject(kind, ref)
    async with journal.database.write(tenant_id) as tx:
        known = await find_subjects(tx, tenant_id, [wanted])
    if wanted not in known:
        raise NotFoundError("not_found", f"no {kind.value} is known by the reference {ref!r}")
    return known[wanted]
