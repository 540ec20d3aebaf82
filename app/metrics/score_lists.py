"""The sums that scores read, taken by the database and told column by column: one row of lists.

Which columns are added is told by the scores themselves (`domain.measures.scores`): their readers add up
columns of a SELECT as they add up counts. They do so in every row before the rows are added up, so that
three numbers a group are summed and cross the wire, not a histogram.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, or_, select, union_all

from app.domain.measures.counters import layout_of
from app.domain.measures.definition import MetricDefinition
from app.domain.scales import SCALES
from app.metrics.query import MOST_CELLS, MetricQuery
from app.metrics.shape import group_names


def score_lists(parts: Sequence[Select[Any]], query: MetricQuery) -> Select[Any]:
    """Histograms by key, measure and scale -> lists of equal length, null when there is no group.

    They are the columns of `score_groups`, the bucket as text.
    """
    bucket, *rest = score_groups(parts, query).limit(MOST_CELLS + 1).subquery("groups").c
    return select(*(func.json_agg(column) for column in (cast(bucket, Text), *rest)))


def score_groups(parts: Sequence[Select[Any]], query: MetricQuery) -> Select[Any]:
    """First the key as cuboids of days write it; then for each metric its n and what its formula reads.

    Zeros where the group holds another measure or scale. Groups that nobody answered (any more) are left out.
    """
    rows = union_all(*(_with_sums(part, query) for part in parts)).subquery("parts")
    keys = [rows.c[name] for name in group_names(query)]
    names = [name for of_metric in sum_names(query) for name in of_metric]
    sums = {name: func.sum(rows.c[name]) for name in names}
    answered = or_(*(sums[of_metric[0]] != 0 for of_metric in sum_names(query)))
    labelled = [column.label(name) for name, column in sums.items()]
    return select(*keys, *labelled).group_by(*keys).having(answered)


def sum_names(query: MetricQuery) -> list[list[str]]:
    """For each metric the names of its sums in `score_groups`, that of n first."""
    return [
        [f"s{number}_{place}" for place in range(1 + len(metric.score.reads))]
        for number, metric in enumerate(query.metrics)
        if metric.score is not None
    ]


def _with_sums(part: Select[Any], query: MetricQuery) -> Select[Any]:
    rows = part.subquery("histograms")
    keys = [rows.c[name] for name in group_names(query)]
    alone = len(query.metrics) == 1
    sums = [column for metric in query.metrics for column in _sums(rows, metric, alone=alone)]
    names = [name for of_metric in sum_names(query) for name in of_metric]
    return select(*keys, *(column.label(name) for name, column in zip(names, sums, strict=True)))


def _sums(rows: Any, metric: MetricDefinition, *, alone: bool) -> list[ColumnElement[Any]]:
    """The number of answers, then what the metric's score reads of each histogram, scale by scale."""
    by_scale = [(scale_id, _of_scale(rows, metric, scale_id)) for scale_id in metric.scale_ids]
    if alone and len(by_scale) == 1:
        return list(by_scale[0][1])
    own = rows.c.measure == str(metric.measure)
    found = zip(*(sums for _, sums in by_scale), strict=True)
    return [
        case(
            *(
                (and_(own, rows.c.scale_id == scale_id), one)
                for (scale_id, _), one in zip(by_scale, sums, strict=True)
            ),
            else_=0,
        )
        for sums in found
    ]


def _of_scale(rows: Any, metric: MetricDefinition, scale_id: str) -> Sequence[ColumnElement[Any]]:
    assert metric.score is not None
    slots = [(rows.c[f"v{slot}"],) for slot in range(SCALES[scale_id].slot_count)]
    return metric.score.sums(layout_of(scale_id), slots)
