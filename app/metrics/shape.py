"""What every SELECT of a query shares: its bucket, its group columns, the tenant's rows in a period."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    ScalarSelect,
    String,
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


def stored_bucket_of(instant: ColumnElement[datetime], query: MetricQuery) -> ColumnElement[Any]:
    """The same as cuboids of days write it: the first local day of the bucket; hours stay instants."""
    if query.granularity is Granularity.HOUR:
        return bucket_of(instant, query)
    return stored_bucket_of_day(func.timezone(query.zone.key, instant, type_=TIMESTAMP), query)


def stored_bucket_of_day(day: ColumnElement[Any], query: MetricQuery) -> ColumnElement[Any]:
    """The same for a local day (or local time) of the query's zone."""
    match query.granularity:
        case Granularity.NONE:
            return cast(null(), Date).label("bucket")
        case Granularity.DAY:
            return cast(day, Date).label("bucket")
        case _:
            local = cast(day, TIMESTAMP)
            return cast(func.date_trunc(query.granularity.value, local), Date).label("bucket")


def told_columns(rows: FromClause, query: MetricQuery) -> list[ColumnElement[Any]]:
    """The group columns of `rows`, stored as cuboids do, as an answer tells them; cheap after grouping."""
    bucket: ColumnElement[Any] = rows.c.bucket
    if query.granularity is not Granularity.HOUR:
        bucket = func.timezone(query.zone.key, cast(bucket, TIMESTAMP), type_=INSTANT)
    told = [
        rows.c[name] if ref.attribute is not None else func.nullif(rows.c[name], "", type_=String)
        for name, ref in zip(group_names(query)[1:], query.group_by, strict=True)
    ]
    return [column.label(name) for name, column in zip(group_names(query), [bucket, *told], strict=True)]


def group_names(query: MetricQuery) -> list[str]:
    """Names of the group columns in every SELECT of the query: the bucket, then d0, d1, ..."""
    return ["bucket", *(f"d{number}" for number in range(len(query.group_by)))]


def group_columns(
    table: FromClause, bucket: ColumnElement[Any], query: MetricQuery, *, null_is_empty: bool = False
) -> list[ColumnElement[Any]]:
    """The bucket and the dimensions that the query groups by, under their common names.

    `null_is_empty` writes null as cuboids do (attributes keep theirs: empty is a value of them).
    """
    columns: list[ColumnElement[Any]] = [bucket.label("bucket")]
    for number, ref in enumerate(query.group_by):
        column = dimension_column(table, ref)
        if null_is_empty and ref.attribute is None:
            column = func.coalesce(column, "", type_=String)
        columns.append(column.label(f"d{number}"))
    return columns


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
