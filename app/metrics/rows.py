"""Cells -> the rows of an answer: values rounded once, suppressed where few answered, empty ones null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.measures.alerts import MANY_UNITS, discoveries
from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison, Verdict
from app.domain.measures.definition import MetricDefinition, Unit
from app.domain.measures.statistics import round_half_away
from app.domain.measures.values import MetricStatus, MetricValue, published
from app.metrics.buckets import Granularity, bucket_starts
from app.metrics.cells import Key
from app.metrics.columns import part_unit
from app.metrics.query import MetricQuery
from app.metrics.schemas import Fill
from app.metrics.suppression import withhold_tellers

Table = Sequence[Sequence[Any]]
"""The rows of an answer turned round: for each column of the query its cells, row by row."""

Row = tuple[Any, ...]
"""The cells of a row, in the order of the query's columns."""

_EMPTY: Final = Cell()
_P_VALUE_DECIMALS: Final = 4
_TESTED: Final = (Verdict.UP, Verdict.DOWN, Verdict.NO_CHANGE)
_HIDDEN: Final = Comparison(None)
_TEXT_OF: Final = {status: status.value for status in MetricStatus}


def answer_table(
    query: MetricQuery, now: Mapping[Key, Cell], before: Mapping[Key, Cell], *, with_parts: bool
) -> Table:
    """All rows of an answer, ordered by bucket and then by the dimensions (nulls last).

    `with_parts` is for readers who may read the rows behind the numbers: see `published`.
    """
    keys = _in_order(_all_keys(query, [*now, *_here(query, before)]))
    columns = _key_columns(query, keys)
    cells_now = [now.get(key, _EMPTY) for key in keys]
    cells_before = [before.get(key, _EMPTY) for key in _partners(query, keys)]
    for metric in query.metrics:
        values = _values(metric, keys, cells_now, with_parts=with_parts)
        columns += _value_columns(metric, values)
        if query.compare is not None:
            earlier = _values(metric, keys, cells_before, with_parts=with_parts)
            pairs = zip(values, earlier, cells_now, cells_before, strict=True)
            found = [
                _HIDDEN if _is_hidden(value) or _is_hidden(old) else metric.compare(cell, old_cell)
                for value, old, cell, old_cell in pairs
            ]
            columns += _comparison_columns(metric, earlier, _claims(found, broken=query.series_broken))
    return columns


def _all_keys(query: MetricQuery, known: Iterable[Key]) -> Sequence[Key]:
    """The keys that have data in either period, and those that stand for its absence.

    A question about the whole always has one row; with fill, every bucket of every group that occurs.
    """
    nothing: Key = (None, *(None for _ in query.group_by))
    found = list(dict.fromkeys(known))
    if query.granularity is Granularity.NONE:
        return found or ([nothing] if query.asked_by == 0 else [])
    if query.fill is Fill.NONE:
        return found
    groups = dict.fromkeys(key[1:] for key in found) or {nothing[1:]: None}
    starts = bucket_starts(query.period, query.granularity, query.zone)
    return [(start, *group) for start in starts for group in groups]


def _in_order(keys: Sequence[Key]) -> list[Key]:
    """Sorted part by part, nulls last; tuples without nulls compare as they are."""
    try:
        return sorted(keys)
    except TypeError:
        return sorted(keys, key=lambda key: [(part is None, part) for part in key])


def _partners(query: MetricQuery, keys: Sequence[Key]) -> list[Key]:
    """The key of the previous period for each key: the n-th bucket belongs to the n-th."""
    if query.compare is None or query.granularity is Granularity.NONE:
        return list(keys)
    starts = bucket_starts(query.period, query.granularity, query.zone)
    earlier = bucket_starts(query.compare, query.granularity, query.zone)
    partner = dict(zip(starts, earlier, strict=False))
    return [(partner.get(key[0]) if key[0] else None, *key[1:]) for key in keys]


