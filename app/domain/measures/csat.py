"""CSAT: the top-box share and the mean, two metrics that are not interchangeable (domain.md 4.2)."""

from __future__ import annotations

from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, compare_means, compare_shares
from app.domain.measures.counters import Counters
from app.domain.measures.definition import (
    PUBLICATION_GATES,
    Better,
    MetricDefinition,
    Population,
    Unit,
)
from app.domain.measures.scores import MEAN_SCORE, TOP_SCORE
from app.domain.measures.values import MetricValue, scored_value
from app.domain.scales import QuestionMeasure

CSAT_SCALES: Final = (
    "csat_1_5",
    "csat_1_7",
    "csat_1_10",
    "smiley_4",
    "stars_1_5",
    "stars_half",
    "button_3",
    "binary",
)


def _counters(cell: Cell) -> Counters | None:
    return cell.counters(QuestionMeasure.CSAT, CSAT_SCALES)


def top_share(counters: Counters | None) -> MetricValue:
    """Percent of answers in the scale's top box, Wilson interval."""
    return scored_value(TOP_SCORE, counters, ("top", "bottom"))


def mean_of(counters: Counters | None) -> MetricValue:
    """Mean score, normal interval with the sample standard deviation."""
    return scored_value(MEAN_SCORE, counters, ("sum",))


def compare_top(now: Counters | None, before: Counters | None) -> Comparison:
    """Change of a top-box share in percentage points."""
    if now is None or before is None:
        return NOT_COMPARABLE
    return compare_shares(now.top, now.n, before.top, before.n)


CSAT: Final = (
    MetricDefinition(
        id="csat_t2b",
        title="CSAT, top-2-box",
        original_term="CSAT",
        description="Share of satisfied answers: the top box of the scale (4-5 of 5, 6-7 of 7, 9-10 of 10).",
        formula="100 * top / n; Wilson interval",
        unit=Unit.PERCENT,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: top_share(_counters(cell)),
        compare=lambda now, before: compare_top(_counters(now), _counters(before)),
        parts=("top", "bottom"),
        score=TOP_SCORE,
        measure=QuestionMeasure.CSAT,
        scale_ids=CSAT_SCALES,
        gates=PUBLICATION_GATES,
        is_score=True,
    ),
    MetricDefinition(
        id="csat_mean",
        title="CSAT, mean",
        original_term="CSAT",
        description="Mean satisfaction on its own scale; not interchangeable with the top-2-box share.",
        formula="sum / n; normal interval with the sample standard deviation",
        unit=Unit.SCORE,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: mean_of(_counters(cell)),
        compare=lambda now, before: compare_means(_counters(now), _counters(before)),
        parts=("sum",),
        score=MEAN_SCORE,
        measure=QuestionMeasure.CSAT,
        scale_ids=CSAT_SCALES,
        gates=PUBLICATION_GATES,
        is_score=True,
    ),
)
