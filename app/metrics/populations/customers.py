"""Answers of customers with a resolved, an open, and no complaint before: who is the happiest?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, exists, literal, select, true

from app.db.tables.cases import cases
from app.db.tables.feedback import feedback
from app.domain.measures.definition import Population
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.feedback_counts import of_respondents
from app.metrics.populations.counting import counted
from app.metrics.populations.resolved import top_box
from app.metrics.populations.standing import counts_at, standing
from app.metrics.query import MetricQuery
from app.metrics.repeats import credible
from app.metrics.shape import bucket_of, group_columns, known_rows, rows_of


def count_customers(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Top-box answers by whether their customer had complained before, and whether it was resolved then.

    Only answers of known customers to the questions of the metric's measure; internal cases are not theirs.
    """
    handled = standing(query.as_of)
    measures = sorted({str(m.measure) for m in query.metrics if Population.CUSTOMERS in m.populations})
    theirs = and_(
        cases.c.tenant_id == feedback.c.tenant_id,
        cases.c.customer_ref == feedback.c.customer_ref,
        cases.c.opened_at < feedback.c.occurred_at,
        cases.c.customer_facing,
        counts_at(query.as_of),
    )
    handled_cases = cases.outerjoin(handled.cycles, true())
    complained = exists(select(literal(1)).where(theirs))
    unresolved = exists(
        select(literal(1))
        .select_from(handled_cases)
        .where(theirs, handled.resolved_at.is_(None) | (handled.resolved_at > feedback.c.occurred_at))
    )
    answers = select(
        *group_columns(feedback, bucket_of(feedback.c.occurred_at, query), query),
        top_box(feedback).label("is_top"),
        complained.label("complained"),
        unresolved.label("unresolved"),
    ).where(
        known_rows(feedback, query.known_at),
        rows_of(feedback, feedback.c.occurred_at, query, period, facts),
        credible(feedback),
        feedback.c.customer_ref.is_not(None),
        feedback.c.slot.is_not(None),
        feedback.c.measure.in_(measures),
    )
    rows = of_respondents(answers, query, "answers_of_customers")
    top, had, is_open = rows.c.is_top, rows.c.complained, rows.c.unresolved
    return counted(
        rows,
        query,
        resolved_top=and_(had, ~is_open, top),
        resolved_n=and_(had, ~is_open),
        unresolved_top=and_(had, is_open, top),
        unresolved_n=and_(had, is_open),
        untroubled_top=and_(~had, top),
        untroubled_n=~had,
    )
