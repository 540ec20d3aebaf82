"""The short way from counters to rows, for questions that only ask for scores: no cell, column by column.

What it gives is what `answer_rows` would give (tested on random histories), many times cheaper: an answer
of thousands of cells is made of columns, not of objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import compress
from typing import Any, Final

from app.domain.measures.definition import MetricDefinition, Population, Unit
from app.domain.measures.scores import Scored
from app.domain.measures.statistics import rounded_column
from app.domain.measures.values import LOW_N_BELOW, SUPPRESSED_BELOW, status_of
from app.metrics.buckets import Granularity
from app.metrics.columns import part_unit
from app.metrics.query import MetricQuery
from app.metrics.rows import Row, at_offset
from app.metrics.schemas import Fill

Columns = list[Sequence[Any]]

_NO_REASONS: Final[list[str]] = []  # one for all rows: an answer is only read
_FEW: Final = tuple(status_of(n).value for n in range(LOW_N_BELOW))
_MANY: Final = status_of(LOW_N_BELOW).value


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


def scored_rows(query: MetricQuery, counted: Columns) -> list[Row]:
    """All rows of the answer, ordered by bucket and then by the dimensions (nulls last).

    `counted` are columns: the key, the measure, the scale, then `score_sums`; none when nothing was read.
    """
    width = 1 + len(query.group_by)
    if not counted:
        return []
    key, (measures, scale_ids, *sums) = counted[:width], counted[width:]
    ranks = _ranks(key)
    place_of = dict(zip(ranks, range(len(ranks)), strict=True))
    order = sorted(place_of)
    columns = _key_columns(query, key, [place_of[rank] for rank in order])
    for metric in query.metrics:
        assert metric.score is not None
        own, sums = sums[: 1 + len(metric.score.reads)], sums[1 + len(metric.score.reads) :]
        of_metric, *read = _kept([ranks, *own], _answered(metric, measures, scale_ids, own[0]))
        told = dict(zip(of_metric, map(metric.score.formula, *read), strict=True))
        nothing = metric.score.nothing
        columns += _metric_columns(metric, [told.get(rank, nothing) for rank in order])
    return list(zip(*columns, strict=True))


def _answered(
    metric: MetricDefinition, measures: Sequence[str], scale_ids: Sequence[str], n: Sequence[int]
) -> list[bool]:
    """Which groups hold answers of this metric: of its measure, on one of its scales."""
    if all(n) and set(measures) == {str(metric.measure)} and set(scale_ids) <= set(metric.scale_ids):
        return [True] * len(n)
    wanted = {(str(metric.measure), scale_id) for scale_id in metric.scale_ids}
    pairs = zip(measures, scale_ids, strict=True)
    return [pair in wanted and count != 0 for pair, count in zip(pairs, n, strict=True)]


def _kept(columns: Columns, keep: Sequence[bool]) -> Columns:
    return columns if all(keep) else [list(compress(column, keep)) for column in columns]


def _ranks(key: Columns) -> list[int]:
    """One number for each key, ordered as the keys are: part by part, nulls last."""
    ranks = [0] * len(key[0])
    for column in key:
        values = set(column)
        ordered = [*sorted(values - {None}), None]
        if len(values) > 1:
            rank_of = dict(zip(ordered, range(len(ordered)), strict=True))
            ranks = [rank * len(ordered) + rank_of[value] for rank, value in zip(ranks, column, strict=True)]
    return ranks


def _key_columns(query: MetricQuery, key: Columns, places: Sequence[int]) -> Columns:
    starts, *groups = (list(map(column.__getitem__, places)) for column in key)
    local: dict[datetime, datetime] = {start: at_offset(start, query.zone) for start in set(starts)}
    return [[local[start] for start in starts], *groups]


def _metric_columns(metric: MetricDefinition, scored: Sequence[Scored]) -> Columns:
    """The value, n, bounds, status, reasons and parts of one metric."""
    values, n, low, high, *parts = zip(*scored, strict=True)
    shown = [not 0 < count < SUPPRESSED_BELOW for count in n]
    return [
        _rounded(values, metric.unit, shown),
        n,
        _rounded(low, metric.unit, shown),
        _rounded(high, metric.unit, shown),
        [_FEW[count] if count < LOW_N_BELOW else _MANY for count in n],
        [_NO_REASONS] * len(n),
        *(_part(metric, name, column) for name, column in zip(metric.parts, parts, strict=True)),
    ]


def _rounded(column: Sequence[Any], unit: Unit, shown: Sequence[bool]) -> Sequence[Any]:
    rounded = rounded_column(column, unit.decimals)
    if all(shown):
        return rounded
    return [value if show else None for value, show in zip(rounded, shown, strict=True)]


def _part(metric: MetricDefinition, name: str, column: Sequence[Any]) -> Sequence[Any]:
    unit = part_unit(metric, name)
    return column if unit is Unit.COUNT or name == "sum" else rounded_column(column, unit.decimals)
