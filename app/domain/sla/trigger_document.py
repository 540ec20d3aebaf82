"""Reading the events that drive a timer, with what they must say, and lists of allowed values."""

from __future__ import annotations

from collections.abc import Collection

from app.domain.events import EventType
from app.domain.sla.document import Node, nearest
from app.domain.sla.timer import Types
from app.domain.sla.trigger import OneOf, Trigger, Triggers

FACTS = tuple(member.value for member in EventType if not member.is_derived)
DERIVED = tuple(member.value for member in EventType if member.is_derived)
MOST_STEPS = 100
_BRANCH = ".*"


def read_fact(node: Node) -> str:
    """An event type; what the service itself announces is refused."""
    if isinstance(node.value, str) and node.value in FACTS:
        return node.value
    if node.value in DERIVED:
        raise node.refusal(
            "derived_event", f"{node.value} follows from a timer and cannot drive one.", "Name a fact."
        )
    raise node.refusal("unknown_event", f"{node.value!r} is no event type.", nearest(node.value, FACTS))


def read_types(node: Node) -> Types:
    """A list of event types, or one alone."""
    return tuple(read_fact(element) for element in _elements(node))


def read_triggers(node: Node, *, counted: bool = False) -> Triggers:
    """A list of event types and of `{"event", "when"?: {field: values}}`, or one alone.

    `counted` allows `{"distinct": field, "count": n}`: the event that brings the n-th distinct value.
    """
    return tuple(_trigger(element, counted) for element in _elements(node))


def _elements(node: Node) -> list[Node]:
    elements = node.elements() if isinstance(node.value, list | tuple) else [node]
    if not elements:
        raise node.refusal("no_events", "At least one event type is expected here.", "Name one.")
    return elements


def _trigger(node: Node, counted: bool) -> Trigger:
    if not isinstance(node.value, dict):
        return Trigger(read_fact(node))
    fields = node.fields(("event", "when", *(("distinct", "count") if counted else ())), required=("event",))
    when = (
        {name: read_values(child) for name, child in fields["when"].members().items()}
        if "when" in fields
        else {}
    )
    if ("distinct" in fields) != ("count" in fields):
        raise node.refusal("missing_key", "distinct and count stand together.", "Give both, or neither.")
    if "distinct" not in fields:
        return Trigger(read_fact(fields["event"]), when)
    count = fields["count"].integer(2, MOST_STEPS)
    return Trigger(read_fact(fields["event"]), when, fields["distinct"].slug(), count)


def read_values(node: Node, closed: Collection[str] = ()) -> OneOf:
    """A scalar or a list of them; `staff.*` is a branch of a tree.

    Booleans are kept as words, since True equals 1.
    """
    elements = node.elements() if isinstance(node.value, list | tuple) else [node]
    for element in elements:
        if not isinstance(element.value, str | int | float):
            detail = "Text, a number or a boolean is expected here."
            raise element.refusal("not_a_scalar", detail, "List the values one by one.")
        if closed and element.value not in closed:
            listed = ", ".join(closed)
            detail = f"{element.value!r} is not one of: {listed}."
            raise element.refusal("unknown_value", detail, nearest(element.value, closed))
    if not elements:
        raise node.refusal(
            "never_matches", "An empty list matches nothing.", "Name a value, or drop the key."
        )
    words = {True: "true", False: "false"}
    values = [words[e.value] if isinstance(e.value, bool) else e.value for e in elements]
    branches = [value for value in values if isinstance(value, str) and value.endswith(_BRANCH)]
    exact = frozenset(value for value in values if value not in branches)
    return OneOf(exact, tuple(sorted(branch.removesuffix(_BRANCH) for branch in branches)))
