"""Cases by their closing, those open at as_of, and whose customers spoke again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, Subquery, and_, cast, exists, extract, func, literal, null, select, true
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION

from app.db.tables.cases import cases
from app.db.tables.feedback import feedback
from app.metrics.buckets import Period
from app.metrics.conditions import conditions_on
from app.metrics.facts import TenantFacts
from app.metrics.populations.compensation import compensation
from app.metrics.populations.counting import counted, keys_of
from app.metrics.populations.standing import counts_at, events_of, of_case, standing
from app.metrics.populations.timers import has_overdue
from app.metrics.query import MetricQuery
from app.metrics.shape import INSTANT, bucket_of, group_columns, identity, known_rows, rows_of

FOUR_WEEKS: Final = timedelta(days=28)
EIGHT_WEEKS: Final = timedelta(days=56)
AGAIN_WITHIN: Final = timedelta(days=180)
UPHELD: Final = ("upheld", "partly_upheld", "goodwill")


def count_closed(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by their closing: their age then, their outcome, what was paid."""
    rows = list_closed(query, period, facts)
    four, eight = literal(FOUR_WEEKS), literal(EIGHT_WEEKS)
    selected = counted(
        rows,
        query,
        closed=literal(True),
        within_4_weeks=rows.c.age <= four,
        within_8_weeks=and_(rows.c.age > four, rows.c.age <= eight),
        after_8_weeks=rows.c.age > eight,
        upheld=rows.c.outcome.in_(UPHELD),
        judged=rows.c.outcome.is_not(None),
    )
    return selected.add_columns(
        func.coalesce(func.sum(rows.c.net), 0).label("redress"),
        func.count(rows.c.currency.distinct()).label("currencies"),
    )


def list_closed(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The cases that `count_closed` counts."""
    paid = compensation(query, facts)
    age = cases.c.closed_at - cases.c.opened_at
    event = events_of("judged")
    outcome = (
        select(event.c.fact["outcome"].astext)
        .where(of_case(event, query, facts), event.c.fact["outcome"].astext.is_not(None))
        .order_by(event.c.occurred_at.desc(), event.c.position.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            *group_columns(cases, bucket_of(cases.c.closed_at, query), query),
            *identity(cases.c.case_id, cases.c.closed_at),
            age.label("age"),
            outcome.label("outcome"),
            paid.c.net,
            paid.c.currency,
        )
        .select_from(cases.join(paid, true()))
        .where(
            rows_of(cases, cases.c.closed_at, query, period, facts),
            cases.c.closed_at <= literal(query.as_of),
        )
        .subquery("closed_cases")
    )


def count_backlog(query: MetricQuery, facts: TenantFacts) -> Select[Any]:
    """Cases open at as_of, whenever they were opened: their ages, and whether a deadline has passed."""
    rows = list_backlog(query, facts)
    keys = keys_of(rows, query)
    ages = func.array_agg(rows.c.age, type_=ARRAY(DOUBLE_PRECISION))
    return select(*keys, ages.label("ages"), func.count().filter(rows.c.late).label("overdue")).group_by(
        *keys
    )


def list_backlog(query: MetricQuery, facts: TenantFacts) -> Subquery:
    """The cases that `count_backlog` counts."""
    handled = standing(query.as_of)
    return (
        select(
            *group_columns(cases, cast(null(), INSTANT), query),
            *identity(cases.c.case_id, cases.c.opened_at),
            extract("epoch", literal(query.as_of) - cases.c.opened_at).label("age"),
            has_overdue(cases.c.case_id, query).label("late"),
        )
        .select_from(cases.outerjoin(handled.cycles, true()))
        .where(
            cases.c.tenant_id == literal(facts.tenant_id),
            counts_at(query.as_of),
            handled.resolved_at.is_(None),
            *conditions_on(cases, query.conditions),
        )
        .subquery("open_cases")
    )


def count_returning(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases of known customers, answered or not, and whether the customer gave feedback in the next 180 days.

    Only cases whose 180 days are over at as_of.
    """
    rows = list_returning(query, period, facts)
    return counted(
        rows,
        query,
        answered=rows.c.was_answered,
        answered_again=and_(rows.c.was_answered, rows.c.again),
        unanswered=~rows.c.was_answered,
        unanswered_again=and_(~rows.c.was_answered, rows.c.again),
    )


def list_returning(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The cases that `count_returning` counts."""
    as_of = literal(query.as_of)
    until = cases.c.opened_at + literal(AGAIN_WITHIN)
    answered = func.coalesce(cases.c.first_response_at <= until, False)
    later = feedback.alias("later")
    again = exists(
        select(literal(1)).where(
            later.c.tenant_id == cases.c.tenant_id,
            later.c.customer_ref == cases.c.customer_ref,
            known_rows(later, query.known_at),
            later.c["class"] != "silent",
            later.c.occurred_at > func.coalesce(cases.c.first_response_at, cases.c.opened_at),
            later.c.occurred_at > cases.c.opened_at,
            later.c.occurred_at <= until,
        )
    )
    return (
        select(
            *group_columns(cases, bucket_of(cases.c.opened_at, query), query),
            *identity(cases.c.case_id, cases.c.opened_at),
            answered.label("was_answered"),
            again.label("again"),
        )
        .where(
            rows_of(cases, cases.c.opened_at, query, period, facts),
            counts_at(query.as_of),
            cases.c.customer_ref.is_not(None),
            cases.c.customer_facing,
            until <= as_of,
        )
        .subquery("customers_of_cases")
    )
