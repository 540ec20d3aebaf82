"""Two groups of customers compared: the difference of a share or of NPS, plain and by segment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Final, NamedTuple

from app.domain.measures.nps import Spread, adjusted, difference_test, spread
from app.domain.measures.recovered import Group
from app.domain.measures.statistics import Z_95, Interval, newcombe, two_proportion_test
from app.domain.measures.values import LOW_N_BELOW, MetricValue, no_value, status_of

_STRATIFIED: Final = ("stratified", "stratified_low", "stratified_high", "strata")
SHARE_PARTS: Final = ("top", "other_top", "other_n", "other_share", "p_value", *_STRATIFIED)
NPS_PARTS: Final = ("promoters", "detractors", "other_nps", "other_n", "p_value", *_STRATIFIED)


class Pair(NamedTuple):
    """The group in question and the one that it is compared with."""

    group: Group
    other: Group

    @property
    def is_whole(self) -> bool:
        """True where both sides hold somebody."""
        return self.group.n > 0 and self.other.n > 0


class Stratified(NamedTuple):
    """A difference in points as the segments show it, each compared within itself."""

    difference: float
    interval: Interval
    strata: int


Difference = Callable[[Pair, Sequence[Pair]], MetricValue]
"""(all together, the same by segment) -> the value."""


def stratified(pairs: Sequence[Pair], score_of: Callable[[Group], Spread]) -> Stratified | None:
    """Mean of the segments' differences, weighed n1*n2/(n1+n2) (Mantel-Haenszel), normal interval, in points.

    A segment that holds one side only says nothing; None where none holds both.
    """
    total, weighted, variance = 0.0, 0.0, 0.0
    both = [pair for pair in pairs if pair.is_whole]
    for pair in both:
        here, there = score_of(pair.group), score_of(pair.other)
        weight = here.n * there.n / (here.n + there.n)
        total += weight
        weighted += weight * (here.score - there.score)
        variance += weight * weight * (here.error**2 + there.error**2)
    if not both:
        return None
    difference, half = weighted / total, Z_95 * sqrt(variance) / total
    return Stratified(100 * difference, Interval(difference - half, difference + half).scaled(100), len(both))


def share_difference(pair: Pair, strata: Sequence[Pair]) -> MetricValue:
    """Percentage points between two shares, Newcombe interval; reason `shown` or `not_shown`.

    A claim needs 30 answers on both sides and an interval above 0.
    """
    (n, top, *_), (other_n, other_top, *_) = pair
    parts = {
        "top": top,
        "other_top": other_top,
        "other_n": other_n,
        "other_share": 100 * other_top / other_n if other_n else None,
        "p_value": two_proportion_test(top, n, other_top, other_n).p_value if pair.is_whole else None,
        **_parts_of(stratified(strata, _share)),
    }
    if not pair.is_whole:
        return no_value(parts, "nobody_to_compare", n=n)
    interval = newcombe(top, n, other_top, other_n).scaled(100)
    return _judged(100 * (top / n - other_top / other_n), interval, pair, parts)


def nps_difference(pair: Pair, strata: Sequence[Pair]) -> MetricValue:
    """Points between two NPS, the interval that of their adjusted scores; reasons as of a share."""
    group, other = pair
    parts = {
        "promoters": group.promoters,
        "detractors": group.detractors,
        "other_nps": 100 * _nps(other).score if other.n else None,
        "other_n": other.n,
        "p_value": difference_test(_adjusted(group), _adjusted(other)).p_value if pair.is_whole else None,
        **_parts_of(stratified(strata, _nps)),
    }
    if not pair.is_whole:
        return no_value(parts, "nobody_to_compare", n=group.n)
    here, there = _adjusted(group), _adjusted(other)
    centre, half = here.score - there.score, Z_95 * sqrt(here.error**2 + there.error**2)
    interval = Interval(max(-2.0, centre - half), min(2.0, centre + half)).scaled(100)
    return _judged(100 * (_nps(group).score - _nps(other).score), interval, pair, parts)


def _judged(
    difference: float, interval: Interval, pair: Pair, parts: Mapping[str, int | float | None]
) -> MetricValue:
    smaller = min(pair.group.n, pair.other.n)
    shown = interval.low > 0 and smaller >= LOW_N_BELOW
    return MetricValue(
        value=difference,
        n=pair.group.n,
        interval=interval,
        status=status_of(smaller),
        reasons=("shown" if shown else "not_shown",),
        parts=parts,
    )


def _parts_of(found: Stratified | None) -> dict[str, int | float | None]:
    if found is None:
        return {**dict.fromkeys(_STRATIFIED), "strata": 0}
    values = (found.difference, found.interval.low, found.interval.high, found.strata)
    return dict(zip(_STRATIFIED, values, strict=True))


def _share(group: Group) -> Spread:
    share = group.top / group.n
    return Spread(share, share * (1 - share), group.n)


def _nps(group: Group) -> Spread:
    return spread(group.promoters, _passives(group), group.detractors)


def _adjusted(group: Group) -> Spread:
    return adjusted(group.promoters, _passives(group), group.detractors)


def _passives(group: Group) -> int:
    return group.n - group.promoters - group.detractors
