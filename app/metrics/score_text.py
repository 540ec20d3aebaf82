"""The rows of scores as JSON, written by the database: formulas, rounding, status and text in one SELECT.

The formulas are those of `domain.measures.scores`, reckoning with columns; what is written is byte for byte
what `rows_json` writes of `scored_table` (tested). The service itself only puts in when a bucket starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Numeric,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.domain.measures.definition import Dimension, MetricDefinition, Unit
from app.domain.measures.scores import Scored
from app.domain.measures.statistics import EXACT, SURE
from app.domain.measures.values import LOW_N_BELOW, SUPPRESSED_BELOW, status_of
from app.kit import json
from app.metrics.columns import BUCKET, Column, part_unit
from app.metrics.dimensions import DimensionRef
from app.metrics.facts import AttributeType
from app.metrics.query import MetricQuery
from app.metrics.score_lists import score_groups, sum_names
from app.metrics.shape import group_names

MOST_ROWS: Final = "most_rows"
"""The parameter that says how many rows may be written."""

START: Final = "\x01"
"""Stands in the text for the start of the bucket: JSON never holds it as it is."""

_VALUE, _N, _LOW, _HIGH, _PARTS = 0, 1, 2, 3, 4
_NULL: Final = literal("null", Text)


class _Columns:
    """Arithmetic of columns of double precision: the operations of Python's floats, rounded alike."""

    def root(self, x: Any) -> Any:
        return func.sqrt(x, type_=Double)

    def least(self, x: Any, y: Any) -> Any:
        return func.least(x, y, type_=Double)

    def greatest(self, x: Any, y: Any) -> Any:
        return func.greatest(x, y, type_=Double)

    def choice(self, condition: Any, yes: Any, no: Any) -> Any:
        return case((condition, yes)) if no is None else case((condition, yes), else_=no)


def is_writable(query: MetricQuery) -> bool:
    """False where the rows must be ordered otherwise or resumed, or hold what is written in other ways."""
    numbers = any(ref.type is AttributeType.NUMBER for ref in query.group_by)
    return not query.order and query.cursor is None and not numbers


def score_text(parts: Sequence[Select[Any]], query: MetricQuery) -> Select[Any]:
    """Histograms by key, measure and scale -> (bucket, number of rows, the rows), a bucket each, in order.

    At most one row more than the query's limit is written, to tell that there are more.
    """
    groups = score_groups(parts, query).subquery("groups")
    most = bindparam(MOST_ROWS, query.limit + 1, type_=Integer)
    shown = _shown(_scored(select(*groups.c).limit(most).subquery("some"), query), query)
    texts, fixed = _texts(shown, query), _fixed(query)
    pieces: list[Any] = []
    lead = "{"
    for number, column in enumerate(query.columns):
        lead += ("," if number else "") + json.dumps_text(column.name) + ":"
        if column.name == BUCKET:
            lead += START
        elif column.name in fixed:
            lead += json.dumps_text(fixed[column.name])
        elif column.type == "list":
            lead += "[]"
        else:
            pieces += [_constant(lead), texts[column.name]]
            lead = ""
    row = func.concat(*pieces, _constant(lead + "}"), type_=Text)
    rows = func.string_agg(row, aggregate_order_by(_constant(","), *_order(query, shown)), type_=Text)
    bucket = shown.c.bucket
    told: list[ColumnElement[Any]] = [cast(bucket, Text), func.count(), rows]
    return select(*told).group_by(bucket).order_by(bucket)


def _order(query: MetricQuery, rows: Subquery) -> list[ColumnElement[Any]]:
    """The dimensions as Python sorts them: text by code points, null (empty in what is stored) last."""
    fixed = _fixed(query)
    columns = zip(query.group_by, _dimensions(query, rows), strict=True)
    return [
        told.collate("C") if ref.type is AttributeType.TEXT else told
        for ref, told in columns
        if ref.name not in fixed
    ]


def _fixed(query: MetricQuery) -> dict[str, str]:
    """Dimensions that are the same in all rows: nothing but the one scale of the metrics is read."""
    scales = {scale_id for metric in query.metrics for scale_id in metric.scale_ids}
    return {Dimension.SCALE_ID.value: scales.pop()} if len(scales) == 1 else {}


def _dimensions(query: MetricQuery, rows: Subquery) -> list[ColumnElement[Any]]:
    named = zip(query.group_by, group_names(query)[1:], strict=True)
    return [
        func.nullif(rows.c[name], "", type_=Text) if ref.attribute is None else rows.c[name]
        for ref, name in named
    ]


