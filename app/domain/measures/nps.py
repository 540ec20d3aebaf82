"""NPS: the share of 9-10 minus the share of 0-6, with the adjusted-Wald interval (domain.md 4.1)."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

from app.domain.measures import bounds
from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, verdict_of
from app.domain.measures.counters import Counters
from app.domain.measures.definition import (
    PUBLICATION_GATES,
    Better,
    MetricDefinition,
    Population,
    Unit,
)
from app.domain.measures.scores import NPS_SCORE
from app.domain.measures.statistics import Z_95, Interval, SignificanceTest, normal_test
from app.domain.measures.values import MetricValue, scored_value
from app.domain.scales import QuestionMeasure

_PSEUDO_END: Final = 0.75
_PSEUDO_MIDDLE: Final = 1.5


class Spread(NamedTuple):
    """Mean and variance of the per-answer score +1, 0, -1, and the (pseudo) number of answers."""

    score: float
    variance: float
    n: float

    @property
    def error(self) -> float:
        return sqrt(self.variance / self.n)


def spread(promoters: float, passives: float, detractors: float) -> Spread:
    """Shares p and d of n answers: score p - d, variance p + d - (p - d)^2. n > 0."""
    n = promoters + passives + detractors
    p, d = promoters / n, detractors / n
    return Spread(p - d, p + d - (p - d) ** 2, n)


def adjusted(promoters: int, passives: int, detractors: int) -> Spread:
    """The spread after adding 0.75 promoter, 1.5 passive and 0.75 detractor (Rocks 2016)."""
    return spread(promoters + _PSEUDO_END, passives + _PSEUDO_MIDDLE, detractors + _PSEUDO_END)


def adjusted_wald(promoters: int, passives: int, detractors: int) -> Interval:
    """The interval that is published, in points, clipped to -100..100."""
    low, high = bounds.adjusted_wald(promoters, detractors, promoters + passives + detractors)
    return Interval(100 * low, 100 * high)


def wald_margin(promoters: int, passives: int, detractors: int) -> float:
    """Half of the plain Wald interval, in points; 0 when every answer is the same."""
    return 100 * Z_95 * spread(promoters, passives, detractors).error


def difference_test(now: Spread, before: Spread) -> SignificanceTest:
    """z test of two scores; of adjusted spreads in publication, of plain ones for comparison."""
    return normal_test(now.score - before.score, sqrt(now.error**2 + before.error**2))


def nps_of(counters: Counters | None) -> MetricValue:
    """NPS of answers on a 0-10 (or 1-10) scale, in points."""
    return scored_value(NPS_SCORE, counters, _PARTS)


def compare_nps(now: Counters | None, before: Counters | None) -> Comparison:
    """Difference of the shown scores; interval and p value from the adjusted ones."""
    if now is None or before is None or now.n == 0 or before.n == 0:
        return NOT_COMPARABLE
    shown = 100 * (spread(*now.by_class()).score - spread(*before.by_class()).score)
    spread_now, spread_before = adjusted(*now.by_class()), adjusted(*before.by_class())
    centre = 100 * (spread_now.score - spread_before.score)
    half = 100 * Z_95 * sqrt(spread_now.error**2 + spread_before.error**2)
    p_value = difference_test(spread_now, spread_before).p_value
    return Comparison(
        difference=shown,
        interval=Interval(max(-200.0, centre - half), min(200.0, centre + half)),
        p_value=p_value,
        verdict=verdict_of(centre, p_value, now.n, before.n),
    )


_PARTS: Final = ("promoters", "passives", "detractors")


def _definition(metric_id: str, title: str, scale_id: str, detractors: str, *, off: bool) -> MetricDefinition:
    def counters(cell: Cell) -> Counters | None:
        return cell.counters(QuestionMeasure.NPS, (scale_id,))

    return MetricDefinition(
        id=metric_id,
        title=title,
        original_term="NPS",
        description="Would you recommend us: promoters minus detractors. Above 0 good, above 50 excellent.",
        formula=f"100 * (count of 9-10 - count of {detractors}) / n; adjusted-Wald interval",
        unit=Unit.POINTS,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: nps_of(counters(cell)),
        compare=lambda now, before: compare_nps(counters(now), counters(before)),
        parts=_PARTS,
        score=NPS_SCORE,
        measure=QuestionMeasure.NPS,
        scale_ids=(scale_id,),
        gates=PUBLICATION_GATES,
        is_score=True,
        off_by_default=off,
    )


NPS: Final = (
    _definition("nps", "Net promoter score", "nps_0_10", "0-6", off=False),
    _definition("nps_1_10", "Net promoter score on 1-10 (non-standard)", "nps_1_10", "1-6", off=True),
)
