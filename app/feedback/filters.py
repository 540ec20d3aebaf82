"""The filters of the feedback list: known names only, each value checked before the database sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final
from uuid import UUID

from app.domain.case.care import Verification
from app.domain.channel import Channel
from app.domain.errors import InvalidError
from app.domain.journey.rules import Stage
from app.domain.scales import SCALES, AnswerClass, QuestionMeasure
from app.domain.sla.document import nearest
from app.kit.cursors import CursorError, decode_cursor, encode_cursor

COLUMNS: Final[Mapping[str, str]] = {
    name: name
    for name in (
        "channel",
        "touchpoint",
        "stage",
        "location",
        "employee",
        "segment",
        "product",
        "source",
        "kind",
        "question",
        "measure",
        "scale_id",
        "class",
        "collection_mode",
        "cause",
        "lang",
        "verification",
    )
}
"""Query parameter -> column of the feedback store."""

CLOSED_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "channel": tuple(Channel),
    "stage": tuple(Stage),
    "kind": ("rating", "review", "question", "complaint", "praise", "suggestion"),
    "measure": tuple(QuestionMeasure),
    "scale_id": tuple(SCALES),
    "class": tuple(AnswerClass),
    "collection_mode": ("passive", "staff_prompted", "invited", "scraped"),
    "verification": ("presumed_genuine", *Verification),
}
"""The values that a column can have, where no tenant adds to them."""

ATTRIBUTE_PREFIX: Final = "attributes."
PLAIN: Final = ("customer", "from", "to", "limit", "cursor")
_MOST_VALUES: Final = 100
_BOOLEANS: Final = {"true": True, "false": False}


@dataclass(slots=True)
class Conditions:
    """What a page must meet: each name has one of its values."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    attributes: dict[str, list[Any]] = field(default_factory=dict)
    from_at: datetime | None = None
    to_at: datetime | None = None
    before: tuple[datetime, UUID] | None = None


def read_dimensions(parameters: Iterable[tuple[str, str]], types: Mapping[str, str]) -> Conditions:
    """The conditions on dimensions and attributes (`types`: the registered ones).

    A parameter may be given several times: any of its values will do. Raises InvalidError
    (`unknown_parameter`, `unknown_attribute`, `invalid_value`, `too_many_values`).
    """
    conditions = Conditions()
    for name, value in parameters:
        if name.startswith(ATTRIBUTE_PREFIX):
            key = name.removeprefix(ATTRIBUTE_PREFIX)
            values = conditions.attributes.setdefault(key, [])
            values.append(_attribute_value(name, value, _type_of(key, name, types)))
        elif name in COLUMNS:
            values = conditions.columns.setdefault(COLUMNS[name], [])
            values.append(_listed(name, value))
        elif name in PLAIN:
            continue
        else:
            raise _unknown(name)
        if len(values) > _MOST_VALUES:
            raise InvalidError(
                "too_many_values", f"more than {_MOST_VALUES} values of `{name}`", pointer=f"query:{name}"
            )
    return conditions


def read_customer(text: str) -> tuple[str, str]:
    """`type:value`, as events name customers. Raises InvalidError."""
    kind, colon, value = text.partition(":")
    if not (kind and colon and value):
        raise _invalid("customer", "is not `type:value`", "send for example `email:olena@example.com`")
    return kind, value


def encode_place(row: Any) -> str:
    """The cursor of a page that ends with this row."""
    return encode_cursor(row.occurred_at.isoformat(), row.feedback_id)


def decode_place(cursor: str) -> tuple[datetime, UUID]:
    """Where the page before ended. Raises InvalidError `invalid_cursor`."""
    try:
        at, feedback_id = decode_cursor(cursor, 2)
        place = datetime.fromisoformat(str(at)).astimezone(UTC), UUID(str(feedback_id))
    except (CursorError, ValueError, OverflowError):
        raise InvalidError(
            "invalid_cursor",
            "this is no cursor of this list",
            pointer="query:cursor",
            cure="take `next_cursor` of the page before, or leave it out to begin anew",
        ) from None
    return place


def _listed(name: str, value: str) -> str:
    words = CLOSED_LISTS.get(name)
    if words is not None and value not in words:
        raise _invalid(name, f"cannot be {value[:80]!r}", nearest(value[:80], words))
    return value


def _type_of(key: str, name: str, types: Mapping[str, str]) -> str:
    known = types.get(key)
    if known is None:
        near = get_close_matches(key[:64], types, n=1)
        raise InvalidError(
            "unknown_attribute",
            f"there is no registered attribute {key[:64]!r} to filter by",
            pointer=f"query:{name[:80]}",
            cure=f"did you mean `{ATTRIBUTE_PREFIX}{near[0]}`?"
            if near
            else "register it: PUT /v1/attributes/{key}",
        )
    return known


def _attribute_value(name: str, text: str, kind: str) -> Any:
    if kind == "text":
        return text
    if kind == "boolean":
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        raise _invalid(name, "is neither true nor false", "the attribute is registered as a boolean")
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if abs(number) < float("inf"):
        return int(number) if number.is_integer() else number
    raise _invalid(name, "is not a number", "the attribute is registered as a number")


def _invalid(name: str, what: str, cure: str) -> InvalidError:
    return InvalidError("invalid_value", f"`{name}` {what}", pointer=f"query:{name}", cure=cure)


def _unknown(name: str) -> InvalidError:
    known = [*COLUMNS, *PLAIN]
    near = get_close_matches(name[:64], known, n=1)
    hint = f"did you mean `{near[0]}`? " if near else ""
    return InvalidError(
        "unknown_parameter",
        f"there is no query parameter {name[:64]!r} here",
        pointer=f"query:{name[:64]}",
        cure=f"{hint}use one of: {', '.join(known)}, {ATTRIBUTE_PREFIX}<key>",
    )
