"""The statement that adds a span of commits to one cuboid: versions that began +1, that ended -1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, cast, func, literal, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.dml import Insert

from app.db.tables.feedback import feedback
from app.db.tables.metrics import ANSWER_KEY, COUNTER_COLUMNS, Cuboid, Grain
from app.metrics.changes import Commits, changes
from app.metrics.feedback_counts import sums
from app.metrics.shape import INSTANT


@dataclass(frozen=True, slots=True)
class Span:
    """What one transaction folds: these commits, in this zone's days and from this hour on."""

    tenant_id: UUID
    above: int
    up_to: int
    relational: tuple[str, ...]
    presses: bool
    time_zone: str
    hours_from: datetime

    @property
    def commits(self) -> Commits:
        return Commits(self.tenant_id, self.above, self.up_to, self.relational, self.presses)


def add_commits(cuboid: Cuboid, span: Span) -> Insert:
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
    changed = changes([bucket.label("bucket"), *dimensions, *rest], kept, span.commits).subquery("changed")
    keys = [changed.c[name] for name in cuboid.key]
    added = select(literal(span.tenant_id), *keys, *sums(changed, COUNTER_COLUMNS)).group_by(*keys)
    statement = insert(cuboid.table).from_select(["tenant_id", *cuboid.key, *COUNTER_COLUMNS], added)
    return statement.on_conflict_do_update(
        index_elements=list(cuboid.table.primary_key.columns),
        set_={name: cuboid.table.c[name] + statement.excluded[name] for name in COUNTER_COLUMNS},
    )
