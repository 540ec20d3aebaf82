"""A declared cuboid as the compiler reads cuboids: its counts under the names of its dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, case, func, literal, null, select

from app.db.tables.declared import DIMENSION_SLOTS, declared_counts
from app.db.tables.metrics import ANSWER_KEY, COUNTER_COLUMNS, Grain
from app.metrics.dimensions import ATTRIBUTE_PREFIX

MOST_DIMENSIONS: Final = len(DIMENSION_SLOTS)
_MARK = "="
"""Stands before the value of an attribute, which may be empty: '' alone is no value."""


@dataclass(frozen=True, slots=True)
class DeclaredCuboid:
    """A cuboid that a tenant declared; its rows read like those of the service's own."""

    name: str
    dimensions: tuple[str, ...]
    rows: FromClause
    grain: Grain = Grain.DAY


@lru_cache(maxsize=256)
def declared_cuboid(key: str, dimensions: tuple[str, ...]) -> DeclaredCuboid:
    """The cuboid of that declaration."""
    counts = declared_counts.c
    named = [
        _value(counts[slot], name).label(name)
        for slot, name in zip(DIMENSION_SLOTS, dimensions, strict=False)
    ]
    rest = [counts[name] for name in (*ANSWER_KEY, *COUNTER_COLUMNS)]
    rows = select(counts.tenant_id, counts.bucket, *named, *rest).where(counts.cuboid == literal(key))
    return DeclaredCuboid(f"declared:{key}", dimensions, rows.subquery("declared"))


def stored_dimensions(rows: Any, dimensions: Sequence[str]) -> list[ColumnElement[str]]:
    """The columns d0, d1, d2 of what is folded from these feedback rows."""
    stored = [
        func.coalesce(_MARK + _attribute(rows, name), "")
        if name.startswith(ATTRIBUTE_PREFIX)
        else func.coalesce(rows.c[name], "")
        for name in dimensions
    ]
    empty = [literal("")] * (len(DIMENSION_SLOTS) - len(stored))
    pairs = zip(DIMENSION_SLOTS, [*stored, *empty], strict=True)
    return [column.label(slot) for slot, column in pairs]


def longest_value(rows: Any, dimensions: Sequence[str]) -> ColumnElement[int] | None:
    """Bytes of the longest attribute of a row; None where no attribute is kept apart."""
    sizes = [
        func.coalesce(func.octet_length(_attribute(rows, name)), 0)
        for name in dimensions
        if name.startswith(ATTRIBUTE_PREFIX)
    ]
    return func.greatest(*sizes) if sizes else None


def _attribute(rows: Any, name: str) -> ColumnElement[Any]:
    found: ColumnElement[Any] = rows.c.attributes[name.removeprefix(ATTRIBUTE_PREFIX)].astext
    return found


def _value(slot: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    if not name.startswith(ATTRIBUTE_PREFIX):
        return slot
    return case((slot == "", null()), else_=func.substr(slot, len(_MARK) + 1))
