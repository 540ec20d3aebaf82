"""CSAT: the top-box share and the mean, two metrics that are not interchangeable (domain.md 4.2)."""

from __future__ import annotations

from typing import Any, Final

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


def _pair(
    prefix: str, title: str, term: str | None, what: str, measure: QuestionMeasure
) -> tuple[MetricDefinition, ...]:
    """Top-box share and mean of the answers to questions of one measure."""

    def counters(cell: Cell) -> Counters | None:
        return cell.counters(measure, CSAT_SCALES)

    def definition(name: str, **fields: Any) -> MetricDefinition:
        return MetricDefinition(
            id=f"{prefix}_{name}",
            original_term=term,
            better=Better.HIGHER,
            populations=(Population.FEEDBACK,),
            measure=measure,
            scale_ids=CSAT_SCALES,
            gates=PUBLICATION_GATES,
            is_score=True,
            **fields,
        )

    return (
        definition(
            "t2b",
            title=f"{title}, top-2-box",
            description=f"Share of satisfied answers{what}: the top box of the scale (4-5 of 5, 9-10 of 10).",
            formula="100 * top / n; Wilson interval",
            unit=Unit.PERCENT,
            compute=lambda cell: top_share(counters(cell)),
            compare=lambda now, before: compare_top(counters(now), counters(before)),
            parts=("top", "bottom"),
            score=TOP_SCORE,
        ),
        definition(
            "mean",
            title=f"{title}, mean",
            description=f"Mean satisfaction{what} on its own scale; another thing than the top box.",
            formula="sum / n; normal interval with the sample standard deviation",
            unit=Unit.SCORE,
            compute=lambda cell: mean_of(counters(cell)),
            compare=lambda now, before: compare_means(counters(now), counters(before)),
            parts=("sum",),
            score=MEAN_SCORE,
        ),
    )


CSAT: Final = (
    *_pair("csat", "CSAT", "CSAT", "", QuestionMeasure.CSAT),
    *_pair(
        "journey",
        "Whole journey",
        None,
        " to the question about the whole way, which no point of it can answer",
        QuestionMeasure.JOURNEY_OVERALL,
    ),
)
