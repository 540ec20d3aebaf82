"""Answers to key questions by outcome, excuse, cause and the expert's verdict; unsolicited negatives."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Text,
    and_,
    case,
    func,
    literal,
    select,
    true,
)

from app.db.tables.feedback import feedback
from app.domain.measures.definition import Population
from app.domain.measures.survey_shares import KEY_QUESTIONS
from app.domain.measures.surveys import CAUSE_ROOTS
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.feedback_counts import of_respondents
from app.metrics.populations.counting import counted, keys_of
from app.metrics.query import MetricQuery
from app.metrics.repeats import credible, is_first_press, stands
from app.metrics.shape import bucket_of, group_columns, identity, known_rows, rows_of

OUTCOMES: Final = ("positive", "neutral", "negative", "silent")
UNASKED: Final = ("passive", "scraped")


def count_surveys(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Acts of the key questions that the query's metrics read, by measure and type of location."""
    rows = list_acts(query, period, facts)
    keys = [*keys_of(rows, query), rows.c.measure]
    if query.terms.silent.location_types:
        keys.append(rows.c.location_type)
    valid, confirmed = rows.c.valid, rows.c.force_majeure == "confirmed"
    counts: dict[str, ColumnElement[bool]] = {
        **{name: and_(valid, rows.c.outcome == name) for name in OUTCOMES},
        **{f"fm_{name}": and_(valid, confirmed, rows.c.outcome == name) for name in OUTCOMES},
        "claimed": and_(valid, rows.c.force_majeure == "claimed"),
        "invalid": ~valid,
        **{
            f"cause_{root}": and_(
                valid,
                rows.c.outcome == "negative",
                rows.c.cause_root == root,
                rows.c.force_majeure.is_distinct_from("confirmed"),
            )
            for root in CAUSE_ROOTS
        },
        **{
            f"checked_{name}": and_(rows.c.qualification.in_(("valid", "invalid")), rows.c.outcome == name)
            for name in ("positive", "negative")
        },
        **{
            f"ok_{name}": and_(rows.c.qualification == "valid", rows.c.outcome == name)
            for name in ("positive", "negative")
        },
    }
    counters = [func.count().filter(condition).label(name) for name, condition in counts.items()]
    return select(*keys, *counters).select_from(rows).group_by(*keys)


def list_acts(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The acts that `count_surveys` counts, valid or not."""
    measures = {
        measure
        for metric in query.metrics
        if Population.SURVEYS in metric.populations
        for measure in ((metric.measure,) if metric.measure else KEY_QUESTIONS)
    }
    valid = func.coalesce(credible(feedback), true())
    rows = select(
        *group_columns(feedback, bucket_of(feedback.c.occurred_at, query), query),
        *identity(feedback.c.feedback_id, feedback.c.occurred_at),
        feedback.c.measure,
        feedback.c["class"].label("outcome"),
        valid.label("valid"),
        feedback.c.force_majeure,
        feedback.c.qualification,
        func.split_part(feedback.c.cause, ".", 1, type_=Text).label("cause_root"),
        *_location_type(query),
    ).where(
        *_counting(feedback, query, period, facts),
        feedback.c.measure.in_(sorted(str(measure) for measure in measures)),
    )
    return of_respondents(rows, query, "acts", valid)  # what was found invalid takes nobody's turn


def _location_type(query: MetricQuery) -> list[ColumnElement[str]]:
    """The type of the act's location, where the tenant's terms tell types apart."""
    types = query.terms.silent.location_types
    if not types:
        return []
    named = [(feedback.c.location.in_(told.locations), literal(name)) for name, told in types.items()]
    return [case(*named, else_=literal("")).label("location_type")]


def count_unsolicited(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Negative feedback items that nobody asked for: pressed, written or published of the customer's own."""
    rows = list_unsolicited(query, period, facts)
    return counted(rows, query, unsolicited=rows.c.is_negative)


def list_unsolicited(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The feedback items that `count_unsolicited` counts, of every class."""
    unasked = select(
        *group_columns(feedback, bucket_of(feedback.c.occurred_at, query), query),
        *identity(feedback.c.feedback_id, feedback.c.occurred_at),
        (feedback.c["class"] == "negative").label("is_negative"),
    ).where(
        *_counting(feedback, query, period, facts),
        credible(feedback),
        feedback.c.answer_index == 0,
        feedback.c.collection_mode.in_(UNASKED),
    )
    return of_respondents(unasked, query, "unasked")


def _counting(
    rows: FromClause, query: MetricQuery, period: Period, facts: TenantFacts
) -> list[ColumnElement[bool]]:
    wanted = [
        known_rows(rows, query.known_at),
        rows_of(rows, rows.c.occurred_at, query, period, facts),
        rows.c["class"] != literal("unknown"),
    ]
    if facts.relational:
        wanted.append(stands(facts.relational, query.known_at))
    if facts.presses:
        wanted.append(is_first_press(query.known_at))
    return wanted
