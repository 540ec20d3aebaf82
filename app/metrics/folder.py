"""Folds committed feedback into the cuboids: adds (folded_seq, head], moves folded_seq, one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Database, is_retryable
from app.db.tables.metrics import CUBOIDS, Grain, metric_folds
from app.db.tables.tenants import tenant_head, tenants
from app.journal.tenants import list_tenants
from app.kit.clock import Clock
from app.metrics.declared.folder import fold_declared
from app.metrics.folding import Span, add_commits
from app.metrics.shape import has_presses, relational_questions

KEEP_HOURS: Final = timedelta(days=90)
COMMITS_AT_ONCE: Final = 500
IDLE_SECONDS: Final = 1.0
LOOK_ANYWAY: Final = 15
"""Steps after which a tenant is looked at although its head has not moved."""
_TRIM_EVERY: Final = timedelta(days=1)
_HEAD: Final = "SELECT seq, config_version, rebuilding FROM tenant_head WHERE tenant_id = $1"


class Folder:
    """The loop that keeps every tenant's cuboids near their head. Any number of processes may run one."""

    def __init__(self, database: Database, clock: Clock, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._at_rest: dict[UUID, tuple[Any, ...]] = {}
        self._steps = 0

    async def step(self) -> float:
        """Fold what is new for every tenant; the seconds until it is worth looking again."""
        self._steps += 1
        if self._steps % LOOK_ANYWAY == 0:
            self._at_rest.clear()
        behind = [await self._fold(tenant_id) for tenant_id in await list_tenants(self._database)]
        return 0.0 if any(behind) else self._idle_seconds

    async def _fold(self, tenant_id: UUID) -> bool:
        """Fold the next of one tenant, unless its head stands where nothing was left to do."""
        async with self._database.write(tenant_id) as tx:
            head = tuple(await tx.fetchrow(_HEAD, tenant_id) or ())
        if self._at_rest.get(tenant_id) == head:
            return False
        now = self._clock()
        counted = await fold(self._database, tenant_id, now)
        declared = await fold_declared(self._database, tenant_id, now)
        if not (counted or declared):
            self._at_rest[tenant_id] = head
        return counted or declared


async def fold(
    database: Database, tenant_id: UUID, now: datetime, *, commits_at_once: int = COMMITS_AT_ONCE
) -> bool:
    """Fold the next commits of one tenant; True when more are waiting.

    The row of `metric_folds` is the lock: a second folder passes by. No lock of the tenant is needed, what
    is above folded_seq is added by every query itself. One snapshot: a rebuild that begins meanwhile is not
    seen half way.
    """
    if not await _is_behind(database, tenant_id, now):
        return False
    try:
        async with database.tenant(tenant_id) as connection:
            await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return await _fold_next(connection, tenant_id, now, commits_at_once)
    except DBAPIError as error:
        if is_retryable(error):
            return True
        raise


async def reset_cuboids(connection: AsyncConnection, state: Row[Any], now: datetime) -> None:
    """Forget what was folded: right at once, fast again when folded."""
    tenant_id = state.tenant_id
    await connection.execute(
        update(metric_folds).where(metric_folds.c.tenant_id == tenant_id).values(**_fresh(state, now))
    )
    for cuboid in CUBOIDS:
        await connection.execute(delete(cuboid.table).where(cuboid.table.c.tenant_id == tenant_id))


def _fresh(state: Row[Any], now: datetime) -> dict[str, Any]:
    """A fold row of which nothing is folded yet, by the tenant's present configuration."""
    return {
        "folded_seq": 0,
        "time_zone": state.time_zone,
        "relational": state.relational,
        "hours_from": _first_hour(now),
        "folded_at": now,
    }


def _state_of(tenant_id: UUID) -> Any:
    fold_row = metric_folds.c
    return (
        select(
            tenants.c.tenant_id,
            tenants.c.time_zone,
            relational_questions(tenant_id).label("relational"),
            has_presses(tenant_id).label("presses"),
            tenant_head.c.seq,
            tenant_head.c.rebuilding,
            fold_row.folded_seq,
            fold_row.time_zone.label("fold_zone"),
            fold_row.relational.label("fold_relational"),
            fold_row.hours_from,
        )
        .select_from(tenants)
        .join(tenant_head, tenant_head.c.tenant_id == tenants.c.tenant_id)
        .outerjoin(metric_folds, fold_row.tenant_id == tenants.c.tenant_id)
        .where(tenants.c.tenant_id == tenant_id)
    )


async def _is_behind(database: Database, tenant_id: UUID, now: datetime) -> bool:
    """True when there is something to fold; gives a tenant its fold row at the first time."""
    async with database.tenant(tenant_id) as connection:
        state = (await connection.execute(_state_of(tenant_id))).one_or_none()
        if state is None or state.rebuilding or int(state.seq) == 0:
            return False
        if state.folded_seq is None:
            first = insert(metric_folds).values(tenant_id=tenant_id, **_fresh(state, now))
            await connection.execute(first.on_conflict_do_nothing())
            return True
    return (
        int(state.folded_seq) < int(state.seq)
        or _is_outdated(state)
        or bool(state.hours_from < _first_hour(now) - _TRIM_EVERY)
    )


async def _fold_next(
    connection: AsyncConnection, tenant_id: UUID, now: datetime, commits_at_once: int
) -> bool:
    mine = select(metric_folds.c.folded_seq).where(metric_folds.c.tenant_id == tenant_id)
    locked = (await connection.execute(mine.with_for_update(skip_locked=True))).one_or_none()
    if locked is None:
        return False
    state = (await connection.execute(_state_of(tenant_id))).one()
    if state.rebuilding:
        return False
    span = await _next_span(connection, state, now, commits_at_once)
    for cuboid in CUBOIDS:
        await connection.execute(add_commits(cuboid, span))
    own = metric_folds.c.tenant_id == tenant_id
    await connection.execute(update(metric_folds).where(own).values(folded_seq=span.up_to, folded_at=now))
    return span.up_to < int(state.seq)


async def _next_span(
    connection: AsyncConnection, state: Row[Any], now: datetime, commits_at_once: int
) -> Span:
    """What to fold now, after a new configuration or a new day has had its consequences."""
    above, hours_from = int(state.folded_seq), state.hours_from
    if _is_outdated(state):
        await reset_cuboids(connection, state, now)
        above, hours_from = 0, _first_hour(now)
    elif hours_from < _first_hour(now) - _TRIM_EVERY:
        hours_from = await _trim_hours(connection, state.tenant_id, now)
    up_to = max(above, min(int(state.seq), above + commits_at_once))
    relational = tuple(state.relational)
    return Span(state.tenant_id, above, up_to, relational, state.presses, state.time_zone, hours_from)


def _is_outdated(state: Row[Any]) -> bool:
    """True when what is folded was counted by another time zone or by other relational questions."""
    return bool(state.fold_zone != state.time_zone or state.fold_relational != state.relational)


async def _trim_hours(connection: AsyncConnection, tenant_id: UUID, now: datetime) -> datetime:
    """Drop the hours that are older than we keep."""
    hours_from = _first_hour(now)
    for cuboid in CUBOIDS:
        if cuboid.grain is Grain.HOUR:
            bucket = cuboid.table.c.bucket
            await connection.execute(
                delete(cuboid.table).where(cuboid.table.c.tenant_id == tenant_id, bucket < hours_from)
            )
    await connection.execute(
        update(metric_folds).where(metric_folds.c.tenant_id == tenant_id).values(hours_from=hours_from)
    )
    return hours_from


def _first_hour(now: datetime) -> datetime:
    return (now - KEEP_HOURS).replace(minute=0, second=0, microsecond=0)
