"""Cases by their final resolution and what came of it; durations of first response and resolution."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION
from sqlalchemy.sql.selectable import LateralFromClause

from app.db.tables.cases import cases
from app.db.tables.feedback import feedback
from app.db.tables.journal import event_personal
from app.domain.scales import SCALES, AnswerClass
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.belonging import belongs_to_case
from app.metrics.populations.compensation import compensation
from app.metrics.populations.counting import counted, keys_of
from app.metrics.populations.standing import (
    Standing,
    counts_at,
    events_of,
    failed_again,
    happened,
    known_event,
    standing,
)
from app.metrics.query import MetricQuery
from app.metrics.repeats import credible
from app.metrics.shape import bucket_of, group_columns, known_rows, rows_of

REOPENED_WITHIN: Final = timedelta(days=14)
REPEATED_WITHIN: Final = timedelta(days=7)
LOYAL_WITHIN: Final = timedelta(days=90)
RESURVEYS: Final = ("resurvey", "csat")


def list_responses(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Seconds from opening to the first human reply, of the cohort that has a customer to answer."""
    as_of = literal(query.as_of)
    answered_at = case((cases.c.first_response_at <= as_of, cases.c.first_response_at))
    return _durations(query, period, facts, answered_at, cases.c.customer_facing)


def list_resolutions(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Seconds from opening to the final resolution, of the cohort."""
    handled = standing(query.as_of)
    return _durations(query, period, facts, handled.resolved_at, true(), handled)


def _durations(
    query: MetricQuery,
    period: Period,
    facts: TenantFacts,
    ended_at: ColumnElement[Any],
    only: ColumnElement[bool],
    handled: Standing | None = None,
) -> Select[Any]:
    lasted = extract("epoch", func.coalesce(ended_at, literal(query.as_of)) - cases.c.opened_at)
    columns = [
        *group_columns(cases, bucket_of(cases.c.opened_at, query), query),
        func.greatest(lasted, 0).label("seconds"),
        ended_at.is_not(None).label("over"),
    ]
    source = cases if handled is None else cases.outerjoin(handled.cycles, true())
    rows = (
        select(*columns)
        .select_from(source)
        .where(rows_of(cases, cases.c.opened_at, query, period, facts), counts_at(query.as_of), only)
        .subquery("waits")
    )
    keys = keys_of(rows, query)
    seconds = func.array_agg(rows.c.seconds, type_=ARRAY(DOUBLE_PRECISION))
    return select(
        *keys,
        seconds.filter(rows.c.over).label("ended"),
        seconds.filter(~rows.c.over).label("censored"),
    ).group_by(*keys)


def count_resolved(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by their (last) resolution, with all that recovery is judged by."""
    as_of = literal(query.as_of)
    handled = standing(query.as_of)
    paid, asked = compensation(query, facts), _resurvey(query, facts, handled)
    is_resolved = handled.resolved_at.is_not(None)
    reopened = handled.reopenings > 0
    once = and_(
        is_resolved, ~reopened, ~happened("case.customer_contacted", query, facts), ~_repeated(query, handled)
    )
    first_level = and_(is_resolved, ~happened("case.escalated", query, facts))
    answered = and_(is_resolved, asked.c.answer_class.in_(("positive", "neutral", "negative")))
    failed = or_(
        reopened,
        and_(answered, asked.c.answer_class == "negative"),
        failed_again(query),
    )
    known = and_(is_resolved, cases.c.customer_ref.is_not(None))
    promoter, returned = and_(known, _promoted(query, handled)), and_(known, _returned(query, handled))
    flags = {
        "resolved": is_resolved,
        "reopened_open": ~is_resolved,
        "reopened": reopened,
        "provisional": handled.last_resolved_at > as_of - literal(REOPENED_WITHIN),
        "once": once,
        "first_level": first_level,
        "once_first_level": and_(once, first_level),
        "answered": answered,
        "recovered": and_(answered, asked.c.is_top),
        "silent": and_(is_resolved, asked.c.answer_class == "silent"),
        "evaluable": or_(answered, reopened),
        "failed": failed,
        "promise_missed": cases.c.promised_due_at < func.coalesce(handled.resolved_at, as_of),
        "compensated": and_(is_resolved, paid.c.net > 0),
        "complainers": known,
        "loyal": or_(promoter, returned),
        "promoters": promoter,
        "repurchased": returned,
    }
    at = handled.last_resolved_at
    rows = (
        select(
            *group_columns(cases, bucket_of(at, query), query),
            *(flag.label(name) for name, flag in flags.items()),
            case((is_resolved, paid.c.net)).label("net"),
            case((is_resolved, paid.c.currency)).label("currency"),
        )
        .select_from(cases.outerjoin(handled.cycles, true()).join(paid, true()).outerjoin(asked, true()))
        .where(rows_of(cases, at, query, period, facts), counts_at(query.as_of))
        .subquery("resolved_cases")
    )
    return counted(rows, query, **{name: rows.c[name] for name in flags}).add_columns(
        func.coalesce(func.sum(rows.c.net), 0).label("spent"),
        func.count(rows.c.currency.distinct()).label("currencies"),
    )


def _resurvey(query: MetricQuery, facts: TenantFacts, handled: Standing) -> LateralFromClause:
    """What the customer said of the case after its resolution: the last answer, else silence."""
    silent = feedback.c["class"] == str(AnswerClass.SILENT)
    return (
        select(feedback.c["class"].label("answer_class"), top_box(feedback).label("is_top"))
        .where(
            feedback.c.tenant_id == cases.c.tenant_id,
            belongs_to_case(feedback, merges=facts.merges),
            feedback.c.subject_kind == "case",
            feedback.c.measure.in_(RESURVEYS),
            known_rows(feedback, query.known_at),
            credible(feedback),
            feedback.c.occurred_at >= handled.last_resolved_at,
            feedback.c.occurred_at <= literal(query.as_of),
        )
        .order_by(silent, feedback.c.occurred_at.desc(), feedback.c.feedback_id.desc())
        .limit(1)
        .correlate(cases, handled.cycles)
        .lateral("asked_again")
    )


def top_box(rows: Any) -> ColumnElement[bool]:
    """True for an answer in the top box of its scale."""
    return or_(
        *(
            and_(
                rows.c.scale_id == scale.id,
                rows.c.slot.between(
                    min(scale.slot(scale.top_box.low), scale.slot(scale.top_box.high)),
                    max(scale.slot(scale.top_box.low), scale.slot(scale.top_box.high)),
                ),
            )
            for scale in SCALES.values()
        )
    )


def _repeated(query: MetricQuery, handled: Standing) -> ColumnElement[bool]:
    """Another case of the same customer and cause within 7 days of the resolution."""
    other = cases.alias("other")
    return exists(
        select(literal(1)).where(
            other.c.tenant_id == cases.c.tenant_id,
            other.c.customer_ref == cases.c.customer_ref,
            other.c.case_id != cases.c.case_id,
            other.c.cause.is_not_distinct_from(cases.c.cause),
            other.c.opened_at > cases.c.opened_at,
            other.c.opened_at <= handled.last_resolved_at + literal(REPEATED_WITHIN),
            other.c.opened_at <= literal(query.as_of),
            other.c.ended_at.is_(None),
        )
    )


def _promoted(query: MetricQuery, handled: Standing) -> ColumnElement[bool]:
    """The customer later would recommend us: 9-10."""
    later = feedback.alias("promoted")
    return exists(
        select(literal(1)).where(
            later.c.tenant_id == cases.c.tenant_id,
            later.c.customer_ref == cases.c.customer_ref,
            later.c.measure == "nps",
            later.c["class"] == str(AnswerClass.POSITIVE),
            known_rows(later, query.known_at),
            credible(later),
            later.c.occurred_at > handled.last_resolved_at,
            later.c.occurred_at <= literal(query.as_of),
        )
    )


def _returned(query: MetricQuery, handled: Standing) -> ColumnElement[bool]:
    """The customer bought or came back within 90 days."""
    event, person = events_of("came_back"), event_personal.alias("who")
    return exists(
        select(literal(1)).where(
            person.c.tenant_id == cases.c.tenant_id,
            person.c.customer_ref == cases.c.customer_ref,
            event.c.tenant_id == person.c.tenant_id,
            event.c.event_id == person.c.event_id,
            event.c.type.in_(("transaction.completed", "customer.returned")),
            known_event(event, query),
            event.c.occurred_at > handled.last_resolved_at,
            event.c.occurred_at <= handled.last_resolved_at + literal(LOYAL_WITHIN),
            event.c.occurred_at <= literal(query.as_of),
        )
    )
