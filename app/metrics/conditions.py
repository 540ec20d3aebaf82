"""Dimensions and filters as SQL expressions over the columns of one population's table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from sqlalchemy import Boolean, ColumnElement, Double, FromClause, String, case, cast, func, literal, or_
from sqlalchemy.dialects.postgresql import JSONB

from app.metrics.dimensions import Condition, DimensionRef
from app.metrics.facts import AttributeType
from app.metrics.schemas import FilterOp


def dimension_column(
    table: FromClause, ref: DimensionRef, *, empty_is_null: bool = False
) -> ColumnElement[Any]:
    """The value of a dimension in a row; cuboids write '' for null (`empty_is_null`).

    A declared cuboid has a column for an attribute, in which nothing is null as it should be.
    """
    if ref.attribute is not None and ref.name in table.c:
        return table.c[ref.name]
    if ref.attribute is None:
        column: ColumnElement[Any] = table.c[ref.name]
        return func.nullif(column, "", type_=String) if empty_is_null else column
    value = func.jsonb_extract_path(table.c.attributes, ref.attribute.key, type_=JSONB)
    text = func.jsonb_extract_path_text(table.c.attributes, ref.attribute.key, type_=String)
    match ref.type:
        case AttributeType.TEXT:
            return text
        # An attribute registered as a number may still hold text in some rows: that is no number.
        case AttributeType.NUMBER:
            return case((func.jsonb_typeof(value) == "number", cast(text, Double)))
        case AttributeType.BOOLEAN:
            return case((func.jsonb_typeof(value) == "boolean", cast(text, Boolean)))
        case _:
            assert_never(ref.type)


def conditions_on(
    table: FromClause, conditions: Sequence[Condition], *, empty_is_null: bool = False
) -> list[ColumnElement[bool]]:
    """The filters of a query as conditions on a table."""
    return [_condition(dimension_column(table, c.ref, empty_is_null=empty_is_null), c) for c in conditions]


def _condition(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    values = condition.values
    match condition.op:
        case FilterOp.EQ:
            return column == literal(values[0])
        case FilterOp.NE:
            return column.is_distinct_from(literal(values[0]))
        case FilterOp.IN:
            return column.in_(values)
        case FilterOp.NOT_IN:
            return or_(column.is_(None), column.not_in(values))
        case FilterOp.GTE:
            return column >= literal(values[0])
        case FilterOp.LTE:
            return column <= literal(values[0])
        case FilterOp.IS_NULL:
            return column.is_(None)
        case FilterOp.NOT_NULL:
            return column.is_not(None)
        case _:
            assert_never(condition.op)
