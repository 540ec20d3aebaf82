"""CES: how easy it was to have a problem handled, asked after its resolution (domain.md 4.3)."""

from __future__ import annotations

from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, compare_means, compare_shares
from app.domain.measures.counters import Counters
from app.domain.measures.csat import mean_of
from app.domain.measures.definition import (
    PUBLICATION_GATES,
    Better,
    MetricDefinition,
    Population,
    Unit,
)
from app.domain.measures.scores import MEAN_SCORE, POSITIVE_SCORE
from app.domain.measures.values import MetricValue, scored_value
from app.domain.scales import QuestionMeasure

CES_SCALES: Final = ("ces2_1_7", "ces_ease_1_5", "ces1_effort_1_5")


def _counters(cell: Cell) -> Counters | None:
    return cell.counters(QuestionMeasure.CES, CES_SCALES)


def easy_share(counters: Counters | None) -> MetricValue:
    """Percent of answers that call it easy; the effort scale of 2010 is turned round first."""
    return scored_value(POSITIVE_SCORE, counters, ("easy", "hard"))


def compare_easy(now: Counters | None, before: Counters | None) -> Comparison:
    """Change of the easy share in percentage points."""
    if now is None or before is None:
        return NOT_COMPARABLE
    return compare_shares(now.positive, now.n, before.positive, before.n)


CES: Final = (
    MetricDefinition(
        id="ces_mean",
        title="Customer effort score, mean",
        original_term="CES",
        description="Mean ease on its own scale, the higher the easier; version 1 is never mixed with 2.",
        formula="sum / n (effort 1..5 enters as 6 - x); normal interval",
        unit=Unit.SCORE,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: mean_of(_counters(cell)),
        compare=lambda now, before: compare_means(_counters(now), _counters(before)),
        parts=("sum",),
        score=MEAN_SCORE,
        measure=QuestionMeasure.CES,
        scale_ids=CES_SCALES,
        gates=PUBLICATION_GATES,
        is_score=True,
    ),
    MetricDefinition(
        id="ces_easy",
        title="Customer effort score, share of easy",
        original_term="CES",
        description="Share of answers that call the handling easy (5-7 of 7, 4-5 of 5).",
        formula="100 * easy / n; Wilson interval",
        unit=Unit.PERCENT,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: easy_share(_counters(cell)),
        compare=lambda now, before: compare_easy(_counters(now), _counters(before)),
        parts=("easy", "hard"),
        score=POSITIVE_SCORE,
        measure=QuestionMeasure.CES,
        scale_ids=CES_SCALES,
        gates=PUBLICATION_GATES,
        is_score=True,
    ),
)
