"""What stands beside the silent indices: force majeure, the expert's verdict, negatives per contact."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison, compare_counts
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.shares import Share, share_metric
from app.domain.measures.silent_indices import iel_2013
from app.domain.measures.surveys import ExpertReview, SurveyCounts
from app.domain.measures.values import MetricValue, no_value, status_of
from app.domain.scales import QuestionMeasure

KEY_QUESTIONS: Final = (QuestionMeasure.STAFF, QuestionMeasure.OFFICE, QuestionMeasure.RECOMMEND)


def _key_counts(cell: Cell) -> list[SurveyCounts]:
    return [cell.surveys[measure] for measure in KEY_QUESTIONS if measure in cell.surveys]


def _force_majeure(cell: Cell) -> Share | None:
    counts = _key_counts(cell)
    if not counts:
        return None
    return sum(item.force_majeure.n for item in counts), sum(item.acts.n for item in counts)


def _review(cell: Cell) -> ExpertReview | None:
    counts = _key_counts(cell)
    if not counts:
        return None
    return reduce(
        lambda a, b: ExpertReview(*(x + y for x, y in zip(a, b, strict=True))), (c.review for c in counts)
    )


def _reliability(side: str) -> MetricDefinition:
    def share(cell: Cell) -> Share | None:
        review = _review(cell)
        if review is None:
            return None
        return getattr(review, f"ok_{side}"), getattr(review, f"checked_{side}")

    return share_metric(
        f"reliability_{side}",
        f"Reliability of {side} answers",
        "Share of the answers that the independent expert checked and found credible; 90 % of at least 50.",
        "100 * credible / checked; Wilson interval",
        Population.SURVEYS,
        share,
        lambda cell: {"credible": (share(cell) or (None, None))[0]},
        ("credible",),
    )


def _negatives(cell: Cell) -> int | None:
    found = cell.surveys.get(QuestionMeasure.RECOMMEND)
    return None if found is None else found.acts.negative


def _contacts(cell: Cell) -> int | None:
    found = cell.surveys.get(QuestionMeasure.RECOMMEND)
    return None if found is None else found.acts.n


def _visitors(cell: Cell) -> int | None:
    return None if cell.volumes is None else cell.volumes.visitors


def _transactions(cell: Cell) -> int | None:
    return None if cell.volumes is None else cell.volumes.transactions


def _negative_per(what: str, exposure: Callable[[Cell], int | None], *, joined: bool) -> MetricDefinition:
    def compute(cell: Cell) -> MetricValue:
        negative, n = _negatives(cell), exposure(cell)
        parts = {"negative": negative, f"{what}s": n}
        if negative is None or not n:
            return no_value(parts, f"no_{what}s" if not n else "no_answers")
        return MetricValue(100 * negative / n, n, status=status_of(n), parts=parts)

    def compare(now: Cell, before: Cell) -> Comparison:
        return compare_counts(compute(now).value, compute(before).value)

    return MetricDefinition(
        id=f"negative_per_{what}",
        title=f"Negative answers per {what}",
        description="Negative answers to the recommendation question, by what they are measured against; "
        "a ratio of red to green presses must not drive bonuses, this may.",
        formula=f"100 * negative / {what}s",
        unit=Unit.PERCENT,
        better=Better.LOWER,
        populations=(Population.SURVEYS, Population.VOLUME) if joined else (Population.SURVEYS,),
        compute=compute,
        compare=compare,
        parts=("negative", f"{what}s"),
        measure=QuestionMeasure.RECOMMEND,
    )


def _iel_2013(cell: Cell) -> MetricValue:
    found = cell.surveys.get(QuestionMeasure.RECOMMEND)
    value = None if found is None else iel_2013(found.acts)
    if found is None or value is None:
        return no_value({"positive": None, "negative": None})
    parts = {"positive": found.acts.positive, "negative": found.acts.negative}
    n = found.acts.answered
    return MetricValue(100 * value, n, status=status_of(n), parts=parts)


SURVEY_SHARES: Final = (
    share_metric(
        "fm_level",
        "Force majeure level",
        "Share of survey acts in which an expert confirmed force majeure; required in an audit.",
        "100 * confirmed force majeure / survey acts; Wilson interval",
        Population.SURVEYS,
        _force_majeure,
        lambda cell: {
            "confirmed": (_force_majeure(cell) or (None, None))[0],
            "claimed": sum(item.claimed for item in _key_counts(cell)),
        },
        ("confirmed", "claimed"),
        better=Better.LOWER,
        original_term="Уровень форс-мажора",
    ),
    _reliability("positive"),
    _reliability("negative"),
    _negative_per("visitor", _visitors, joined=True),
    _negative_per("contact", _contacts, joined=False),
    _negative_per("transaction", _transactions, joined=True),
    MetricDefinition(
        id="iel_2013",
        title="Loyalty index of 2013",
        original_term="ИЭЛ (2013)",
        description="The earlier index, without the silent; behind the gates of its successor.",
        formula="100 * (positive - negative) / answered",
        unit=Unit.PERCENT,
        better=Better.HIGHER,
        populations=(Population.SURVEYS,),
        compute=_iel_2013,
        compare=lambda now, before: compare_counts(_iel_2013(now).value, _iel_2013(before).value),
        parts=("positive", "negative"),
        measure=QuestionMeasure.RECOMMEND,
        off_by_default=True,
        keeps_modes_apart=True,
    ),
)