def _here(query: MetricQuery, before: Iterable[Key]) -> list[Key]:
    """The keys of the previous period where they stand beside this one: what is no more is shown too."""
    if query.compare is None or query.granularity is Granularity.NONE:
        return list(before)
    starts = bucket_starts(query.period, query.granularity, query.zone)
    earlier = bucket_starts(query.compare, query.granularity, query.zone)
    partner = dict(zip(earlier, starts, strict=False))
    return [(partner[key[0]], *key[1:]) for key in before if key[0] in partner]


def _key_columns(query: MetricQuery, keys: Sequence[Key]) -> list[Sequence[Any]]:
    groups = [[key[number] for key in keys] for number in range(1, len(query.group_by) + 1)]
    if query.granularity is Granularity.NONE:
        return list(groups)
    local = {start: at_offset(start, query.zone) for start in {key[0] for key in keys} if start}
    return [[local[key[0]] for key in keys if key[0]], *groups]


def at_offset(instant: datetime, zone: ZoneInfo) -> datetime:
    """Local time with its offset fixed: times that share a zone object would compare by their wall clock."""
    local = instant.astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))


def _values(
    metric: MetricDefinition, keys: Sequence[Key], cells: Sequence[Cell], *, with_parts: bool
) -> list[MetricValue]:
    values = [metric.compute(cell) for cell in cells]
    if with_parts:
        return [published(value, with_parts=True) for value in values]
    return [published(value, with_parts=False) for value in withhold_tellers(keys, values)]


def _value_columns(metric: MetricDefinition, values: Sequence[MetricValue]) -> list[Sequence[Any]]:
    decimals = metric.unit.decimals
    return [
        [_rounded(value.value, decimals) for value in values],
        [value.n for value in values],
        [_rounded(value.ci_low, decimals) for value in values],
        [_rounded(value.ci_high, decimals) for value in values],
        [_TEXT_OF[value.status] for value in values],
        [list(value.reasons) for value in values],
        *(_part_column(metric, part, values) for part in metric.parts),
    ]


def _part_column(metric: MetricDefinition, part: str, values: Sequence[MetricValue]) -> list[Any]:
    unit, found = part_unit(metric, part), [value.parts.get(part) for value in values]
    if unit is Unit.COUNT or part == "sum":
        return found
    return [_rounded(number, unit.decimals) for number in found]


def _comparison_columns(
    metric: MetricDefinition, earlier: Sequence[MetricValue], found: Sequence[Comparison]
) -> list[Sequence[Any]]:
    decimals = metric.unit.decimals
    bounds = [item.interval or (None, None) for item in found]
    return [
        [_rounded(value.value, decimals) for value in earlier],
        [value.n for value in earlier],
        [_rounded(item.difference, decimals) for item in found],
        [_rounded(low, decimals) for low, _ in bounds],
        [_rounded(high, decimals) for _, high in bounds],
        [_rounded(item.p_value, _P_VALUE_DECIMALS) for item in found],
        [None if item.verdict is None else item.verdict.value for item in found],
    ]


def _claims(found: Sequence[Comparison], *, broken: bool) -> list[Comparison]:
    """What may be claimed of many changes at once.

    Nothing across a break of the series; of more than ten groups only what the false discovery rate allows.
    """
    if broken:
        return [
            item if item.verdict is None else replace(item, verdict=Verdict.SERIES_BROKEN) for item in found
        ]
    tested = [n for n, item in enumerate(found) if item.verdict in _TESTED and item.p_value is not None]
    claims = list(found)
    if len(tested) > MANY_UNITS:
        sure = discoveries([found[n].p_value or 0.0 for n in tested])
        for number, discovered in zip(tested, sure, strict=True):
            if not discovered:
                claims[number] = replace(found[number], verdict=Verdict.NO_CHANGE)
    return claims


def _is_hidden(value: MetricValue) -> bool:
    return value.status is MetricStatus.SUPPRESSED


def _rounded(value: float | None, decimals: int) -> int | float | None:
    if value is None:
        return None
    return round_half_away(value, decimals) if decimals else int(round_half_away(value, 0))
