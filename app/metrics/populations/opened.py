"""Cases by their opening, who waits for an answer, and for whom a deadline has passed."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal, select

from app.db.tables.cases import cases
from app.domain.complaint import CaseKind
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import counted
from app.metrics.populations.standing import AWAITING_OPENING
from app.metrics.populations.timers import has_overdue
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, identity, rows_of

NO_COMPLAINT: Final = ("invalid", "duplicate", "merged")
"""Ends by which a case turned out to be none, or none of its own; a withdrawn complaint was one."""


def count_opened(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by their opening, and how many of them no human had answered at as_of.

    A case known only by later events has no opening yet. Internal cases (nobody to answer), and those
    that turned out withdrawn, duplicate or invalid, are not answerable. Complaints count once: see
    NO_COMPLAINT.
    """
    rows = list_opened(query, period, facts)
    return counted(
        rows,
        query,
        opened=literal(True),
        answerable=rows.c.answerable,
        unanswered=rows.c.unanswered,
        proactive=rows.c.proactive,
        complaints=rows.c.complaint,
    )


def count_overdue_cases(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases of the cohort that want an answer, have none, and of which a deadline has passed meanwhile."""
    rows = list_overdue_cases(query, period, facts)
    return counted(
        rows, query, wanted=rows.c.answerable, unanswered=rows.c.unanswered, overdue=rows.c.overdue
    )


def list_opened(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The cases that `count_opened` counts."""
    return _opened(query, period, facts)


def list_overdue_cases(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The same, with what is overdue."""
    overdue = and_(_unanswered(query), has_overdue(cases.c.case_id, query))
    return _opened(query, period, facts, overdue.label("overdue"))


def _opened(query: MetricQuery, period: Period, facts: TenantFacts, *more: ColumnElement[bool]) -> Subquery:
    as_of, ended = literal(query.as_of), _ended(query)
    complaint = and_(cases.c.kind == CaseKind.COMPLAINT.value, ~and_(ended, cases.c.state.in_(NO_COMPLAINT)))
    return (
        select(
            *group_columns(cases, bucket_of(cases.c.opened_at, query), query),
            *identity(cases.c.case_id, cases.c.opened_at),
            _answerable(query).label("answerable"),
            _unanswered(query).label("unanswered"),
            (cases.c.initiative == "proactive").label("proactive"),
            complaint.label("complaint"),
            *more,
        )
        .where(
            rows_of(cases, cases.c.opened_at, query, period, facts),
            cases.c.opened_at <= as_of,
            cases.c.state != AWAITING_OPENING,
        )
        .subquery("opened_cases")
    )


def _ended(query: MetricQuery) -> ColumnElement[bool]:
    return func.coalesce(cases.c.ended_at <= literal(query.as_of), False)


def _answerable(query: MetricQuery) -> ColumnElement[bool]:
    return and_(cases.c.customer_facing, ~_ended(query))


def _unanswered(query: MetricQuery) -> ColumnElement[bool]:
    return and_(_answerable(query), func.coalesce(cases.c.first_response_at > literal(query.as_of), True))
