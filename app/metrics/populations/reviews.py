"""Published reviews, and whether anybody answered them where everybody can read it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, func, literal, or_, select, true

from app.db.tables.feedback import feedback
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import counted
from app.metrics.populations.standing import events_of, known_event, not_retracted
from app.metrics.populations.timers import has_overdue
from app.metrics.query import MetricQuery
from app.metrics.repeats import credible
from app.metrics.shape import bucket_of, group_columns, identity, known_rows, rows_of

REVIEW: Final = "review"


def count_reviews(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Reviews that stand, each once, and those of them with a public reply of a human by as_of."""
    rows = list_reviews(query, period, facts)
    return counted(rows, query, published=rows.c.published, answered=rows.c.answered)


def count_overdue_reviews(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """The same, and how many of the unanswered ones have a deadline that passed."""
    rows = list_overdue_reviews(query, period, facts)
    return counted(rows, query, wanted=rows.c.published, unanswered=~rows.c.answered, overdue=rows.c.overdue)


def list_reviews(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The reviews that `count_reviews` counts."""
    return _published(query, period, facts)


def list_overdue_reviews(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The same, with what is overdue."""
    late = and_(feedback.c.subject_kind == REVIEW, has_overdue(feedback.c.subject_id, query))
    overdue = and_(~_replied(query), func.coalesce(late, False))
    return _published(query, period, facts, overdue.label("overdue"))


def _published(
    query: MetricQuery, period: Period, facts: TenantFacts, *more: ColumnElement[bool]
) -> Subquery:
    return (
        select(
            *group_columns(feedback, bucket_of(feedback.c.occurred_at, query), query),
            *identity(feedback.c.feedback_id, feedback.c.occurred_at),
            true().label("published"),
            _replied(query).label("answered"),
            *more,
        )
        .where(
            known_rows(feedback, query.known_at),
            rows_of(feedback, feedback.c.occurred_at, query, period, facts),
            credible(feedback),
            feedback.c.answer_index == 0,
            or_(feedback.c.kind == REVIEW, func.coalesce(feedback.c.subject_kind == REVIEW, False)),
        )
        .subquery("published_reviews")
    )


def _replied(query: MetricQuery) -> ColumnElement[bool]:
    """True when a human replied to the review; a review without a subject cannot be replied to."""
    reply = events_of("reply")
    return exists(
        select(literal(1)).where(
            and_(feedback.c.subject_kind == REVIEW, reply.c.subject_id == feedback.c.subject_id),
            reply.c.tenant_id == feedback.c.tenant_id,
            reply.c.type == "review.replied",
            func.coalesce(reply.c.fact["human"].astext, "true") != "false",
            reply.c.occurred_at <= literal(query.as_of),
            known_event(reply, query),
            not_retracted(reply, query),
        )
    )
