"""Feedback counted from its rows: which versions count, in which histogram column, whose answer stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, assert_never

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    true,
)

from app.db.tables.feedback import feedback
from app.db.tables.metrics import COUNTER_COLUMNS, HISTOGRAM_COLUMNS
from app.domain.measures.definition import Dimension, MetricDefinition, Population
from app.domain.scales import SCALES, AnswerClass
from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.query import MetricQuery
from app.metrics.repeats import credible, is_first_press, stands
from app.metrics.schemas import Respondents
from app.metrics.shape import (
    bucket_of,
    group_columns,
    group_names,
    identity,
    known_rows,
    rows_of,
    stored_bucket_of,
)

COMPLAINT: Final = "complaint"
_OF_ANSWERS: Final = (Dimension.QUESTION, Dimension.MEASURE, Dimension.SCALE_ID)

# A labelled text has a class but no score: its class is its histogram column.
_SLOT_OF_CLASS: Final = {AnswerClass.NEGATIVE: 0, AnswerClass.NEUTRAL: 1, AnswerClass.POSITIVE: 2}


def _readers(query: MetricQuery) -> list[MetricDefinition]:
    """The metrics of the query that read answers."""
    answers = {Population.FEEDBACK, Population.CHANNELS}
    return [metric for metric in query.metrics if answers.intersection(metric.populations)]


def wanted_answers(rows: FromClause, query: MetricQuery) -> ColumnElement[bool]:
    """The answers that some metric of the query reads: of its measure, on one of its scales."""
    metrics = _readers(query)
    if any(metric.measure is None for metric in metrics):
        return true()
    measures = sorted({str(metric.measure) for metric in metrics})
    scale_ids = sorted({scale_id for metric in metrics for scale_id in metric.scale_ids})
    return and_(rows.c.measure.in_(measures), rows.c.scale_id.in_(scale_ids))


def wanted_counters(query: MetricQuery) -> tuple[str, ...]:
    """The counters that the query's metrics read; a score needs its histogram only."""
    metrics = _readers(query)
    if any(metric.measure is None for metric in metrics):
        return COUNTER_COLUMNS
    longest = max(SCALES[scale_id].slot_count for metric in metrics for scale_id in metric.scale_ids)
    return HISTOGRAM_COLUMNS[:longest]


def weighed(
    rows: FromClause, weight: ColumnElement[int], counts: ColumnElement[bool] | None = None
) -> list[ColumnElement[Any]]:
    """What `sums` reads of one feedback row.

    `weight` is +1, or -1 for a version that ended; where `counts` is false the answer is replaced by a
    later one of the same customer, while its item still stands.
    """
    by_class = case({str(name): slot for name, slot in _SLOT_OF_CLASS.items()}, value=rows.c["class"])
    answered = and_(rows.c.answer_index == 0, rows.c["class"] != str(AnswerClass.SILENT))
    answer_weight = weight if counts is None else case((counts, weight), else_=0)
    return [
        rows.c.measure.label("measure"),
        rows.c.scale_id.label("scale_id"),
        func.coalesce(rows.c.slot, by_class, type_=SmallInteger).label("answer_slot"),
        rows.c["class"].label("answer_class"),
        answer_weight.label("answer_weight"),
        case((answered, weight), else_=0).label("item_weight"),
        (rows.c.kind == COMPLAINT).label("is_complaint"),
    ]


def is_by_question(query: MetricQuery) -> bool:
    """True where answers are told apart by what was asked: an item then counts at each question."""
    refs = [*query.group_by, *(condition.ref for condition in query.conditions)]
    return any(ref.dimension in _OF_ANSWERS for ref in refs)


def sums(rows: FromClause, names: Sequence[str], *, by_question: bool = False) -> list[ColumnElement[Any]]:
    """The named counters, summed over rows of `weighed` columns; see `is_by_question`."""

    def of_answers(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, rows.c.answer_weight), else_=0))

    all_sums = {
        **{name: of_answers(rows.c.answer_slot == slot) for slot, name in enumerate(HISTOGRAM_COLUMNS)},
        "unknown": of_answers(rows.c.answer_class == str(AnswerClass.UNKNOWN)),
        "silent": of_answers(rows.c.answer_class == str(AnswerClass.SILENT)),
        "items": of_answers(rows.c.answer_class != str(AnswerClass.SILENT))
        if by_question
        else func.sum(rows.c.item_weight),
        "complaints": func.sum(case((rows.c.is_complaint, rows.c.item_weight), else_=0)),
    }
    # int4, as in the cuboids: a sum over bigint would be numeric, which is slow and no integer.
    return [cast(all_sums[name], Integer).label(name) for name in names]


