"""Reading the parts of a timer: event types, pauses, alternatives, warnings, escalation, reopening."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar

from app.domain.events import EventType
from app.domain.sla.document import Node, nearest
from app.domain.sla.due_document import read_due, read_duration
from app.domain.sla.timer import (
    WAITING_CUSTOMER,
    Alternative,
    Counting,
    Duration,
    Escalation,
    Pause,
    Reopening,
    ReopenMode,
    Warn,
)
from app.domain.sla.trigger_document import DERIVED, read_fact, read_types

ROLES = ("assignee", "manager", "feedback_owner")
HIGHEST_PERCENT = 1_000
MOST_MARKS = 20
_STATES = {"waiting_customer": WAITING_CUSTOMER}
_ANNOUNCED = ("breached", "warning", "escalated", "met", "met_late", "cancelled")

Choice = TypeVar("Choice", bound=StrEnum)


def read_optional(fields: Mapping[str, Node], name: str, choices: type[Choice], default: Choice) -> Choice:
    """One of a closed list of words, or the default when the key is absent."""
    return fields[name].choice(choices) if name in fields else default


def read_alternatives(node: Node | None) -> tuple[Alternative, ...]:
    """`[{"event": ..., "when": {field: value}, "moves_to": due rule}]`; without moves_to it stops."""
    found = []
    for element in node.elements() if node else []:
        fields = element.fields(("event", "when", "moves_to"), required=("event",))
        when = _scalars(fields["when"]) if "when" in fields else {}
        moves_to = read_due(fields["moves_to"]) if "moves_to" in fields else None
        found.append(Alternative(read_fact(fields["event"]), when, moves_to))
    return tuple(found)


def _scalars(node: Node) -> Mapping[str, Any]:
    members = node.members()
    for child in members.values():
        if not isinstance(child.value, str | int | float | bool):
            detail = "Text, a number or a boolean is expected here."
            raise child.refusal("not_a_scalar", detail, "Write one alternative for each value.")
    return {name: child.value for name, child in members.items()}


def read_pauses(node: Node | None) -> tuple[Pause, ...]:
    """A list of states (`"waiting_customer"`) and of `{"start", "stop", "broken_by"?}`, event types each."""
    return tuple(_pause(element) for element in node.elements()) if node else ()


def _pause(node: Node) -> Pause:
    if isinstance(node.value, str):
        if node.value not in _STATES:
            raise node.refusal("unknown_state", f"{node.value!r} is no state.", nearest(node.value, _STATES))
        return _STATES[node.value]
    fields = node.fields(("start", "stop", "broken_by"), required=("start", "stop"))
    start, stop = read_types(fields["start"]), read_types(fields["stop"])
    broken_by = read_types(fields["broken_by"]) if "broken_by" in fields else ()
    if set(start) & {*stop, *broken_by}:
        detail = "One event cannot both begin and end a pause."
        raise node.refusal("pause_ends_itself", detail, "Name another event in `stop`.")
    return Pause(start, stop, broken_by)


def read_late_by(node: Node | None) -> Duration | None:
    """`{"hours": 2}`: starts only if the event's `due_at` is so much later than what was promised."""
    found = read_duration(node) if node else None
    if node and found and (found.counting is Counting.BUSINESS or found.business_days):
        detail = "A delay is counted in elapsed time."
        raise node.refusal("mixed_clocks", detail, "Give it in minutes, hours or days.")
    return found


def read_repeat(node: Node | None) -> bool:
    """`"while_open"`, or nothing."""
    if node is not None and node.value != "while_open":
        raise node.refusal("unknown_choice", f"{node.value!r} is no way to repeat.", "Write 'while_open'.")
    return node is not None


def read_warnings(node: Node | None) -> tuple[Warn, ...]:
    """`[75, {"percent": 90}, {"before": "PT30M"}]`; an offset counts on the timer's own clock."""
    found: dict[int, Warn] = {}
    for element in _marks(node):
        warn = _warn(element)
        if warn.level in found:
            raise element.refusal("duplicate_warning", "This warning stands above already.", "Remove one.")
        found[warn.level] = warn
    return tuple(found.values())


def _warn(node: Node) -> Warn:
    if not isinstance(node.value, Mapping):
        return Warn(percent=node.integer(1, 100, "percent_out_of_range"))
    fields = node.fields(("percent", "before"))
    if len(fields) != 1:
        raise node.refusal("ambiguous_warning", "A warning has either percent or before.", "Drop one.")
    if "percent" in fields:
        return Warn(percent=fields["percent"].integer(1, 100, "percent_out_of_range"))
    offset = read_duration(fields["before"])
    if offset.business_days:
        raise fields["before"].refusal("mixed_clocks", "Give the offset in seconds, minutes or hours.")
    return Warn(before_seconds=offset.seconds)


def read_escalations(node: Node | None) -> tuple[Escalation, ...]:
    """`[{"percent": 100, "to": "assignee"}, ...]`, rungs in ascending order."""
    rungs: list[tuple[int, str]] = []
    for element in _marks(node):
        fields = element.fields(("percent", "to"), required=("percent", "to"))
        to = fields["to"]
        if to.value not in ROLES:
            raise to.refusal("unknown_role", f"{to.value!r} is no role.", nearest(to.value, ROLES))
        rungs.append((fields["percent"].integer(1, HIGHEST_PERCENT, "percent_out_of_range"), str(to.value)))
    if node and any(after <= before for (before, _), (after, _) in pairwise(rungs)):
        detail = "Each rung must lie above the one before it."
        raise node.refusal("unordered_escalation", detail, "Put them in order of their percent.")
    return tuple(Escalation(level, percent, to) for level, (percent, to) in enumerate(rungs, start=1))


def _marks(node: Node | None) -> list[Node]:
    elements = node.elements() if node else []
    if node and len(elements) > MOST_MARKS:
        raise node.refusal("too_many_marks", f"At most {MOST_MARKS} are allowed here.", "Drop some.")
    return elements


def read_reopening(node: Node | None) -> Reopening:
    """`{"mode": "new_cycle", "target_factor": 0.5}`."""
    if node is None:
        return Reopening()
    fields = node.fields(("mode", "target_factor"))
    mode = read_optional(fields, "mode", ReopenMode, ReopenMode.NEW_CYCLE)
    factor = fields["target_factor"].number() if "target_factor" in fields else 1
    if not 0.01 <= factor <= 10:
        detail = "A factor from 0.01 to 10 is expected here."
        raise fields["target_factor"].refusal("out_of_range", detail, "0.5 halves the target.")
    if factor != 1 and mode is not ReopenMode.NEW_CYCLE:
        raise fields["target_factor"].refusal(
            "factor_without_cycle", f"With mode {mode} no further cycle has a target.", "Use mode new_cycle."
        )
    return Reopening(mode, factor)


def read_announced_as(node: Node | None) -> Mapping[str, EventType]:
    """`{"breached": "feedback_offer.missed"}`: other names for what is announced."""
    found = {}
    for name, child in node.fields(_ANNOUNCED).items() if node else []:
        if child.value not in DERIVED:
            cure = nearest(child.value, DERIVED)
            raise child.refusal("unknown_event", f"{child.value!r} is nothing that is announced.", cure)
        found[name] = EventType(str(child.value))
    return found
