"""The columns of an answer: the bucket, the dimensions, then each metric with all that qualifies it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from app.domain.measures.definition import PART_UNITS, MetricDefinition, Unit
from app.metrics.buckets import Granularity
from app.metrics.dimensions import DimensionRef
from app.metrics.facts import AttributeType

BUCKET: Final = "bucket"

ColumnType = Literal["text", "number", "integer", "boolean", "datetime", "list"]


class Column(NamedTuple):
    """One column of the rows."""

    name: str
    type: ColumnType
    unit: Unit | None = None
    metric: str | None = None


def answer_columns(
    metrics: Sequence[MetricDefinition],
    group_by: Sequence[DimensionRef],
    granularity: Granularity,
    *,
    compared: bool,
) -> tuple[Column, ...]:
    """All columns of an answer, in order."""
    columns = [] if granularity is Granularity.NONE else [Column(BUCKET, "datetime")]
    columns += [Column(ref.name, _type_of(ref)) for ref in group_by]
    for metric in metrics:
        columns += _of_metric(metric)
        if compared:
            columns += _of_comparison(metric)
    return tuple(columns)


def _type_of(ref: DimensionRef) -> ColumnType:
    match ref.type:
        case AttributeType.TEXT:
            return "text"
        case AttributeType.NUMBER:
            return "number"
        case AttributeType.BOOLEAN:
            return "boolean"


def _of_metric(metric: MetricDefinition) -> Iterator[Column]:
    name = metric.id
    yield Column(name, "integer" if metric.unit is Unit.COUNT else "number", metric.unit, name)
    yield Column(f"{name}_n", "integer", Unit.COUNT, name)
    yield Column(f"{name}_ci_low", "number", metric.unit, name)
    yield Column(f"{name}_ci_high", "number", metric.unit, name)
    yield Column(f"{name}_status", "text", None, name)
    yield Column(f"{name}_reasons", "list", None, name)
    for part in metric.parts:
        unit = part_unit(metric, part)
        yield Column(f"{name}_{part}", "integer" if unit is Unit.COUNT else "number", unit, name)


def part_unit(metric: MetricDefinition, part: str) -> Unit:
    """Unit of a part: most are counts, some a fraction in a unit of their own, some in their metric's."""
    return PART_UNITS.get(part, Unit.COUNT) or metric.unit


def _of_comparison(metric: MetricDefinition) -> Iterator[Column]:
    name = metric.id
    yield Column(f"{name}_previous", "number", metric.unit, name)
    yield Column(f"{name}_previous_n", "integer", Unit.COUNT, name)
    yield Column(f"{name}_difference", "number", metric.unit, name)
    yield Column(f"{name}_difference_ci_low", "number", metric.unit, name)
    yield Column(f"{name}_difference_ci_high", "number", metric.unit, name)
    yield Column(f"{name}_p_value", "number", None, name)
    yield Column(f"{name}_verdict", "text", None, name)
