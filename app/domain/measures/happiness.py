"""The happiness index (индекс счастья): the share of positive over all channels, kinds and scales."""

from __future__ import annotations

from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, compare_shares
from app.domain.measures.counters import ClassCounts
from app.domain.measures.definition import (
    PUBLICATION_GATES,
    Better,
    MetricDefinition,
    Population,
    Unit,
)
from app.domain.measures.values import MetricValue, no_value, share_value

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


def _parts(counts: ClassCounts) -> dict[str, int | float | None]:
    return dict(zip(_PARTS, (counts.positive, counts.neutral, counts.negative, counts.unknown), strict=True))


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
)
