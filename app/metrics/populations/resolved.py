"""Cases by their final resolution and what came of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.selectable import LateralFromClause

from app.db.tables.cases import cases
from app.db.tables.feedback import feedback
from app.domain.case.outcome import BROKEN_PROMISES, Trigger
from app.domain.measures.recovered import ResolvedCases
from app.domain.scales import SCALES, AnswerClass
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.belonging import belongs_to_case
from app.metrics.populations.comebacks import came_back, customer_did
from app.metrics.populations.compensation import compensation
from app.metrics.populations.counting import counted
from app.metrics.populations.standing import Standing, counts_at, happened, standing
from app.metrics.query import MetricQuery
from app.metrics.repeats import credible
from app.metrics.shape import INSTANT, bucket_of, group_columns, group_names, identity, known_rows, rows_of

REOPENED_WITHIN: Final = timedelta(days=14)
REPEATED_WITHIN: Final = timedelta(days=7)
RESOLVED_FLAGS: Final = tuple(name for name in ResolvedCases._fields if name not in ("spent", "currencies"))
FAILED_AGAIN: Final = frozenset(Trigger) - BROKEN_PROMISES
"""Ways in which the handling failed the customer a second time; missed promises are told apart."""
LOYALTY: Final = "loyalty_conversion"
RESURVEYS: Final = ("resurvey", "csat")


def count_resolved(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Cases by their (last) resolution, with all that recovery is judged by."""
    rows = list_resolved(query, period, facts)
    return counted(rows, query, **{name: rows.c[name] for name in RESOLVED_FLAGS}).add_columns(
        func.coalesce(func.sum(rows.c.net), 0).label("spent"),
        func.count(rows.c.currency.distinct()).label("currencies"),
    )


def list_resolved(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The cases that `count_resolved` counts, with a column for each of RESOLVED_FLAGS."""
    found = _looked_up(query, period, facts).c
    # whoever was discontent had the case reopened by that: left out, the rate would count the content alone
    answered = found.answer_class.in_(("positive", "neutral", "negative"))
    once = and_(found.resolved, ~found.reopened, ~found.contacted, ~found.repeated)
    first_level = and_(found.resolved, ~found.escalated)
    known = and_(found.resolved, found.known)
    failed = or_(found.reopened, and_(answered, found.answer_class == "negative"), found.failed_again)
    flags = {
        "resolved": found.resolved,
        "reopened_open": ~found.resolved,
        "reopened": found.reopened,
        "provisional": found.provisional,
        "once": once,
        "first_level": first_level,
        "once_first_level": and_(once, first_level),
        "answered": answered,
        "recovered": and_(answered, found.is_top),
        "confirmed": and_(once, answered, found.is_top),
        "silent": found.answer_class == "silent",
        "evaluable": or_(answered, found.reopened, found.failed_again),
        "failed": failed,
        "promise_missed": found.promise_missed,
        "compensated": and_(found.resolved, found.net > 0),
        "complainers": known,
        "loyal": and_(known, or_(found.promoter, found.returned, found.joined)),
        "promoters": and_(known, found.promoter),
        "repurchased": and_(known, found.returned),
        "joined": and_(known, found.joined),
    }
    return select(
        *(found[name] for name in (*group_names(query), "row_id", "row_at", "net", "currency")),
        *(flags[name].label(name) for name in RESOLVED_FLAGS),
    ).subquery("resolved_cases")


def _looked_up(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """What must be looked up of each case, behind OFFSET 0: each look-up once, however many flags read it."""
    as_of = literal(query.as_of)
    handled = standing(query.as_of)
    paid, asked = compensation(query, facts), _resurvey(query, facts, handled)
    resolved, at = handled.resolved_at.is_not(None), handled.last_resolved_at
    due_missed = cases.c.promised_due_at < func.coalesce(handled.resolved_at, as_of)
    columns = {
        "resolved": resolved,
        "reopened": handled.reopenings > 0,
        "provisional": at > as_of - literal(REOPENED_WITHIN),
        "contacted": happened("case.customer_contacted", query, facts),
        "repeated": _repeated(query, handled),
        "escalated": happened("case.escalated", query, facts),
        "failed_again": _deviated(FAILED_AGAIN, query),
        "promise_missed": or_(due_missed, _deviated(BROKEN_PROMISES, query)),
        "known": cases.c.customer_ref.is_not(None),
        **_loyalty(query, at),
        "answer_class": asked.c.answer_class,
        "is_top": asked.c.is_top,
        "net": case((resolved, paid.c.net)),
        "currency": case((resolved, paid.c.currency)),
    }
    return (
        select(
            *group_columns(cases, bucket_of(at, query), query),
            *identity(cases.c.case_id, at),
            *(column.label(name) for name, column in columns.items()),
        )
        .select_from(cases.outerjoin(handled.cycles, true()).join(paid, true()).outerjoin(asked, true()))
        .where(rows_of(cases, at, query, period, facts), counts_at(query.as_of))
        .offset(0)
        .subquery("looked_up")
    )


def _loyalty(query: MetricQuery, at: ColumnElement[Any]) -> dict[str, ColumnElement[bool]]:
    """What the customers did afterwards; nobody looks it up for metrics that do not ask."""
    if all(metric.id != LOYALTY for metric in query.metrics):
        return dict.fromkeys(("promoter", "returned", "joined"), literal(False))
    return {
        "promoter": _promoted(query, at),
        "returned": came_back(cases.c, at, query),
        "joined": customer_did(("customer.enrolled",), cases.c, query, at),
    }


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


def _promoted(query: MetricQuery, at: ColumnElement[Any]) -> ColumnElement[bool]:
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
            later.c.occurred_at > at,
            later.c.occurred_at <= literal(query.as_of),
        )
    )


def _deviated(triggers: Collection[Trigger], query: MetricQuery) -> ColumnElement[bool]:
    """The handling failed again in one of these ways by as_of, as the case was folded."""
    element = func.jsonb_array_elements(cases.c.deviations).table_valued("value").render_derived()
    deviation: ColumnElement[Any] = cast(element.c.value, JSONB)
    return exists(
        select(literal(1))
        .select_from(element)
        .where(
            deviation["trigger"].astext.in_(sorted(str(trigger) for trigger in triggers)),
            cast(deviation["at"].astext, INSTANT) <= literal(query.as_of),
        )
    )
