"""Answers of customers with a resolved, an open, and no complaint before: who is happier, who comes back?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, func, literal, select, true

from app.db.tables.cases import cases
from app.db.tables.feedback import feedback
from app.domain.measures.definition import Population
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.feedback_counts import of_respondents
from app.metrics.populations.comebacks import LOYAL_WITHIN, came_back
from app.metrics.populations.counting import keys_of
from app.metrics.populations.resolved import top_box
from app.metrics.populations.standing import counts_at, standing
from app.metrics.query import MetricQuery
from app.metrics.repeats import credible
from app.metrics.shape import bucket_of, group_columns, identity, known_rows, rows_of


def count_customers(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Answers by what their customer went through before, by measure and segment."""
    rows = list_customers(query, period, facts)
    return _by_group(rows, query, rows.c.measure)


def count_comebacks(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Feedback items by what their customer went through before, and who came back afterwards."""
    return _by_group(list_comebacks(query, period, facts), query)


def list_customers(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """Answers of known customers to the questions of the metrics' measures.

    What counts is what happened before the answer: a complaint made with it is not one that was solved. (To
    leave such answers out of the untroubled would take the discontent from one side only.) Internal cases
    are not the customer's.
    """
    measures = sorted({str(m.measure) for m in query.metrics if Population.CUSTOMERS in m.populations})
    return _answers(
        query,
        period,
        facts,
        [feedback.c.slot.is_not(None), feedback.c.measure.in_(measures)],
        [
            feedback.c.measure,
            top_box(feedback).label("top"),
            (feedback.c["class"] == "positive").label("promoters"),
            (feedback.c["class"] == "negative").label("detractors"),
        ],
    )


def list_comebacks(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """Feedback items of known customers, each once, whose 90 days are over at as_of."""
    at = feedback.c.occurred_at
    return _answers(
        query,
        period,
        facts,
        [
            feedback.c.answer_index == 0,
            feedback.c["class"] != "silent",
            at + literal(LOYAL_WITHIN) <= literal(query.as_of),
        ],
        [came_back(feedback.c, at, query).label("top")],
    )


def _answers(
    query: MetricQuery,
    period: Period,
    facts: TenantFacts,
    only: list[ColumnElement[bool]],
    told: list[ColumnElement[Any]],
) -> Subquery:
    handled = standing(query.as_of)
    theirs = and_(
        cases.c.tenant_id == feedback.c.tenant_id,
        cases.c.customer_ref == feedback.c.customer_ref,
        cases.c.opened_at < feedback.c.occurred_at,
        cases.c.customer_facing,
        counts_at(query.as_of),
    )
    complained = exists(select(literal(1)).where(theirs))
    unresolved = exists(
        select(literal(1))
        .select_from(cases.outerjoin(handled.cycles, true()))
        .where(theirs, handled.resolved_at.is_(None) | (handled.resolved_at > feedback.c.occurred_at))
    )
    answers = select(
        *group_columns(feedback, bucket_of(feedback.c.occurred_at, query), query),
        *identity(feedback.c.feedback_id, feedback.c.occurred_at),
        func.coalesce(feedback.c.segment, "").label("stratum"),
        complained.label("complained"),
        unresolved.label("open"),
        *told,
    ).where(
        known_rows(feedback, query.known_at),
        rows_of(feedback, feedback.c.occurred_at, query, period, facts),
        credible(feedback),
        feedback.c.customer_ref.is_not(None),
        *only,
    )
    found = of_respondents(answers, query, "answers_of_customers")
    had, is_open = found.c.complained, found.c.open
    return select(
        *(column for column in found.c if column.name not in ("complained", "open", "turn")),
        and_(had, ~is_open).label("resolved"),
        and_(had, is_open).label("unresolved"),
        (~had).label("untroubled"),
    ).subquery("compared_customers")


def _by_group(rows: Subquery, query: MetricQuery, *more: ColumnElement[Any]) -> Select[Any]:
    """How many rows of each side, in all and by what they told, for each segment."""
    keys = [*keys_of(rows, query), *more, rows.c.stratum]
    counts = []
    for side in ("resolved", "unresolved", "untroubled"):
        counts.append(func.count().filter(rows.c[side]).label(f"{side}_n"))
        for name in ("top", "promoters", "detractors"):
            holds = and_(rows.c[side], rows.c[name]) if name in rows.c else literal(False)
            counts.append(func.count().filter(holds).label(f"{side}_{name}"))
    return select(*keys, *counts).select_from(rows).group_by(*keys)
