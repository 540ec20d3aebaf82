"""What the SELECTs of all populations share: grouping by the query's keys, and counting by condition."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Subquery, func, select

from app.metrics.query import MetricQuery
from app.metrics.shape import group_names


def keys_of(rows: FromClause, query: MetricQuery) -> list[ColumnElement[Any]]:
    """The group columns of a subquery that selected `group_columns`."""
    return [rows.c[name] for name in group_names(query)]


def counted(rows: Subquery, query: MetricQuery, **counts: ColumnElement[bool]) -> Select[Any]:
    """How many rows of each group meet each condition."""
    keys = keys_of(rows, query)
    counters = [func.count().filter(condition).label(name) for name, condition in counts.items()]
    return select(*keys, *counters).select_from(rows).group_by(*keys)
