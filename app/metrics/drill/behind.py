"""For each metric: which rows it counts, which of them are in its numerator, and what each row weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, true

from app.domain.measures.definition import Population
from app.domain.measures.silent_indices import NOT_OF_OFFICE, NOT_OF_STAFF
from app.domain.scales import QuestionMeasure
from app.metrics.populations.cases import EIGHT_WEEKS, FOUR_WEEKS, UPHELD
from app.metrics.populations.surveys import OUTCOMES

Holds = Callable[[Any], ColumnElement[bool]]
"""Columns of the population's rows -> a condition on them."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The rows of `population` that meet `base`; those that also meet `hit` are the numerator.

    `value` is the column that is shown of each. `equals` names what the rows come to: a column of the
    answer behind the metric's name ("n": `<metric>_n`, "": the metric itself). `adds` names the column that
    must be added up for that, where a row stands for many.
    """

    population: Population
    base: Holds = lambda _c: true()
    hit: Holds | None = None
    value: str | None = None
    equals: str = "n"
    adds: str | None = None


def _flag(name: str) -> Holds:
    return lambda c: c[name]


def _no(name: str) -> Holds:
    return lambda c: ~c[name]


def _of_class(*classes: str) -> Holds:
    return lambda c: and_(c.answer_weight == 1, c.answer_class.in_(classes))


def _volume(*kinds: str) -> Behind:
    return Behind(Population.VOLUME, lambda c: c.volume.in_(kinds), value="count", adds="count")


def _resolved(base: str, hit: str | None, value: str | None = None) -> Behind:
    return Behind(Population.CASES_RESOLVED, _flag(base), None if hit is None else _flag(hit), value)


def _timers(*states: str, hit: str | None = None) -> Behind:
    return Behind(
        Population.TIMERS, lambda c: or_(*(c[s] for s in states)), None if hit is None else _flag(hit)
    )


def _acts(measure: QuestionMeasure, excluded: tuple[str, ...] | None, hit: Holds) -> Behind:
    """Eligible acts: without confirmed force majeure and negatives of excluded causes (None: all acts)."""

    def base(c: Any) -> ColumnElement[bool]:
        wanted = [c.measure == str(measure), c.valid, c.outcome.in_(OUTCOMES)]
        if excluded is not None:
            foreign = and_(c.outcome == "negative", c.cause_root.in_(excluded), c.cause_root.is_not(None))
            wanted += [c.force_majeure.is_distinct_from("confirmed"), ~foreign]
        return and_(*wanted)

    return Behind(Population.SURVEYS, base, hit, "outcome")


def _checked(side: str) -> Behind:
    return Behind(
        Population.SURVEYS,
        lambda c: and_(c.qualification.in_(("valid", "invalid")), c.outcome == side),
        lambda c: c.qualification == "valid",
        "outcome",
    )


def _recommend(equals: str, *, negative: bool, outcomes: tuple[str, ...] = OUTCOMES) -> Behind:
    wanted = ("negative",) if negative else outcomes
    return Behind(
        Population.SURVEYS,
        lambda c: and_(c.measure == str(QuestionMeasure.RECOMMEND), c.valid, c.outcome.in_(wanted)),
        lambda c: c.outcome == "negative",
        "outcome",
        equals,
    )


def _customers(hit: str, population: Population, measure: QuestionMeasure | None = None) -> Behind:
    def base(c: Any) -> ColumnElement[bool]:
        return c.resolved if measure is None else and_(c.resolved, c.measure == str(measure))

    return Behind(population, base, _flag(hit))


_ANSWERED: Final = ("positive", "neutral", "negative", "unknown")
_CLASSED: Final = ("positive", "neutral", "negative")
_ACTS: Final = Behind(
    Population.FEEDBACK,
    lambda c: or_(c.item_weight == 1, and_(c.answer_weight == 1, c.answer_class == "silent")),
    value="answer_class",
    equals="survey_acts",
)
_POSITIVE: Final = _of_class("positive")
_SCORES: Final = Behind(
    Population.FEEDBACK,
    lambda c: and_(c.answer_weight == 1, c.answer_slot.is_not(None)),
    value="answer_class",
)
_GAPS: Final[Mapping[str, Behind]] = {
    f"{name}{outcome}": behind
    for name in ("paradox_delta", "resolved_delta")
    for outcome, behind in (
        ("", _customers("top", Population.CUSTOMERS, QuestionMeasure.CSAT)),
        ("_nps", _customers("promoters", Population.CUSTOMERS, QuestionMeasure.NPS)),
        ("_return", _customers("top", Population.COMEBACKS)),
    )
}

_SPECIAL: Final[Mapping[str, Behind]] = {
    "responses": Behind(Population.FEEDBACK, _of_class(*_ANSWERED), value="answer_class"),
    "feedback_count": Behind(Population.FEEDBACK, lambda c: c.item_weight == 1, value="answer_class"),
    "survey_acts": Behind(Population.FEEDBACK, _ACTS.base, value="answer_class"),
    "silent": Behind(Population.FEEDBACK, _of_class("silent"), value="answer_class"),
    "complaints": Behind(
        Population.FEEDBACK, lambda c: and_(c.item_weight == 1, c.is_complaint), value="answer_class"
    ),
    "happiness": Behind(Population.FEEDBACK, _of_class(*_CLASSED), _POSITIVE, "answer_class"),
    "happiness_without_neutral": Behind(
        Population.FEEDBACK, _of_class("positive", "negative"), _POSITIVE, "answer_class"
    ),
    "happiness_net": Behind(Population.FEEDBACK, _of_class(*_CLASSED), _POSITIVE, "answer_class"),
    "happiness_equal_channels": Behind(Population.FEEDBACK, _of_class(*_CLASSED), _POSITIVE, "answer_class"),
    "latent_negatives": Behind(Population.UNSOLICITED, _flag("is_negative")),
    "coverage": _ACTS,
    "precise_conversion": _ACTS,
    "surveys_per_transaction": _ACTS,
    "visitors": _volume("visitors"),
    "transactions": _volume("transactions"),
    "interactions": _volume("interactions"),
    "raw_conversion": _volume("visitors"),
    "contact_rate": _volume("transactions"),
    "cases_opened": Behind(Population.CASES_OPENED),
    "complaint_rate": Behind(Population.CASES_OPENED, _flag("complaint"), equals="complaints"),
    "unanswered_share": Behind(Population.CASES_OPENED, _flag("answerable"), _flag("unanswered")),
    "unanswered_overdue_share": Behind(Population.OVERDUE_CASES, _flag("answerable"), _flag("overdue")),
    "proactive_share": Behind(Population.CASES_OPENED, hit=_flag("proactive")),
    "cases_closed": Behind(Population.CASES_CLOSED),
    "closed_within_4_weeks": Behind(Population.CASES_CLOSED, lambda c: c.age <= FOUR_WEEKS),
    "closed_within_8_weeks": Behind(
        Population.CASES_CLOSED, lambda c: and_(c.age > FOUR_WEEKS, c.age <= EIGHT_WEEKS)
    ),
    "closed_after_8_weeks": Behind(Population.CASES_CLOSED, lambda c: c.age > EIGHT_WEEKS),
    "upheld_share": Behind(
        Population.CASES_CLOSED,
        lambda c: c.outcome.is_not(None),
        lambda c: c.outcome.in_(UPHELD),
        "outcome",
    ),
    "redress_paid": Behind(Population.CASES_CLOSED, value="net"),
    "cases_outstanding": Behind(Population.BACKLOG, value="age"),
    "cases_overdue": Behind(Population.BACKLOG, _flag("late"), value="age"),
    "backlog_age_median": Behind(Population.BACKLOG, hit=_flag("late"), value="age"),
    "backlog_age_p90": Behind(Population.BACKLOG, hit=_flag("late"), value="age"),
    **{
        f"{name}_{word}": Behind(population, hit=_flag("over"), value="seconds")
        for name, population in (
            ("first_response", Population.RESPONSES),
            ("resolution", Population.RESOLUTIONS),
        )
        for word in ("median", "p90")
    },
    "reopen_rate": Behind(Population.CASES_RESOLVED, hit=_flag("reopened")),
    "fcr": _resolved("resolved", "once"),
    "fcr_net": _resolved("first_level", "once_first_level"),
    "fcr_confirmed": _resolved("answered", "confirmed"),
    "recovery_rate": _resolved("answered", "recovered"),
    "double_deviation_rate": _resolved("evaluable", "failed"),
    "loyalty_conversion": _resolved("complainers", "loyal"),
    "cost_per_resolved": _resolved("resolved", None, "net"),
    "cost_per_compensated": _resolved("compensated", None, "net"),
    "sla_attainment": _timers("met", "closed_late", "open_overdue", hit="met"),
    "sla_met": _timers("met"),
    "sla_breached": _timers("closed_late", "open_overdue"),
    "closed_late": _timers("closed_late"),
    "open_overdue": _timers("open_overdue"),
    "sla_attainment_cases": Behind(Population.TIMED_CASES, lambda c: or_(c.met, c.breached), _flag("met")),
    "repeat_feedback_ratio": Behind(Population.RETURNING, hit=_flag("again")),
    **_GAPS,
    "late_share": Behind(Population.ORDERS, hit=_flag("late"), value="gap"),
    "expectation_gap_median": Behind(Population.ORDERS, lambda c: c.gap.is_not(None), value="gap"),
    "proactive_notice_rate": Behind(Population.ORDERS, _flag("delayed"), _flag("told"), "gap"),
    "reviews_answered_share": Behind(Population.REVIEWS, hit=_flag("answered")),
    "reviews_unanswered_share": Behind(Population.REVIEWS, hit=_no("answered")),
    "reviews_overdue_share": Behind(Population.OVERDUE_REVIEWS, hit=_flag("overdue")),
    "displayed_rating": Behind(Population.DISPLAYED, lambda c: c.age == 1, value="value", equals="sites"),
    "ink_personal": _acts(QuestionMeasure.STAFF, NOT_OF_STAFF, lambda c: c.outcome == "negative"),
    "ink_office": _acts(QuestionMeasure.OFFICE, NOT_OF_OFFICE, lambda c: c.outcome == "negative"),
    "iel": _acts(QuestionMeasure.RECOMMEND, None, lambda c: c.outcome == "positive"),
    "iel_2013": _recommend("n", negative=False, outcomes=_CLASSED),
    "fm_level": Behind(
        Population.SURVEYS,
        lambda c: and_(c.valid, c.outcome.in_(OUTCOMES)),
        lambda c: c.force_majeure == "confirmed",
        "outcome",
    ),
    "reliability_positive": _checked("positive"),
    "reliability_negative": _checked("negative"),
    "negative_per_contact": _recommend("n", negative=False),
    "negative_per_visitor": _recommend("negative", negative=True),
    "negative_per_transaction": _recommend("negative", negative=True),
}


def behind(metric_id: str, *, by_question: bool = False) -> Behind:
    """What lies behind a metric: its own entry, else the answers with a score.

    `by_question`: an item counts at each question that it answers (see `is_by_question`).
    """
    if by_question and metric_id == "survey_acts":
        return Behind(Population.FEEDBACK, _of_class(*_ANSWERED, "silent"), value="answer_class")
    return _SPECIAL.get(metric_id, _SCORES)
