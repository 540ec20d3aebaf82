"""Volumes, cases and timers counted from their rows, with predicates on as_of: one SELECT each."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, Subquery, and_, func, literal, or_, select

from app.db.tables.cases import cases
from app.db.tables.feedback import volumes
from app.db.tables.sla import sla_timers
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, group_names, known_rows, rows_of

AWAITING_OPENING: Final = "awaiting_opening"
PAUSED: Final = "paused"


def count_volumes(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Sums of the counts by group and kind of volume."""
    bucket = bucket_of(volumes.c.occurred_at, query)
    rows = (
        select(*group_columns(volumes, bucket, query), volumes.c.kind.label("volume"), volumes.c.count)
        .where(
            known_rows(volumes, query.known_at), rows_of(volumes, volumes.c.occurred_at, query, period, facts)
        )
        .subquery("counted")
    )
    keys = [*_keys(rows, query), rows.c.volume]
    return select(*keys, func.sum(rows.c.count).label("total")).group_by(*keys)


def count_opened(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by their opening, and how many of them no human had answered at as_of.

    A case known only by later events has no opening yet. Internal cases (nobody to answer), and those
    that turned out withdrawn, duplicate or invalid, are not answerable.
    """
    as_of = literal(query.as_of)
    ended = func.coalesce(cases.c.ended_at <= as_of, False)
    answerable = and_(cases.c.customer_facing, ~ended)
    unanswered = and_(answerable, func.coalesce(cases.c.first_response_at > as_of, True))
    rows = (
        select(
            *group_columns(cases, bucket_of(cases.c.opened_at, query), query),
            answerable.label("answerable"),
            unanswered.label("unanswered"),
        )
        .where(
            rows_of(cases, cases.c.opened_at, query, period, facts),
            cases.c.opened_at <= as_of,
            cases.c.state != AWAITING_OPENING,
        )
        .subquery("opened_cases")
    )
    return _counted(
        rows,
        query,
        opened=literal(True),
        answerable=rows.c.answerable,
        unanswered=rows.c.unanswered,
    )


def count_closed(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by their closing."""
    rows = (
        select(*group_columns(cases, bucket_of(cases.c.closed_at, query), query))
        .where(
            rows_of(cases, cases.c.closed_at, query, period, facts),
            cases.c.closed_at <= literal(query.as_of),
        )
        .subquery("closed_cases")
    )
    return _counted(rows, query, closed=literal(True))


def count_timers(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Timer cycles by their due time and how they stood at as_of.

    Equality is no breach: a stop at the very due time is met, as_of at it is pending. A breach stays when
    the case is merged or cancelled afterwards; a paused timer is not due.
    """
    as_of, due = literal(query.as_of), sla_timers.c.due_at
    stopped = func.coalesce(sla_timers.c.stopped_at <= as_of, False)
    cancelled = and_(~stopped, func.coalesce(sla_timers.c.cancelled_at <= as_of, False))
    missed_first = and_(cancelled, sla_timers.c.cancelled_at > due)
    running = and_(~stopped, ~cancelled)
    overdue = and_(running, sla_timers.c.state != PAUSED, due < as_of)
    rows = (
        select(
            *group_columns(sla_timers, bucket_of(due, query), query),
            and_(stopped, sla_timers.c.stopped_at <= due).label("met"),
            or_(and_(stopped, sla_timers.c.stopped_at > due), missed_first).label("closed_late"),
            overdue.label("open_overdue"),
            and_(running, ~overdue).label("pending"),
            and_(cancelled, ~missed_first).label("cancelled"),
        )
        .where(
            rows_of(sla_timers, due, query, period, facts),
            sla_timers.c.started_at <= as_of,
        )
        .subquery("cycles")
    )
    states = ("met", "closed_late", "open_overdue", "pending", "cancelled")
    return _counted(rows, query, **{state: rows.c[state] for state in states})


def _counted(rows: Subquery, query: MetricQuery, **counts: ColumnElement[bool]) -> Select[Any]:
    keys = _keys(rows, query)
    counters = [func.count().filter(condition).label(name) for name, condition in counts.items()]
    return select(*keys, *counters).select_from(rows).group_by(*keys)


def _keys(rows: FromClause, query: MetricQuery) -> list[ColumnElement[Any]]:
    return [rows.c[name] for name in group_names(query)]
