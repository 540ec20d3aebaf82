"""The filters of the list of cases, each checked before the database sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domain.case import CaseState
from app.domain.case.care import Verification
from app.domain.channel import Channel
from app.domain.complaint import CaseKind, Severity
from app.domain.errors import InvalidError
from app.domain.sla.document import nearest
from app.kit.cursors import CursorError, decode_cursor, encode_cursor

COLUMNS: Final = (
    "state", "severity", "kind", "channel", "touchpoint", "location", "employee", "product", "segment",
    "cause", "source", "assignee", "initiative", "verification", "resurvey_class", "is_double_deviation",
    "promise_missed", "is_ambassador", "customer_facing",
)  # fmt: skip
"""Query parameters that are columns; each may be given several times: any of its values will do."""

PLAIN: Final = ("opened_from", "opened_to", "overdue", "anomaly", "sort", "limit", "cursor")
ATTRIBUTE_PREFIX: Final = "attributes."
FLAGS: Final = frozenset({"is_double_deviation", "promise_missed", "is_ambassador", "customer_facing"})
_CLOSED_LISTS: Final[Mapping[str, Iterable[str]]] = {
    "state": CaseState,
    "channel": Channel,
    "severity": Severity,
    "kind": CaseKind,
    "initiative": ("reactive", "proactive"),
    "verification": Verification,
    **dict.fromkeys(FLAGS, ("true", "false")),
}
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_MOST_VALUES: Final = 100


class CaseOrder(StrEnum):
    """The order of a list of cases."""

    OPENED = "opened"
    """The newest first."""
    DUE = "due"
    """Only cases with an open deadline, the nearest (or longest missed) first."""


class AnomalyReason(StrEnum):
    """Why a fact did not fit where its time puts it; the case lists it and went on without it."""

    AWAITING_OPENING = "awaiting_opening"
    SECOND_OPENING = "second_opening"
    BEFORE_OPENING = "before_opening"
    REOPENED_WHILE_OPEN = "reopened_while_open"
    REOPENED_TOO_LATE = "reopened_too_late"
    AFTER_CLOSING = "after_closing"
    AFTER_ENDING = "after_ending"
    RESUMED_WITHOUT_WAITING = "resumed_without_waiting"
    STATED_DIFFERENTLY = "stated_differently"
    UNREADABLE_FACT = "unreadable_fact"
    MERGED_ALREADY = "merged_already"
    MERGED_IN_A_CIRCLE = "merged_in_a_circle"
    RETRACTED = "retracted"


@dataclass(slots=True)
class CaseFilters:
    """What a page must meet: `overdue_at`, an open timer was due before it; `place`, where it begins."""

    columns: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, list[str]] = field(default_factory=dict)
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    overdue_at: datetime | None = None
    anomaly: AnomalyReason | None = None
    order: CaseOrder = CaseOrder.OPENED
    place: tuple[datetime, UUID] | None = None


def read_filters(parameters: Iterable[tuple[str, str]]) -> CaseFilters:
    """The filters among query parameters. Raises InvalidError (`unknown_parameter`, `invalid_value` ...)."""
    filters = CaseFilters()
    for name, value in parameters:
        if name in PLAIN:
            continue
        if name.startswith(ATTRIBUTE_PREFIX):
            values = filters.attributes.setdefault(_attribute(name), [])
        elif name in COLUMNS:
            values = filters.columns.setdefault(name, [])
        else:
            known = [*COLUMNS, *PLAIN, f"{ATTRIBUTE_PREFIX}<key>"]
            raise _refusal("unknown_parameter", name, "is no query parameter here", nearest(name[:80], known))
        values.append(_checked(name, value))
        if len(values) > _MOST_VALUES:
            raise _refusal("too_many_values", name, f"has more than {_MOST_VALUES} values", "ask twice")
    return filters


def encode_place(order: CaseOrder, at: datetime, case_id: UUID) -> str:
    """The cursor of a page that ends with this case: opened, or due, at that time."""
    return encode_cursor(order.value, at.isoformat(), case_id)


def decode_place(order: CaseOrder, cursor: str) -> tuple[datetime, UUID]:
    """Where the page before ended. Raises InvalidError `invalid_cursor`, of another order's cursor too."""
    try:
        told, at, case_id = decode_cursor(cursor, 3)
        if told != order.value:
            raise CursorError
        return datetime.fromisoformat(str(at)).astimezone(UTC), UUID(str(case_id))
    except (CursorError, ValueError, OverflowError):
        cure = "take `next_cursor` of the page before, or leave it out to begin anew"
        raise _refusal("invalid_cursor", "cursor", "is no cursor of this list", cure) from None


def _attribute(name: str) -> str:
    key = name.removeprefix(ATTRIBUTE_PREFIX)
    if _ATTRIBUTE.fullmatch(key) is None:
        raise _refusal("unknown_parameter", name, "names no attribute", "letters, digits and _ make a key")
    return key


def _checked(name: str, value: str) -> str:
    words = _CLOSED_LISTS.get(name)
    if words is not None and value not in list(words):
        raise _refusal("invalid_value", name, f"cannot be {value[:80]!r}", nearest(value[:80], list(words)))
    return value


def _refusal(reason: str, name: str, what: str, cure: str) -> InvalidError:
    return InvalidError(reason, f"`{name[:80]}` {what}", pointer=f"query:{name[:80]}", cure=cure)
