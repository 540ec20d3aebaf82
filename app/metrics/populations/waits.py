"""How long the cases of a cohort took: to the first reply of a human, and to the final resolution."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, extract, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION

from app.db.tables.cases import cases
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import keys_of
from app.metrics.populations.standing import Standing, counts_at, standing
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, identity, rows_of


def collect_responses(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Seconds of `list_responses`, ended and still waiting."""
    return _collected(list_responses(query, period, facts), query)


def collect_resolutions(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Seconds of `list_resolutions`, ended and still waiting."""
    return _collected(list_resolutions(query, period, facts), query)


def list_responses(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """Seconds from opening to the first human reply, of the cohort that has a customer to answer."""
    as_of = literal(query.as_of)
    answered_at = case((cases.c.first_response_at <= as_of, cases.c.first_response_at))
    return _waits(query, period, facts, answered_at, cases.c.customer_facing)


def list_resolutions(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """Seconds from opening to the final resolution, of the cohort."""
    handled = standing(query.as_of)
    return _waits(query, period, facts, handled.resolved_at, true(), handled)


def _waits(
    query: MetricQuery,
    period: Period,
    facts: TenantFacts,
    ended_at: ColumnElement[Any],
    only: ColumnElement[bool],
    handled: Standing | None = None,
) -> Subquery:
    lasted = extract("epoch", func.coalesce(ended_at, literal(query.as_of)) - cases.c.opened_at)
    columns = [
        *group_columns(cases, bucket_of(cases.c.opened_at, query), query),
        *identity(cases.c.case_id, cases.c.opened_at),
        func.greatest(lasted, 0).label("seconds"),
        ended_at.is_not(None).label("over"),
    ]
    source = cases if handled is None else cases.outerjoin(handled.cycles, true())
    return (
        select(*columns)
        .select_from(source)
        .where(rows_of(cases, cases.c.opened_at, query, period, facts), counts_at(query.as_of), only)
        .subquery("waits")
    )


def _collected(rows: Subquery, query: MetricQuery) -> Select[Any]:
    keys = keys_of(rows, query)
    seconds = func.array_agg(rows.c.seconds, type_=ARRAY(DOUBLE_PRECISION))
    return select(
        *keys,
        seconds.filter(rows.c.over).label("ended"),
        seconds.filter(~rows.c.over).label("censored"),
    ).group_by(*keys)
