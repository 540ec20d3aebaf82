"""Dimensions as a query names them: built-in ones and registered attributes, and conditions on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final
from uuid import UUID

from app.domain.errors import InvalidError
from app.domain.measures.definition import Dimension, MetricDefinition
from app.metrics.facts import Attribute, AttributeType
from app.metrics.schemas import FilterIn, FilterOp

ATTRIBUTE_PREFIX: Final = "attributes."

TREES: Final = frozenset(
    {
        Dimension.TOUCHPOINT,
        Dimension.LOCATION,
        Dimension.EMPLOYEE,
        Dimension.PRODUCT,
        Dimension.SEGMENT,
        Dimension.CAUSE,
    }
)
"""Dimensions whose values have parents in the directory; those of a cause are in its name too."""

Value = str | int | float | bool

_BUILT_IN: Final = {dimension.value: dimension for dimension in Dimension}
_COUNT_OF_VALUES: Final = {
    FilterOp.EQ: "exactly one",
    FilterOp.NE: "exactly one",
    FilterOp.GTE: "exactly one",
    FilterOp.LTE: "exactly one",
    FilterOp.UNDER: "exactly one",
    FilterOp.IS_NULL: "no",
    FilterOp.NOT_NULL: "no",
    FilterOp.IN: "at least one",
    FilterOp.NOT_IN: "at least one",
}


@dataclass(frozen=True, slots=True)
class DimensionRef:
    """A dimension of a query; `attribute` is set for `attributes.<key>`."""

    name: str
    dimension: Dimension | None = None
    attribute: Attribute | None = None

    @property
    def type(self) -> AttributeType:
        """Type of its values."""
        return AttributeType.TEXT if self.attribute is None else self.attribute.type

    @property
    def is_ordered(self) -> bool:
        """True where greater and less mean something."""
        return self.dimension is Dimension.SEVERITY or self.type is AttributeType.NUMBER

    def serves(self, metric: MetricDefinition) -> bool:
        """True when the rows of this metric have a place for it."""
        return self.attribute is not None or self.dimension in metric.dimensions


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter, its dimension known and its values checked."""

    ref: DimensionRef
    op: FilterOp
    values: tuple[Value, ...]
    tenant_id: UUID | None = None
    """whose tree `under` looks at"""


def get_dimension(name: str, attributes: Mapping[str, Attribute], pointer: str) -> DimensionRef:
    """The dimension of that name. Raises InvalidError naming the nearest one."""
    built_in = _BUILT_IN.get(name)
    if built_in is not None:
        return DimensionRef(name, dimension=built_in)
    usable = [ATTRIBUTE_PREFIX + key for key, attribute in attributes.items() if attribute.groupable]
    attribute = attributes.get(name.removeprefix(ATTRIBUTE_PREFIX)) if "." in name else None
    if attribute is not None and name.startswith(ATTRIBUTE_PREFIX):
        if attribute.groupable:
            return DimensionRef(name, attribute=attribute)
        raise InvalidError(
            "attribute_not_groupable",
            f"the attribute {attribute.key!r} is registered, but not as a dimension",
            pointer=pointer,
            cure="register it with groupable true",
        )
    known = [*usable, *(dimension.value for dimension in Dimension)]
    near = get_close_matches(name[:64], known, n=1, cutoff=0.0)
    raise InvalidError(
        "unknown_dimension",
        f"there is no dimension {name[:64]!r}",
        pointer=pointer,
        cure=f"the nearest is {near[0]!r}; the known ones are {', '.join(known[:60])}",
    )


def get_condition(
    given: FilterIn, attributes: Mapping[str, Attribute], pointer: str, tenant_id: UUID | None = None
) -> Condition:
    """A filter whose dimension, operator and values fit together. Raises InvalidError."""
    ref = get_dimension(given.dimension, attributes, f"{pointer}/dimension")
    wanted, count = _COUNT_OF_VALUES[given.op], len(given.values)
    if (wanted, count > 0) in (("no", True), ("at least one", False)) or (
        wanted == "exactly one" and count != 1
    ):
        raise InvalidError(
            "wrong_number_of_values",
            f"the operator {given.op} takes {wanted} value, not {count}",
            pointer=f"{pointer}/values",
            cure="use `in` or `not_in` for several values",
        )
    if given.op in (FilterOp.GTE, FilterOp.LTE) and not ref.is_ordered:
        raise InvalidError(
            "operator_not_supported",
            f"{ref.name} has no order",
            pointer=f"{pointer}/op",
            cure="gte and lte are for severity and for attributes of type number",
        )
    if given.op is FilterOp.UNDER and ref.dimension not in TREES:
        raise InvalidError(
            "operator_not_supported",
            f"{ref.name} has nothing beneath it",
            pointer=f"{pointer}/op",
            cure=f"under is for {', '.join(sorted(TREES))}",
        )
    return Condition(ref, given.op, _typed(given.values, ref, f"{pointer}/values"), tenant_id)


def _typed(values: Sequence[Value], ref: DimensionRef, pointer: str) -> tuple[Value, ...]:
    typed = tuple(_value(value, ref.type) for value in values)
    for number, (value, raw) in enumerate(zip(typed, values, strict=True)):
        if value is None:
            raise InvalidError(
                "wrong_type_of_value",
                f"{str(raw)[:40]!r} is not a {ref.type} as {ref.name} holds",
                pointer=f"{pointer}/{number}",
                cure=f"send a JSON {'string' if ref.type is AttributeType.TEXT else ref.type}",
            )
    return tuple(value for value in typed if value is not None)


def _value(raw: Value, wanted: AttributeType) -> Value | None:
    """The value in the dimension's type; text stands for numbers and booleans in flat queries."""
    match wanted:
        case AttributeType.TEXT:
            return raw if isinstance(raw, str) and _is_storable(raw) else None
        case AttributeType.NUMBER:
            return _number(raw)
        case AttributeType.BOOLEAN:
            return raw if isinstance(raw, bool) else {"true": True, "false": False}.get(str(raw))


def _number(raw: Value) -> float | None:
    if isinstance(raw, bool):
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _is_storable(text: str) -> bool:
    """Text that the database can hold: no NUL, no lone surrogate."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False
