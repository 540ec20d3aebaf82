"""Timer cycles by their due time, one by one and as the worst cycle of each case."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, func, literal, or_, select

from app.db.tables.sla import sla_timers
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import counted, keys_of
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, identity, rows_of

PAUSED: Final = "paused"
STATES: Final = ("met", "closed_late", "open_overdue", "pending", "cancelled")
# Counted by its due time, judged by its limit: the end of the due day where the start is known by its day.
_LIMIT: Final = func.coalesce(sla_timers.c.breaches_after, sla_timers.c.due_at)


def count_timers(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """How many cycles met their time, missed it, or may still meet it."""
    rows = list_cycles(query, period, facts)
    return counted(rows, query, **{state: rows.c[state] for state in STATES})


def count_timed_cases(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by the worst of their cycles: any breached, else any met, else pending."""
    cases = list_timed_cases(query, period, facts)
    return counted(cases, query, met=cases.c.met, breached=cases.c.breached, pending=cases.c.pending)


def list_timed_cases(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The cases that `count_timed_cases` counts; each is exactly one of the three, or none."""
    rows = list_cycles(query, period, facts)
    keys = keys_of(rows, query)
    is_case = rows.c.subject_kind == "case"
    worst = (
        select(
            *keys,
            rows.c.subject_id.label("row_id"),
            func.max(rows.c.row_at).label("row_at"),
            func.bool_or(or_(rows.c.closed_late, rows.c.open_overdue)).label("breached"),
            func.bool_or(rows.c.met).label("met"),
            func.bool_or(rows.c.pending).label("pending"),
        )
        .where(is_case)
        .group_by(*keys, rows.c.subject_id)
        .subquery("worst_cycles")
    )
    return select(
        *keys_of(worst, query),
        worst.c.row_id,
        worst.c.row_at,
        and_(~worst.c.breached, worst.c.met).label("met"),
        worst.c.breached,
        and_(~worst.c.breached, ~worst.c.met, worst.c.pending).label("pending"),
    ).subquery("timed_cases")


def overdue_at(as_of: ColumnElement[Any]) -> ColumnElement[bool]:
    """True for a cycle that nothing has stopped and whose due time (or due day, see `_LIMIT`) has passed."""
    stopped = func.coalesce(sla_timers.c.stopped_at <= as_of, False)
    cancelled = func.coalesce(sla_timers.c.cancelled_at <= as_of, False)
    return and_(~stopped, ~cancelled, sla_timers.c.state != PAUSED, as_of > _LIMIT)


def has_overdue(subject_id: ColumnElement[Any], query: MetricQuery) -> ColumnElement[bool]:
    """True when some deadline of the subject had passed at as_of, with nothing that stopped it."""
    return exists(
        select(literal(1)).where(
            sla_timers.c.tenant_id == subject_id.table.c.tenant_id,
            sla_timers.c.subject_id == subject_id,
            overdue_at(literal(query.as_of)),
        )
    )


def list_cycles(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """Cycles as they stood at as_of, each exactly one of STATES.

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
            *identity(sla_timers.c.cycle, due),
            sla_timers.c.timer,
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
