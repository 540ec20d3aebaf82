"""The happiness index (индекс счастья): the share of positive over all channels, kinds and scales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, compare_counts, compare_shares
from app.domain.measures.counters import ClassCounts
from app.domain.measures.definition import (
    PUBLICATION_GATES,
    Better,
    MetricDefinition,
    Population,
    Unit,
)
from app.domain.measures.nps import adjusted_wald
from app.domain.measures.statistics import Interval
from app.domain.measures.values import SUPPRESSED_BELOW, MetricValue, no_value, share_value, status_of

_PARTS: Final = ("positive", "neutral", "negative", "unknown")


def happiness_of(counts: ClassCounts | None) -> MetricValue:
    """100 * positive / (positive + neutral + negative); the unknown are reported, the silent never enter."""
    if counts is None:
        return no_value(dict.fromkeys(_PARTS))
    return share_value(counts.positive, counts.n, _parts(counts))


def happiness_without_neutral(counts: ClassCounts | None) -> MetricValue:
    """The variant 100 * positive / (positive + negative)."""
    if counts is None:
        return no_value(dict.fromkeys(_PARTS))
    return share_value(counts.positive, counts.positive + counts.negative, _parts(counts))


def happiness_net(counts: ClassCounts | None) -> MetricValue:
    """The variant 100 * (positive - negative) / n, in points."""
    if counts is None or counts.n == 0:
        return no_value(dict.fromkeys(_PARTS) if counts is None else _parts(counts))
    return MetricValue(
        value=100 * (counts.positive - counts.negative) / counts.n,
        n=counts.n,
        interval=adjusted_wald(counts.positive, counts.neutral, counts.negative),
        status=status_of(counts.n),
        parts=_parts(counts),
    )


def equal_channels(channels: Mapping[str, ClassCounts]) -> MetricValue:
    """The mean of the channels' indices, each weighing the same; channels below 5 answers stay out."""
    shares = [c.positive / c.n for c in channels.values() if c.n >= SUPPRESSED_BELOW]
    n = sum(counts.n for counts in channels.values())
    parts = {"channels": len(shares)}
    if not shares:
        return no_value(parts, *(("too_few_in_every_channel",) if n else ()), n=n)
    smallest = min(counts.n for counts in channels.values() if counts.n >= SUPPRESSED_BELOW)
    reasons = ("channels_left_out",) if len(shares) < len(channels) else ()
    return MetricValue(
        100 * sum(shares) / len(shares), n, status=status_of(smallest), reasons=reasons, parts=parts
    )


def latent(negatives: int | None, rates: tuple[float, float]) -> MetricValue:
    """How many were discontent, if only a share of them speaks up: the low rate gives the high estimate."""
    low, high = rates
    parts = {"observed": negatives, "low_rate": low, "high_rate": high}
    if negatives is None:
        return no_value(parts)
    return MetricValue(
        value=negatives / low,
        n=negatives,
        interval=Interval(negatives / high, negatives / low),
        reasons=("estimate_not_kpi",),
        parts=parts,
    )


def _parts(counts: ClassCounts) -> dict[str, int | float | None]:
    return dict(zip(_PARTS, (counts.positive, counts.neutral, counts.negative, counts.unknown), strict=True))


def _latent(cell: Cell) -> MetricValue:
    return latent(cell.unsolicited, cell.terms.voice_rates)


def _compare(now: Cell, before: Cell) -> Comparison:
    a, b = now.classes(), before.classes()
    if a is None or b is None:
        return NOT_COMPARABLE
    return compare_shares(a.positive, a.n, b.positive, b.n)


def _compare_without_neutral(now: Cell, before: Cell) -> Comparison:
    a, b = now.classes(), before.classes()
    if a is None or b is None:
        return NOT_COMPARABLE
    return compare_shares(a.positive, a.positive + a.negative, b.positive, b.positive + b.negative)


HAPPINESS: Final = (
    MetricDefinition(
        id="happiness",
        title="Happiness index",
        original_term="индекс счастья",
        description="Share of positive among all feedback of all channels; led by the largest channel, so "
        "read it by channel too.",
        formula="100 * positive / (positive + neutral + negative); Wilson interval",
        unit=Unit.PERCENT,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: happiness_of(cell.classes()),
        compare=_compare,
        parts=_PARTS,
        gates=PUBLICATION_GATES,
    ),
    MetricDefinition(
        id="happiness_without_neutral",
        title="Happiness index without the neutral",
        original_term="индекс счастья",
        description="Share of positive among the feedback that takes a side.",
        formula="100 * positive / (positive + negative); Wilson interval",
        unit=Unit.PERCENT,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: happiness_without_neutral(cell.classes()),
        compare=_compare_without_neutral,
        parts=_PARTS,
        gates=PUBLICATION_GATES,
    ),
    MetricDefinition(
        id="happiness_net",
        title="Happiness index, net",
        original_term="индекс счастья",
        description="Positive minus negative among all feedback of all channels.",
        formula="100 * (positive - negative) / n; adjusted-Wald interval",
        unit=Unit.POINTS,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: happiness_net(cell.classes()),
        compare=lambda now, before: compare_counts(
            happiness_net(now.classes()).value, happiness_net(before.classes()).value
        ),
        parts=_PARTS,
        gates=PUBLICATION_GATES,
    ),
    MetricDefinition(
        id="happiness_equal_channels",
        title="Happiness index, channels weighing the same",
        original_term="индекс счастья",
        description="Mean of the indices of the channels, so that the largest does not drown the others.",
        formula="mean over channels of 100 * positive / n; channels below 5 answers left out",
        unit=Unit.PERCENT,
        better=Better.HIGHER,
        populations=(Population.CHANNELS,),
        compute=lambda cell: equal_channels(cell.channels),
        compare=lambda now, before: compare_counts(
            equal_channels(now.channels).value, equal_channels(before.channels).value
        ),
        parts=("channels",),
        gates=PUBLICATION_GATES,
    ),
    MetricDefinition(
        id="latent_negatives",
        title="Latent dissatisfaction",
        description="How many were discontent if only a share of them says so unasked. A range, not a KPI: "
        "the share is debated and belongs to the tenant's terms.",
        formula="unsolicited negatives / voice rate (5 % to 50 % by default); the value is at the low rate",
        unit=Unit.COUNT,
        better=Better.LOWER,
        populations=(Population.UNSOLICITED,),
        compute=_latent,
        compare=lambda now, before: compare_counts(_latent(now).value, _latent(before).value),
        parts=("observed", "low_rate", "high_rate"),
    ),
)
