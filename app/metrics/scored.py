"""The short way from counters to rows, for questions that only ask for scores: no cell, column by column.

What it gives is what `answer_rows` would give (tested on random histories), some ten times cheaper: an
answer of thousands of cells is made of lists, not of objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.domain.measures.definition import MetricDefinition, Population, Unit
from app.domain.measures.statistics import rounded_column
from app.domain.measures.values import LOW_N_BELOW, SUPPRESSED_BELOW, MetricStatus
from app.metrics.buckets import Granularity
from app.metrics.columns import part_unit
from app.metrics.query import MetricQuery
from app.metrics.rows import Row, at_offset
from app.metrics.schemas import Fill

_KEY_BEFORE_COUNTS: Final = 2
_NO_DATA, _SUPPRESSED, _LOW_N, _OK = (
    status.value
    for status in (MetricStatus.NO_DATA, MetricStatus.SUPPRESSED, MetricStatus.LOW_N, MetricStatus.OK)
)


def is_scored(query: MetricQuery, *, with_parts: bool) -> bool:
    """True for scores alone, neither compared nor filled, for a reader from whom no group must be hidden."""
    return (
        with_parts
        and query.compare is None
        and query.fill is Fill.NONE
        and query.populations == (Population.FEEDBACK,)
        and all(metric.score is not None for metric in query.metrics)
        and query.granularity is not Granularity.NONE
    )


def scored_rows(query: MetricQuery, counted: Sequence[sa.Row[Any]]) -> list[Row]:
    """All rows of the answer, ordered by bucket and then by the dimensions (nulls last)."""
    width = 1 + len(query.group_by)
    start = width + _KEY_BEFORE_COUNTS
    rows = [row for row in map(tuple, counted) if any(row[start:])]
    keys = _in_order(list(dict.fromkeys(row[:width] for row in rows)))
    columns = _key_columns(query, keys)
    for metric in query.metrics:
        histograms = {
            row[:width]: row[width + 1 :]
            for row in rows
            if row[width] == metric.measure and row[width + 1] in metric.scale_ids
        }
        columns += _columns_of(metric, [histograms.get(key) for key in keys])
    return list(zip(*columns, strict=True))


def _in_order(keys: list[Row]) -> list[Row]:
    try:
        keys.sort()
    except TypeError:
        keys.sort(key=lambda key: [(part is None, part) for part in key])
    return keys


def _key_columns(query: MetricQuery, keys: Sequence[Row]) -> list[Sequence[Any]]:
    columns: list[Sequence[Any]] = list(zip(*keys, strict=True)) or [()] * (1 + len(query.group_by))
    local: dict[datetime, datetime] = {start: at_offset(start, query.zone) for start in set(columns[0])}
    return [[local[start] for start in columns[0]], *columns[1:]]


def _columns_of(metric: MetricDefinition, histograms: Sequence[Row | None]) -> list[Sequence[Any]]:
    """The value, n, bounds, status, reasons and parts of one metric; a histogram stands behind its scale."""
    score = metric.score
    assert score is not None
    nothing = (None, 0, None, None, *(None for _ in metric.parts))
    scored = [nothing if told is None else score(told[0], told[1:]) for told in histograms]
    values, n, low, high, *parts = zip(*scored, strict=True) if scored else [()] * len(nothing)
    decimals = metric.unit.decimals
    hidden = [0 < count < SUPPRESSED_BELOW for count in n]
    return [
        _without(hidden, rounded_column(values, decimals)),
        n,
        _without(hidden, rounded_column(low, decimals)),
        _without(hidden, rounded_column(high, decimals)),
        [_status(count) for count in n],
        [[] for _ in n],
        *(_part(metric, name, column) for name, column in zip(metric.parts, parts, strict=True)),
    ]


def _status(n: int) -> str:
    if n >= LOW_N_BELOW:
        return _OK
    if n >= SUPPRESSED_BELOW:
        return _LOW_N
    return _SUPPRESSED if n else _NO_DATA


def _without(hidden: Sequence[bool], column: Sequence[Any]) -> Sequence[Any]:
    return [None if hide else value for hide, value in zip(hidden, column, strict=True)]


def _part(metric: MetricDefinition, name: str, column: Sequence[Any]) -> Sequence[Any]:
    unit = part_unit(metric, name)
    return column if unit is Unit.COUNT or name == "sum" else rounded_column(column, unit.decimals)