def _scored(groups: Subquery, query: MetricQuery) -> Subquery:
    """The key, then what each metric's formula gives (`Scored`), null where nobody answered."""
    columns = [groups.c[name] for name in group_names(query)]
    for number, (metric, names) in enumerate(zip(query.metrics, sum_names(query), strict=True)):
        assert metric.score is not None
        n, *reads = (cast(groups.c[name], Double) for name in names)
        scored: Scored = metric.score.formula(_Columns(), func.nullif(n, 0.0, type_=Double), *reads)
        told = [case((n != 0, value)) if place >= _PARTS else value for place, value in enumerate(scored)]
        told[_N] = n
        columns += [value.label(_name(number, place)) for place, value in enumerate(told)]
    # `OFFSET 0` keeps the database from putting formulas into each place that reads their value.
    return select(*columns).offset(0).subquery("scored")


def _shown(scored: Subquery, query: MetricQuery) -> Subquery:
    """The same rounded; no value and no interval of fewer answers than may be shown."""
    columns = [scored.c[name] for name in group_names(query)]
    for number, metric in enumerate(query.metrics):
        places = range(_PARTS + len(metric.parts))
        told: list[ColumnElement[Any]] = [scored.c[_name(number, place)] for place in places]
        enough = told[_N] >= SUPPRESSED_BELOW
        for place in (_VALUE, _LOW, _HIGH):
            told[place] = case((enough, _rounded(told[place], metric.unit)))
        for place, name in enumerate(metric.parts, start=_PARTS):
            told[place] = _part(metric, name, told[place])
        columns += [value.label(_name(number, place)) for place, value in enumerate(told)]
    return select(*columns).offset(0).subquery("shown")


def _rounded(value: ColumnElement[Any], unit: Unit) -> ColumnElement[Any]:
    """`round_half_away`: what is near a half goes by its decimal digits; adding zero leaves no -0."""
    power = 10.0**unit.decimals
    scaled = value * power
    whole = func.round(scaled, type_=Double)
    sure = and_(func.abs(scaled) < EXACT, func.abs(scaled - whole) < SURE)
    by_digits = func.round(cast(cast(value, Text), Numeric), unit.decimals, type_=Numeric)
    return case((sure, whole / power + 0.0), else_=cast(by_digits, Double))


def _part(metric: MetricDefinition, name: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    unit = part_unit(metric, name)
    return value if unit is Unit.COUNT or name == "sum" else _rounded(value, unit)


def _texts(shown: Subquery, query: MetricQuery) -> Mapping[str, ColumnElement[Any]]:
    """JSON of each column that is not the same in all rows, by its name."""
    columns = {column.name: column for column in query.columns}
    dimensions = zip(query.group_by, _dimensions(query, shown), strict=True)
    texts = {ref.name: _dimension_text(ref, value) for ref, value in dimensions}
    for number, metric in enumerate(query.metrics):
        n = shown.c[_name(number, _N)]
        texts[f"{metric.id}_status"] = _status(n)
        endings = ("", "_n", "_ci_low", "_ci_high", *(f"_{part}" for part in metric.parts))
        for place, ending in enumerate(endings):
            name = metric.id + ending
            texts[name] = _number(columns[name], shown.c[_name(number, place)], alone=len(query.metrics) == 1)
    return texts


def _dimension_text(ref: DimensionRef, value: ColumnElement[Any]) -> ColumnElement[Any]:
    match ref.type:
        case AttributeType.TEXT:
            return func.coalesce(cast(func.to_json(value), Text), _NULL)
        case AttributeType.BOOLEAN:
            return func.coalesce(cast(value, Text), _NULL)
        case AttributeType.NUMBER:
            raise ValueError(f"{ref.name} holds numbers of any size: see is_writable")


def _number(column: Column, value: ColumnElement[Any], *, alone: bool) -> ColumnElement[Any]:
    if column.type == "integer" and alone:
        return cast(value, BigInteger)  # never null: groups without answers to the only metric are left out
    if column.type == "integer":
        return func.coalesce(cast(cast(value, BigInteger), Text), _NULL)
    return _fraction(value)


def _fraction(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """As the encoder writes a float: 2.0, not 2."""
    text = cast(value, Text)
    whole = func.concat(text, _constant(".0"), type_=Text)
    return case((value == func.trunc(value), whole), else_=func.coalesce(text, _NULL))


def _status(n: ColumnElement[Any]) -> ColumnElement[Any]:
    limits = {1: 0, SUPPRESSED_BELOW: 1, LOW_N_BELOW: SUPPRESSED_BELOW}
    whens = [(n < below, _constant(_quoted(least))) for below, least in limits.items()]
    return case(*whens, else_=_constant(_quoted(LOW_N_BELOW)))


def _quoted(n: int) -> str:
    return json.dumps_text(status_of(n).value)


def _constant(text: str) -> ColumnElement[str]:
    return literal(text, Text)


def _name(number: int, place: int) -> str:
    return f"m{number}_{place}"
