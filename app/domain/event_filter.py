"""Filters on what is posted: a small condition document, checked when it is saved, cheap to ask.

It is a document of its own and not JMESPath on purpose: asking it is one walk over the document, whose
size is bounded, while an expression language can be made to blow a payload up (`[@, @] | [@, @] | ...`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from app.domain.errors import InvalidError

MAX_CONDITIONS = 50
MAX_DEPTH = 5
MAX_VALUES = 100
MAX_PATH_LENGTH = 200

Scalar = str | int | float | bool
_GROUPS = ("all", "any", "not")


class Op(StrEnum):
    """How a field is compared; `ne` and `not_in` also hold where the field has no value."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    GTE = "gte"
    LTE = "lte"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"


@dataclass(frozen=True, slots=True)
class Condition:
    """One field compared; `path` leads from the body's top (`data`, `case`, `severity`)."""

    path: tuple[str, ...]
    op: Op
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold."""

    parts: tuple[EventFilter, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple[EventFilter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: EventFilter


EventFilter = Condition | Every | Some | Not


def parse_filter(document: Any, pointer: str = "/filter") -> EventFilter:
    """Read `{"all"|"any": [...]}`, `{"not": {...}}` or `{"field", "op", "values"}`, nested.

    Raises InvalidError with the place: `filter_shape`, `filter_field`, `filter_op`, `filter_values`,
    `filter_too_large`.
    """
    parsed = _parse(document, pointer, depth=1)
    if sum(1 for _ in conditions(parsed)) > MAX_CONDITIONS:
        raise InvalidError("filter_too_large", f"at most {MAX_CONDITIONS} conditions", pointer=pointer)
    return parsed


def conditions(event_filter: EventFilter) -> Iterator[Condition]:
    """Every condition of a filter."""
    match event_filter:
        case Condition():
            yield event_filter
        case Every(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from conditions(part)
        case Not(part=part):
            yield from conditions(part)
        case _:
            assert_never(event_filter)


def holds(event_filter: EventFilter, body: Mapping[str, Any]) -> bool:
    """True when the body (`type`, `timestamp`, `data`) passes.

    Where a path leads to a list, one element that compares is enough. Numbers compare with numbers
    and texts with texts (times are texts of one form, so they compare by age); all else differs.
    """
    match event_filter:
        case Condition():
            return _compares(event_filter, _values_at(body, event_filter.path))
        case Every(parts=parts):
            return all(holds(part, body) for part in parts)
        case Some(parts=parts):
            return any(holds(part, body) for part in parts)
        case Not(part=part):
            return not holds(part, body)
        case _:
            assert_never(event_filter)


def _values_at(body: Any, path: Sequence[str]) -> list[Any]:
    found = [body]
    for name in path:
        found = [item[name] for item in found if isinstance(item, Mapping) and name in item]
        found = [inner for item in found for inner in (item if isinstance(item, list) else [item])]
    return [item for item in found if item is not None]


def _compares(condition: Condition, found: Sequence[Any]) -> bool:
    wanted = condition.values
    match condition.op:
        case Op.EQ | Op.IN:
            return any(_equal(item, value) for item in found for value in wanted)
        case Op.NE | Op.NOT_IN:
            return not any(_equal(item, value) for item in found for value in wanted)
        case Op.GTE:
            return any(_is_like(item, wanted[0]) and item >= wanted[0] for item in found)
        case Op.LTE:
            return any(_is_like(item, wanted[0]) and item <= wanted[0] for item in found)
        case Op.IS_NULL:
            return not found
        case Op.NOT_NULL:
            return bool(found)
        case _:
            assert_never(condition.op)


def _equal(item: Any, value: Scalar) -> bool:
    return _is_like(item, value) and bool(item == value)


def _is_like(item: Any, value: Scalar) -> bool:
    if isinstance(item, bool) or isinstance(value, bool):
        return isinstance(item, bool) and isinstance(value, bool)
    if isinstance(value, str):
        return isinstance(item, str)
    return isinstance(item, int | float)


def _parse(document: Any, pointer: str, *, depth: int) -> EventFilter:
    if depth > MAX_DEPTH:
        raise InvalidError("filter_too_large", f"nested deeper than {MAX_DEPTH}", pointer=pointer)
    if not isinstance(document, Mapping):
        raise _shape(pointer)
    group = next((name for name in _GROUPS if name in document), None)
    if group is None:
        return _parse_condition(document, pointer)
    if len(document) > 1:
        raise _shape(pointer)
    inner = document[group]
    if group == "not":
        return Not(_parse(inner, f"{pointer}/not", depth=depth + 1))
    if not isinstance(inner, list) or not 1 <= len(inner) <= MAX_CONDITIONS:
        raise InvalidError(
            "filter_shape", f"`{group}` takes a list of 1 to {MAX_CONDITIONS}", pointer=f"{pointer}/{group}"
        )
    parts = (_parse(item, f"{pointer}/{group}/{n}", depth=depth + 1) for n, item in enumerate(inner))
    return Every(tuple(parts)) if group == "all" else Some(tuple(parts))


def _parse_condition(document: Mapping[str, Any], pointer: str) -> Condition:
    if not {"field"} <= document.keys() <= {"field", "op", "values"}:
        raise _shape(pointer)
    field, op, values = document["field"], document.get("op", "eq"), document.get("values", [])
    if not isinstance(field, str) or not 1 <= len(field) <= MAX_PATH_LENGTH or "" in field.split("."):
        raise InvalidError(
            "filter_field",
            "a field is a path of names joined by dots",
            pointer=f"{pointer}/field",
            cure="write it as in the body that is posted: `data.case.severity`",
        )
    if not isinstance(op, str) or op not in set(Op):
        raise InvalidError(
            "filter_op", f"{op!r} is no comparison", pointer=f"{pointer}/op", cure="one of " + ", ".join(Op)
        )
    _check_values(Op(op), values, f"{pointer}/values")
    return Condition(tuple(field.split(".")), Op(op), tuple(values))


def _check_values(op: Op, values: Any, pointer: str) -> None:
    if not isinstance(values, list) or not all(isinstance(value, Scalar) for value in values):
        raise InvalidError("filter_values", "values is a list of texts, numbers or booleans", pointer=pointer)
    if any(isinstance(value, str) and len(value) > 500 for value in values):
        raise InvalidError("filter_values", "a value is at most 500 characters", pointer=pointer)
    if op in (Op.IS_NULL, Op.NOT_NULL):
        fits, wanted = not values, "no values"
    elif op in (Op.IN, Op.NOT_IN):
        fits, wanted = 1 <= len(values) <= MAX_VALUES, f"1 to {MAX_VALUES} values"
    else:
        fits, wanted = len(values) == 1, "one value"
    if not fits or (op in (Op.GTE, Op.LTE) and isinstance(values[0], bool)):
        raise InvalidError("filter_values", f"`{op}` takes {wanted}", pointer=pointer)


def _shape(pointer: str) -> InvalidError:
    return InvalidError(
        "filter_shape",
        'a filter is {"field", "op", "values"}, {"all": [...]}, {"any": [...]} or {"not": {...}}',
        pointer=pointer,
    )
