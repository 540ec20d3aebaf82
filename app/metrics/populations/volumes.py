"""Visitors, transactions and interactions, summed from their rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Subquery, func, select

from app.db.tables.feedback import volumes
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import keys_of
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, identity, known_rows, rows_of


def count_volumes(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Sums of the counts by group and kind of volume."""
    rows = list_volumes(query, period, facts)
    keys = [*keys_of(rows, query), rows.c.volume]
    return select(*keys, func.sum(rows.c.count).label("total")).group_by(*keys)


def list_volumes(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The counts that `count_volumes` adds up."""
    return (
        select(
            *group_columns(volumes, bucket_of(volumes.c.occurred_at, query), query),
            *identity(volumes.c.event_id, volumes.c.occurred_at),
            volumes.c.kind.label("volume"),
            volumes.c.count,
        )
        .where(
            known_rows(volumes, query.known_at), rows_of(volumes, volumes.c.occurred_at, query, period, facts)
        )
        .subquery("counted")
    )
