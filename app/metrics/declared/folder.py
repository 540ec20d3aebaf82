"""Folds committed feedback into the cuboids that a tenant declared, a span of commits in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Row, cast, delete, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.dml import Insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Database, is_retryable
from app.db.tables.declared import DIMENSION_SLOTS, declared_counts, declared_cuboids, declared_folds
from app.db.tables.feedback import feedback
from app.db.tables.metrics import ANSWER_KEY, COUNTER_COLUMNS
from app.db.tables.tenants import tenant_head, tenants
from app.metrics.changes import Commits, changes
from app.metrics.declared.source import longest_value, stored_dimensions
from app.metrics.feedback_counts import sums
from app.metrics.shape import has_presses, relational_questions

COMMITS_AT_ONCE: Final = 500
LONGEST_VALUE: Final = 300
"""Bytes of an attribute's value that a key of the counts has room for."""


async def fold_declared(
    database: Database, tenant_id: UUID, now: datetime, *, commits_at_once: int = COMMITS_AT_ONCE
) -> bool:
    """Fold the next commits into the declared cuboid that is furthest behind; True when more are waiting."""
    try:
        async with database.tenant(tenant_id) as connection:
            await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            state = (await connection.execute(_furthest_behind(tenant_id))).first()
            if state is None or not await _lock(connection, state, now):
                return False
            await _fold(connection, state, now, commits_at_once)
            return True
    except DBAPIError as error:
        if is_retryable(error):
            return True
        raise


def _furthest_behind(tenant_id: UUID) -> Any:
    """The declared cuboid with the most to do: its declaration, its fold and the tenant's configuration."""
    fold, cuboid = declared_folds.c, declared_cuboids.c
    relational = relational_questions(tenant_id)
    outdated = or_(
        fold.dimensions.is_distinct_from(cuboid.dimensions),
        fold.time_zone.is_distinct_from(tenants.c.time_zone),
        fold.relational.is_distinct_from(relational),
    )
    return (
        select(
            cuboid.tenant_id,
            cuboid.key,
            cuboid.dimensions,
            tenants.c.time_zone,
            relational.label("relational"),
            has_presses(tenant_id).label("presses"),
            tenant_head.c.seq,
            func.coalesce(fold.folded_seq, 0).label("folded_seq"),
            outdated.label("outdated"),
        )
        .select_from(declared_cuboids)
        .join(tenants, tenants.c.tenant_id == cuboid.tenant_id)
        .join(tenant_head, tenant_head.c.tenant_id == cuboid.tenant_id)
        .outerjoin(declared_folds, (fold.tenant_id == cuboid.tenant_id) & (fold.cuboid == cuboid.key))
        .where(
            cuboid.tenant_id == tenant_id,
            tenant_head.c.rebuilding.is_(False),
            tenant_head.c.seq > 0,
            or_(outdated, (fold.folded_seq < tenant_head.c.seq) & fold.problem.is_(None)),
        )
        .order_by(func.coalesce(fold.folded_seq, 0), cuboid.key)
        .limit(1)
    )


async def _lock(connection: AsyncConnection, state: Row[Any], now: datetime) -> bool:
    """Take the fold row, making or renewing it; False when another process holds it."""
    own = (declared_folds.c.tenant_id == state.tenant_id, declared_folds.c.cuboid == state.key)
    fresh = {
        "dimensions": list(state.dimensions),
        "folded_seq": 0,
        "time_zone": state.time_zone,
        "relational": list(state.relational),
        "folded_at": now,
        "problem": None,
    }
    new = insert(declared_folds).values(tenant_id=state.tenant_id, cuboid=state.key, **fresh)
    await connection.execute(new.on_conflict_do_nothing())
    held = select(declared_folds.c.cuboid).where(*own).with_for_update(skip_locked=True)
    if (await connection.execute(held)).one_or_none() is None:
        return False
    if state.outdated:
        await connection.execute(declared_folds.update().where(*own).values(**fresh))
        await connection.execute(
            delete(declared_counts).where(
                declared_counts.c.tenant_id == state.tenant_id, declared_counts.c.cuboid == state.key
            )
        )
    return True


async def _fold(connection: AsyncConnection, state: Row[Any], now: datetime, at_once: int) -> None:
    above = 0 if state.outdated else int(state.folded_seq)
    commits = Commits(
        state.tenant_id,
        above,
        min(int(state.seq), above + at_once),
        tuple(state.relational),
        state.presses,
    )
    changed: dict[str, Any] = {"folded_at": now}
    if await _has_too_long(connection, state, commits):
        changed["problem"] = "value_too_long"
    else:
        await connection.execute(_add(state, commits))
        changed["folded_seq"] = commits.up_to
    own = (declared_folds.c.tenant_id == state.tenant_id, declared_folds.c.cuboid == state.key)
    await connection.execute(declared_folds.update().where(*own).values(**changed))


async def _has_too_long(connection: AsyncConnection, state: Row[Any], commits: Commits) -> bool:
    longest = longest_value(feedback, state.dimensions)
    if longest is None:
        return False
    found = select(literal(1)).where(
        feedback.c.tenant_id == state.tenant_id, commits.hold(feedback.c.seq_from), longest > LONGEST_VALUE
    )
    return (await connection.execute(found.limit(1))).first() is not None


def _add(state: Row[Any], commits: Commits) -> Insert:
    """One statement that adds the commits to the counts."""
    day = cast(func.timezone(state.time_zone, feedback.c.occurred_at), Date)
    kept = [feedback.c[name] for name in ANSWER_KEY if name not in ("measure", "scale_id")]
    keys: list[ColumnElement[Any]] = [
        day.label("bucket"),
        *stored_dimensions(feedback, state.dimensions),
        *kept,
    ]
    changed = changes(keys, true(), commits).subquery("changed")
    names = ("bucket", *DIMENSION_SLOTS, *ANSWER_KEY)
    grouped = [changed.c[name] for name in names]
    added = select(
        literal(state.tenant_id), literal(state.key), *grouped, *sums(changed, COUNTER_COLUMNS)
    ).group_by(*grouped)
    columns = ["tenant_id", "cuboid", *names, *COUNTER_COLUMNS]
    statement = insert(declared_counts).from_select(columns, added)
    return statement.on_conflict_do_update(
        index_elements=list(declared_counts.primary_key.columns),
        set_={name: declared_counts.c[name] + statement.excluded[name] for name in COUNTER_COLUMNS},
    )