def feedback_keys(query: MetricQuery, *, stored: bool) -> list[ColumnElement[Any]]:
    """Bucket and dimensions of a feedback row; `stored`: as cuboids write them."""
    bucket = (stored_bucket_of if stored else bucket_of)(feedback.c.occurred_at, query)
    return group_columns(feedback, bucket, query, null_is_empty=stored)


def count_rows(
    query: MetricQuery, period: Period, facts: TenantFacts, *, stored: bool = False
) -> Select[Any]:
    """Counters by group from the current rows, with the rules of who counts; `stored`: see the keys."""
    return summed(list_answers(query, period, facts, stored=stored), query)


def list_answers(query: MetricQuery, period: Period, facts: TenantFacts, *, stored: bool = False) -> Subquery:
    """The answers that `count_rows` counts, weighed."""
    weight: ColumnElement[int] = literal(1)
    counts = None
    if query.respondents is Respondents.LATEST_PER_CUSTOMER:
        weight = case((_rank_of_customer() == 1, 1), else_=0)
    elif query.respondents is Respondents.FIRST_PER_CASE:
        weight = case((_rank_in_case() == 1, 1), else_=0)
    if facts.relational:
        counts = stands(facts.relational, query.known_at)
    pressed = is_first_press(query.known_at) if facts.presses else true()
    return (
        select(
            *feedback_keys(query, stored=stored),
            *identity(feedback.c.feedback_id, feedback.c.occurred_at),
            *weighed(feedback, weight, counts),
        )
        .where(
            known_rows(feedback, query.known_at),
            rows_of(feedback, feedback.c.occurred_at, query, period, facts),
            credible(feedback),
            pressed,
            wanted_answers(feedback, query),
        )
        .subquery("answers")
    )


def summed(rows: FromClause, query: MetricQuery) -> Select[Any]:
    """Weighed rows summed by group, measure and scale."""
    keys = [rows.c[name] for name in (*group_names(query), "measure", "scale_id")]
    return select(*keys, *sums(rows, wanted_counters(query), by_question=is_by_question(query))).group_by(
        *keys
    )


def of_respondents(rows: Select[Any], query: MetricQuery, name: str, *apart: ColumnElement[Any]) -> Subquery:
    """The rows, a SELECT from the answers, of the respondents whose answers count; `apart`: ranked alone."""
    match query.respondents:
        case Respondents.ALL:
            return rows.subquery(name)
        case Respondents.LATEST_PER_CUSTOMER:
            rank = _rank_of_customer(*apart)
        case Respondents.FIRST_PER_CASE:
            rank = _rank_in_case(*apart)
        case _:
            assert_never(query.respondents)
    ranked = rows.add_columns(rank.label("turn")).subquery("ranked")
    return select(ranked).where(ranked.c.turn == 1).subquery(name)


def _rank_of_customer(*apart: ColumnElement[Any]) -> ColumnElement[int]:
    """1 for the latest answer of each customer to each question; who is unknown stands alone."""
    nobody = case((feedback.c.customer_ref.is_(None), feedback.c.feedback_id))
    return func.row_number().over(
        partition_by=[feedback.c.customer_ref, nobody, feedback.c.question, *apart],
        order_by=[
            feedback.c["class"] == str(AnswerClass.SILENT),
            feedback.c.occurred_at.desc(),
            feedback.c.feedback_id.desc(),
        ],
    )


def _rank_in_case(*apart: ColumnElement[Any]) -> ColumnElement[int]:
    """1 for the first answer to each question about each subject (a case, an interaction)."""
    alone = case((feedback.c.subject_id.is_(None), feedback.c.feedback_id))
    return func.row_number().over(
        partition_by=[feedback.c.subject_id, alone, feedback.c.question, *apart],
        order_by=[
            feedback.c["class"] == str(AnswerClass.SILENT),
            feedback.c.occurred_at,
            feedback.c.feedback_id,
        ],
    )
