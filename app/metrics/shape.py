"""What every SELECT of a query shares: its bucket, its group columns, the tenant's rows in a period."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    ScalarSelect,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, aggregate_order_by, array

from app.db.tables.configuration import questions
from app.db.tables.feedback import feedback
from app.metrics.buckets import Granularity, Period
from app.metrics.conditions import conditions_on, dimension_column
from app.metrics.facts import TenantFacts
from app.metrics.query import MetricQuery

INSTANT: Final = DateTime(timezone=True)

Seq = int | ColumnElement[int]
"""The number of a commit, or a parameter that will hold it."""


def bucket_of(instant: ColumnElement[datetime], query: MetricQuery) -> ColumnElement[datetime]:
    """Start of the bucket that an instant falls in; null for one bucket."""
    if query.granularity is Granularity.NONE:
        return cast(null(), INSTANT).label("bucket")
    zone = query.zone.key
    return func.date_trunc(query.granularity.value, instant, zone, type_=INSTANT).label("bucket")


def bucket_of_day(day: ColumnElement[Any], query: MetricQuery) -> ColumnElement[datetime]:
    """The same for a local day of the query's zone."""
    if query.granularity is Granularity.NONE:
        return cast(null(), INSTANT).label("bucket")
    start: ColumnElement[Any] = cast(day, TIMESTAMP)
    if query.granularity is not Granularity.DAY:
        start = func.date_trunc(query.granularity.value, start, type_=TIMESTAMP)
    return func.timezone(query.zone.key, start, type_=INSTANT).label("bucket")


def group_names(query: MetricQuery) -> list[str]:
    """Names of the group columns in every SELECT of the query: the bucket, then d0, d1, ..."""
    return ["bucket", *(f"d{number}" for number in range(len(query.group_by)))]


def group_columns(
    table: FromClause, bucket: ColumnElement[Any], query: MetricQuery, *, empty_is_null: bool = False
) -> list[ColumnElement[Any]]:
    """The bucket and the dimensions that the query groups by, under their common names."""
    dimensions = [
        dimension_column(table, ref, empty_is_null=empty_is_null).label(f"d{number}")
        for number, ref in enumerate(query.group_by)
    ]
    return [bucket.label("bucket"), *dimensions]


def identity(row_id: ColumnElement[Any], at: ColumnElement[datetime]) -> list[ColumnElement[Any]]:
    """What tells one counted row from another; what only counts does not read it."""
    return [row_id.label("row_id"), at.label("row_at")]


def rows_of(
    table: FromClause, at: ColumnElement[datetime], query: MetricQuery, period: Period, facts: TenantFacts
) -> ColumnElement[bool]:
    """The tenant's rows whose time lies in the period and that pass the filters."""
    return and_(
        table.c.tenant_id == literal(facts.tenant_id),
        at >= literal(period.start),
        at < literal(period.end),
        *conditions_on(table, query.conditions),
    )


def known_rows(table: FromClause, known_at: Seq | None) -> ColumnElement[bool]:
    """The current versions, or those that were current after the commit `known_at`."""
    if known_at is None:
        return table.c.seq_to.is_(None)
    return and_(table.c.seq_from <= known_at, func.coalesce(table.c.seq_to > known_at, True))


def has_presses(tenant_id: UUID) -> ColumnElement[bool]:
    """True where any answer names the device that was pressed; who has none pays nothing for the rule."""
    pressed = select(literal(1)).where(
        feedback.c.tenant_id == literal(tenant_id), feedback.c.device.is_not(None)
    )
    return exists(pressed)


def relational_questions(tenant_id: UUID) -> ScalarSelect[Any]:
    """Keys of the tenant's relational questions, in order; an empty array when there are none."""
    keys = func.array_agg(aggregate_order_by(questions.c.key, questions.c.key), type_=ARRAY(Text))
    found = select(func.coalesce(keys, cast(array([]), ARRAY(Text))))
    return found.where(questions.c.tenant_id == literal(tenant_id), questions.c.relational).scalar_subquery()
