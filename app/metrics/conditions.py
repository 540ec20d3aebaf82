"""Dimensions and filters as SQL expressions over the columns of one population's table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    String,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.cases import cases
from app.db.tables.configuration import directory
from app.db.tables.journal import events
from app.domain.measures.definition import Dimension
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
    if ref.dimension is Dimension.STAGE and table is cases:
        return _stage_of_case()
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


def _stage_of_case() -> ColumnElement[Any]:
    """The journey stage that a case was opened at: few ask for it, so it stays in the journal."""
    opening = events.alias("opening")
    return (
        select(opening.c.fact["journey_stage"].astext)
        .where(
            opening.c.tenant_id == cases.c.tenant_id,
            opening.c.subject_id == cases.c.case_id,
            opening.c.type == "case.opened",
        )
        .order_by(opening.c.position.desc())
        .limit(1)
        .correlate(cases)
        .scalar_subquery()
    )


def conditions_on(
    table: FromClause, conditions: Sequence[Condition], *, empty_is_null: bool = False
) -> list[ColumnElement[bool]]:
    """The filters of a query as conditions on a table."""
    return [_condition(dimension_column(table, c.ref, empty_is_null=empty_is_null), c) for c in conditions]


def _is_under(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    """The value, and all beneath it in the directory as it is now (a circle of parents ends); a cause by its
    name too: `staff.rudeness` lies under `staff`.
    """
    root = str(condition.values[0])
    beneath = select(literal(root).label("key")).cte(recursive=True)
    child = directory.alias()
    beneath = beneath.union(
        select(child.c.key).where(
            child.c.tenant_id == literal(condition.tenant_id),
            child.c.kind == literal(condition.ref.name),
            child.c.parent == beneath.c.key,
        )
    )
    found: ColumnElement[bool] = column.in_(select(beneath.c.key))
    if condition.ref.dimension is Dimension.CAUSE:
        return or_(found, column.startswith(f"{root}.", autoescape=True))
    return found


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
        case FilterOp.UNDER:
            return _is_under(column, condition)
        case _:
            assert_never(condition.op)
