"""Folds committed feedback into the cuboids: adds (folded_seq, head], moves folded_seq, one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Row, cast, delete, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Database
from app.db.tables.feedback import feedback
from app.db.tables.metrics import ANSWER_KEY, COUNTER_COLUMNS, CUBOIDS, Cuboid, Grain, metric_folds
from app.db.tables.tenants import tenant_head, tenants
from app.kit.clock import Clock
from app.metrics.cuboids import version_changes
from app.metrics.feedback_counts import credible, sums
from app.metrics.shape import INSTANT

KEEP_HOURS: Final = timedelta(days=90)
COMMITS_AT_ONCE: Final = 500
IDLE_SECONDS: Final = 1.0
_TRIM_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Span:
    """What one transaction folds: the commits (above, up_to], in this zone's days and from this hour on."""

    tenant_id: UUID
    above: int
    up_to: int
    time_zone: str
    hours_from: datetime


class Folder:
    """The loop that keeps every tenant's cuboids near their head. Any number of processes may run one."""

    def __init__(self, database: Database, clock: Clock, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._idle_seconds = idle_seconds

    async def step(self) -> float:
        """Fold what is new for every tenant; the seconds until it is worth looking again."""
        async with self._database.worker() as tx:
            rows = await tx.fetch(
                "SELECT tenant_id FROM tenants WHERE disabled_at IS NULL ORDER BY tenant_id"
            )
        behind = [await fold(self._database, row["tenant_id"], self._clock()) for row in rows]
        return 0.0 if any(behind) else self._idle_seconds


async def fold(
    database: Database, tenant_id: UUID, now: datetime, *, commits_at_once: int = COMMITS_AT_ONCE
) -> bool:
    """Fold the next commits of one tenant; True when more are waiting.

    The row of `metric_folds` is the lock: a second folder passes by. No lock of the tenant is needed, what
    is above folded_seq is added by every query itself.
    """
    async with database.tenant(tenant_id) as connection:
        state = (await connection.execute(_state_of(tenant_id))).one_or_none()
        if state is None or not _has_work(state, now):
            return False
        span = await _lock(connection, state, now, commits_at_once)
        if span is None:
            return False
        for cuboid in CUBOIDS:
            await connection.execute(_add(cuboid, span))
        await connection.execute(
            update(metric_folds)
            .where(metric_folds.c.tenant_id == tenant_id)
            .values(folded_seq=span.up_to, folded_at=now)
        )
        return span.up_to < int(state.seq)


async def reset_cuboids(connection: AsyncConnection, tenant_id: UUID, time_zone: str, now: datetime) -> None:
    """Forget what was folded (after a rebuild, for a new time zone): right at once, fast again later."""
    for cuboid in CUBOIDS:
        await connection.execute(delete(cuboid.table).where(cuboid.table.c.tenant_id == tenant_id))
    fresh = {"folded_seq": 0, "time_zone": time_zone, "hours_from": _first_hour(now), "folded_at": now}
    await connection.execute(
        insert(metric_folds)
        .values(tenant_id=tenant_id, **fresh)
        .on_conflict_do_update(index_elements=[metric_folds.c.tenant_id], set_=fresh)
    )


def _state_of(tenant_id: UUID) -> Any:
    fold_row = metric_folds.c
    return (
        select(
            tenants.c.tenant_id,
            tenants.c.time_zone,
            tenant_head.c.seq,
            fold_row.folded_seq,
            fold_row.time_zone.label("fold_zone"),
            fold_row.hours_from,
        )
        .select_from(tenants)
        .join(tenant_head, tenant_head.c.tenant_id == tenants.c.tenant_id)
        .outerjoin(metric_folds, fold_row.tenant_id == tenants.c.tenant_id)
        # half-rebuilt answers must not be folded: the rebuild empties the cuboids when it is done
        .where(tenants.c.tenant_id == tenant_id, tenant_head.c.rebuilding.is_(False))
    )


def _has_work(state: Row[Any], now: datetime) -> bool:
    if state.folded_seq is None:
        return int(state.seq) > 0
    to_trim = bool(state.hours_from < _first_hour(now) - _TRIM_EVERY)
    return to_trim or state.fold_zone != state.time_zone or int(state.folded_seq) < int(state.seq)


async def _lock(
    connection: AsyncConnection, state: Row[Any], now: datetime, commits_at_once: int
) -> _Span | None:
    """Take the fold row and say what to fold; None when another folder has it."""
    tenant_id = state.tenant_id
    if state.folded_seq is None:
        row = {
            "folded_seq": 0,
            "time_zone": state.time_zone,
            "hours_from": _first_hour(now),
            "folded_at": now,
        }
        await connection.execute(
            insert(metric_folds).values(tenant_id=tenant_id, **row).on_conflict_do_nothing()
        )
    mine = select(metric_folds).where(metric_folds.c.tenant_id == tenant_id).with_for_update(skip_locked=True)
    locked = (await connection.execute(mine)).one_or_none()
    if locked is None:
        return None
    above, hours_from = int(locked.folded_seq), locked.hours_from
    if locked.time_zone != state.time_zone:
        await reset_cuboids(connection, tenant_id, state.time_zone, now)
        above, hours_from = 0, _first_hour(now)
    elif hours_from < _first_hour(now) - _TRIM_EVERY:
        hours_from = await _trim_hours(connection, tenant_id, now)
    up_to = min(int(state.seq), above + commits_at_once)
    return _Span(tenant_id, above, max(above, up_to), state.time_zone, hours_from)


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


def _add(cuboid: Cuboid, span: _Span) -> Any:
    """One statement that adds the commits of the span to a cuboid."""
    at = feedback.c.occurred_at
    kept: ColumnElement[bool] = true()
    if cuboid.grain is Grain.DAY:
        bucket: ColumnElement[Any] = cast(func.timezone(span.time_zone, at), Date)
    else:
        bucket = func.date_trunc("hour", at, "UTC", type_=INSTANT)
        kept = at >= literal(span.hours_from)
    dimensions = [func.coalesce(feedback.c[name], "").label(name) for name in cuboid.dimensions]
    rest = [feedback.c[name] for name in ANSWER_KEY if name not in ("measure", "scale_id")]
    own = feedback.c.tenant_id == literal(span.tenant_id)
    changes = version_changes(
        [bucket.label("bucket"), *dimensions, *rest],
        own & credible(feedback) & kept,
        above=span.above,
        up_to=span.up_to,
    ).subquery("changes")
    keys = [changes.c[name] for name in cuboid.key]
    added = select(literal(span.tenant_id), *keys, *sums(changes, COUNTER_COLUMNS)).group_by(*keys)
    statement = insert(cuboid.table).from_select(["tenant_id", *cuboid.key, *COUNTER_COLUMNS], added)
    return statement.on_conflict_do_update(
        index_elements=list(cuboid.table.primary_key.columns),
        set_={name: cuboid.table.c[name] + statement.excluded[name] for name in COUNTER_COLUMNS},
    )
