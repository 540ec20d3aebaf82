"""Builds the definition of a share: x of n in percent, with its Wilson interval and its comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import NOT_COMPARABLE, Comparison, compare_shares
from app.domain.measures.definition import PUBLICATION_GATES, Better, MetricDefinition, Population, Unit
from app.domain.measures.values import MetricValue, no_value, share_value

Share = tuple[int, int]
"""x of n; n may be 0."""
Parts = Mapping[str, int | float | None]


def share_metric(
    metric_id: str,
    title: str,
    description: str,
    formula: str,
    population: Population,
    share: Callable[[Cell], Share | None],
    parts: Callable[[Cell], Parts],
    names: tuple[str, ...],
    *,
    better: Better = Better.HIGHER,
    reasons: Callable[[Cell], tuple[str, ...]] = lambda _cell: (),
    **fields: Any,
) -> MetricDefinition:
    """The definition of a share; null where its population is empty or nobody could have been counted."""

    def compute(cell: Cell) -> MetricValue:
        found = share(cell)
        if found is None:
            return no_value(dict.fromkeys(names))
        value = share_value(*found, parts(cell))
        told = reasons(cell)
        return MetricValue(value.value, value.n, value.interval, value.status, told, value.parts)

    def compare(now: Cell, before: Cell) -> Comparison:
        a, b = share(now), share(before)
        return NOT_COMPARABLE if a is None or b is None else compare_shares(*a, *b)

    return MetricDefinition(
        id=metric_id,
        title=title,
        description=description,
        formula=formula,
        unit=Unit.PERCENT,
        better=better,
        populations=(population,),
        compute=compute,
        compare=compare,
        parts=names,
        gates=PUBLICATION_GATES,
        **fields,
    )
