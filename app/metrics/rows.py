"""Cells -> the rows of an answer: values rounded once, suppressed where few answered, empty ones null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison
from app.domain.measures.definition import MetricDefinition, Unit
from app.domain.measures.statistics import Interval, round_half_away
from app.domain.measures.values import MetricStatus, MetricValue, published
from app.metrics.buckets import Granularity, bucket_starts
from app.metrics.cells import Key
from app.metrics.columns import BUCKET
from app.metrics.query import MetricQuery
from app.metrics.schemas import Fill
from app.metrics.suppression import withhold_tellers

Row = dict[str, Any]

_EMPTY: Final = Cell()
_P_VALUE_DECIMALS: Final = 4
_HIDDEN: Final = Comparison(None)


def answer_rows(
    query: MetricQuery, now: Mapping[Key, Cell], before: Mapping[Key, Cell], *, with_parts: bool
) -> list[Row]:
    """All rows of an answer, ordered by bucket and then by the dimensions (nulls last).

    `with_parts` is for readers who may read the rows behind the numbers: see `published`.
    """
    keys = sorted(_all_keys(query, now), key=lambda key: [(part is None, part) for part in key])
    rows = _key_columns(query, keys)
    cells_now = [now.get(key, _EMPTY) for key in keys]
    partners = _partners(query, keys)
    cells_before = [before.get(key, _EMPTY) for key in partners]
    for metric in query.metrics:
        values = _values(metric, keys, cells_now, with_parts=with_parts)
        for row, value in zip(rows, values, strict=True):
            _put_value(row, metric, value)
        if query.compare is not None:
            earlier = _values(metric, keys, cells_before, with_parts=with_parts)
            pairs = zip(cells_now, cells_before, strict=True)
            comparisons = [metric.compare(*pair) for pair in pairs]
            for row, value, old, found in zip(rows, values, earlier, comparisons, strict=True):
                hidden = MetricStatus.SUPPRESSED in (value.status, old.status)
                _put_comparison(row, metric, old, _HIDDEN if hidden else found)
    return rows


def _all_keys(query: MetricQuery, cells: Mapping[Key, Cell]) -> Sequence[Key]:
    """The keys that have data, and those that stand for its absence.

    A question about the whole always has one row; with fill, every bucket of every group that occurs.
    """
    nothing: Key = (None, *(None for _ in query.group_by))
    if query.granularity is Granularity.NONE:
        return list(cells) or ([nothing] if query.asked_by == 0 else [])
    if query.fill is Fill.NONE:
        return list(cells)
    groups = dict.fromkeys(key[1:] for key in cells) or {nothing[1:]: None}
    starts = bucket_starts(query.period, query.granularity, query.zone)
    return [(start, *group) for start in starts for group in groups]


def _partners(query: MetricQuery, keys: Sequence[Key]) -> list[Key]:
    """The key of the previous period for each key: the n-th bucket belongs to the n-th."""
    if query.compare is None or query.granularity is Granularity.NONE:
        return list(keys)
    starts = bucket_starts(query.period, query.granularity, query.zone)
    earlier = bucket_starts(query.compare, query.granularity, query.zone)
    partner = dict(zip(starts, earlier, strict=False))
    return [(partner.get(key[0]) if key[0] else None, *key[1:]) for key in keys]


def _key_columns(query: MetricQuery, keys: Sequence[Key]) -> list[Row]:
    names = [ref.name for ref in query.group_by]
    if query.granularity is Granularity.NONE:
        return [dict(zip(names, key[1:], strict=True)) for key in keys]
    local = {start: _at_offset(start, query.zone) for start in {key[0] for key in keys} if start}
    return [{BUCKET: local[key[0]], **dict(zip(names, key[1:], strict=True))} for key in keys if key[0]]


def _at_offset(instant: datetime, zone: ZoneInfo) -> datetime:
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


def _put_value(row: Row, metric: MetricDefinition, value: MetricValue) -> None:
    name = metric.id
    row[name] = _rounded(value.value, metric.unit)
    row[f"{name}_n"] = value.n
    row[f"{name}_ci_low"], row[f"{name}_ci_high"] = _bounds(value.interval, metric.unit)
    row[f"{name}_status"] = value.status.value
    row[f"{name}_reasons"] = list(value.reasons)
    for part in metric.parts:
        row[f"{name}_{part}"] = value.parts.get(part)


def _put_comparison(row: Row, metric: MetricDefinition, before: MetricValue, found: Comparison) -> None:
    name = metric.id
    row[f"{name}_previous"] = _rounded(before.value, metric.unit)
    row[f"{name}_previous_n"] = before.n
    row[f"{name}_difference"] = _rounded(found.difference, metric.unit)
    row[f"{name}_difference_ci_low"], row[f"{name}_difference_ci_high"] = _bounds(found.interval, metric.unit)
    p_value = found.p_value
    row[f"{name}_p_value"] = None if p_value is None else round_half_away(p_value, _P_VALUE_DECIMALS)
    row[f"{name}_verdict"] = None if found.verdict is None else found.verdict.value


def _rounded(value: float | None, unit: Unit) -> int | float | None:
    if value is None:
        return None
    return int(value) if unit is Unit.COUNT else round_half_away(value, unit.decimals)


def _bounds(interval: Interval | None, unit: Unit) -> tuple[int | float | None, int | float | None]:
    if interval is None:
        return None, None
    return round_half_away(interval.low, unit.decimals), round_half_away(interval.high, unit.decimals)
