"""The sums that scores read, taken by the database: three numbers a group cross the wire, not a histogram.

Which columns are added is told by the scores themselves (`domain.measures.scores`): their readers add up
columns of a SELECT as they add up counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, or_, select

from app.domain.measures.counters import layout_of
from app.domain.measures.definition import MetricDefinition
from app.domain.scales import SCALES
from app.metrics.query import MetricQuery
from app.metrics.shape import group_names


def score_sums(counted: Select[Any], query: MetricQuery) -> Select[Any]:
    """Histograms by group, measure and scale -> for each metric its n and what its formula reads.

    Groups that nobody answered (any more) are left out; a metric of another measure or scale reads zeros.
    """
    rows = counted.subquery("histograms")
    keys = [rows.c[name] for name in (*group_names(query), "measure", "scale_id")]
    sums = [_sums(rows, metric, alone=len(query.metrics) == 1) for metric in query.metrics]
    labelled = [
        column.label(f"s{number}") for number, column in enumerate(column for of in sums for column in of)
    ]
    return select(*keys, *labelled).where(or_(*(of[0] != 0 for of in sums)))


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
