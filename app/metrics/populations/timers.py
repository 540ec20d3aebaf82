"""Timer cycles by their due time, one by one and as the worst cycle of each case."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal, or_, select

from app.db.tables.sla import sla_timers
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import counted, keys_of
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, rows_of

PAUSED: Final = "paused"
STATES: Final = ("met", "closed_late", "open_overdue", "pending", "cancelled")
# Counted by its due time, judged by its limit: the end of the due day where the start is known by its day.
_LIMIT: Final = func.coalesce(sla_timers.c.breaches_after, sla_timers.c.due_at)


def count_timers(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """How many cycles met their time, missed it, or may still meet it."""
    rows = _cycles(query, period, facts)
    return counted(rows, query, **{state: rows.c[state] for state in STATES})


def count_timed_cases(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by the worst of their cycles: any breached, else any met, else pending."""
    rows = _cycles(query, period, facts)
    keys = keys_of(rows, query)
    is_case = rows.c.subject_kind == "case"
    cases = (
        select(
            *keys,
            func.bool_or(or_(rows.c.closed_late, rows.c.open_overdue)).label("breached"),
            func.bool_or(rows.c.met).label("met"),
            func.bool_or(rows.c.pending).label("pending"),
        )
        .where(is_case)
        .group_by(*keys, rows.c.subject_id)
        .subquery("timed_cases")
    )
    met = and_(~cases.c.breached, cases.c.met)
    return counted(
        cases,
        query,
        met=met,
        breached=cases.c.breached,
        pending=and_(~cases.c.breached, ~cases.c.met, cases.c.pending),
    )


def overdue_at(as_of: ColumnElement[Any]) -> ColumnElement[bool]:
    """True for a cycle that nothing has stopped and whose due time (or due day, see `_LIMIT`) has passed."""
    stopped = func.coalesce(sla_timers.c.stopped_at <= as_of, False)
    cancelled = func.coalesce(sla_timers.c.cancelled_at <= as_of, False)
    return and_(~stopped, ~cancelled, sla_timers.c.state != PAUSED, as_of > _LIMIT)


def _cycles(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """Cycles as they stood at as_of.

    Equality is no breach: a stop at the very due time is met, as_of at it is pending. A breach stays when
    the case is merged or cancelled afterwards; a paused timer is not due.
    """
    as_of, due = literal(query.as_of), sla_timers.c.due_at
    stopped = func.coalesce(sla_timers.c.stopped_at <= as_of, False)
    cancelled = and_(~stopped, func.coalesce(sla_timers.c.cancelled_at <= as_of, False))
    missed_first = and_(cancelled, sla_timers.c.cancelled_at > _LIMIT)
    overdue = overdue_at(as_of)
    return (
        select(
            *group_columns(sla_timers, bucket_of(due, query), query),
            sla_timers.c.subject_id,
            sla_timers.c.subject_kind,
            and_(stopped, sla_timers.c.stopped_at <= _LIMIT).label("met"),
            or_(and_(stopped, sla_timers.c.stopped_at > _LIMIT), missed_first).label("closed_late"),
            overdue.label("open_overdue"),
            and_(~stopped, ~cancelled, ~overdue).label("pending"),
            and_(cancelled, ~missed_first).label("cancelled"),
        )
        .where(rows_of(sla_timers, due, query, period, facts), sla_timers.c.started_at <= as_of)
        .subquery("cycles")
    )
