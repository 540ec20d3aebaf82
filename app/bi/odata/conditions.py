"""A parsed $filter -> a condition over the columns of a view, every name and type checked."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, func, literal, not_, or_

from app.bi.odata.errors import ODataError
from app.bi.odata.filter import Call, Comparison, Joined, Literal, Name, Node, Not, OneOf
from app.bi.odata.model import Edm, EntitySet, Property
from app.bi.odata.values import read_literal


class _Typed(NamedTuple):
    """An expression, its type, and the literal that it is, if it is one."""

    sql: ColumnElement[Any] | None
    type: Edm | None
    literal: Literal | None = None


def get_property(entity_set: EntitySet, name: str, option: str) -> Property:
    """The property of that name. Raises ODataError naming the nearest."""
    found = entity_set.properties.get(name)
    if found is None:
        near = get_close_matches(name[:64], entity_set.properties, n=1, cutoff=0.0)
        raise ODataError(
            "unknown_property",
            f"{entity_set.name} has no property {name[:64]!r}",
            pointer=option,
            cure=f"the nearest is {near[0]!r}",
        )
    return found


def condition_of(node: Node, entity_set: EntitySet, table: FromClause) -> ColumnElement[bool]:
    """The condition that a tree means. Raises ODataError."""
    match node:
        case Joined(word, parts):
            conditions = [condition_of(part, entity_set, table) for part in parts]
            return and_(*conditions) if word == "and" else or_(*conditions)
        case Not(part):
            return not_(condition_of(part, entity_set, table))
        case Comparison(op, left, right):
            return _compared(op, _term(left, entity_set, table), _term(right, entity_set, table))
        case OneOf(term, values):
            typed = _term(term, entity_set, table)
            tests = [_compared("eq", typed, _Typed(None, None, value)) for value in values]
            return or_(*tests)
    typed = _term(node, entity_set, table)
    if typed.sql is None or typed.type is not Edm.BOOLEAN:
        raise _refused("has a value where a condition should be")
    return typed.sql


def _term(node: Node, entity_set: EntitySet, table: FromClause) -> _Typed:
    match node:
        case Name(name):
            found = get_property(entity_set, name, "$filter")
            return _Typed(table.c[name], found.type)
        case Literal():
            return _Typed(None, None, node)
        case Call(function, arguments):
            return _called(function, [_text(_term(item, entity_set, table)) for item in arguments])
    raise _refused("compares a condition with a value")


def _called(function: str, texts: list[ColumnElement[Any]]) -> _Typed:
    match function:
        case "tolower":
            return _Typed(func.lower(texts[0]), Edm.STRING)
        case "toupper":
            return _Typed(func.upper(texts[0]), Edm.STRING)
        case "contains":
            return _Typed(func.strpos(texts[0], texts[1]) > 0, Edm.BOOLEAN)
        case "startswith":
            return _Typed(func.starts_with(texts[0], texts[1]), Edm.BOOLEAN)
    return _Typed(func.right(texts[0], func.length(texts[1])) == texts[1], Edm.BOOLEAN)


def _text(typed: _Typed) -> ColumnElement[Any]:
    if typed.literal is not None:
        return literal(*read_literal(typed.literal, Edm.STRING))
    if typed.sql is None or typed.type is not Edm.STRING:
        raise _refused("gives a function of text something else")
    return typed.sql


def _compared(op: str, left: _Typed, right: _Typed) -> ColumnElement[bool]:
    if left.literal is not None and right.literal is None:
        mirror = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
        return _compared(mirror.get(op, op), right, left)
    if left.sql is None or left.type is None:
        raise _refused("compares two values; one side must be a property")
    if right.literal is not None and right.literal.kind == "null":
        if op not in ("eq", "ne"):
            raise _refused("compares with null; only eq and ne do that")
        return left.sql.is_(None) if op == "eq" else left.sql.is_not(None)
    if right.literal is not None:
        value: ColumnElement[Any] = literal(*read_literal(right.literal, left.type))
    elif right.sql is not None and right.type is not None and _alike(left.type, right.type):
        value = right.sql
    else:
        raise _refused(f"compares {left.type} with {right.type}")
    return _operator(op, left.sql, value)


def _operator(op: str, left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[bool]:
    match op:
        case "eq":
            return left == right
        case "ne":  # a null is not equal to any value
            return left.is_distinct_from(right)
        case "gt":
            return left > right
        case "ge":
            return left >= right
        case "lt":
            return left < right
    return left <= right


def _alike(one: Edm, other: Edm) -> bool:
    return one is other or (one.is_number and other.is_number)


def _refused(what: str) -> ODataError:
    return ODataError("malformed_filter", f"$filter {what}", pointer="$filter")
