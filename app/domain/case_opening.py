"""The case that feedback opens: under which reference it is known, and the data it opens with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import quote, unquote

from app.domain.complaint import (
    DEFAULT_RULES,
    CaseKind,
    ComplaintFinding,
    ComplaintRules,
    DecidedBy,
    Severity,
    initial_severity,
    severity_reason,
    severity_signs,
)

_FEEDBACK: Final = "feedback:"
INTERNAL: Final = "internal:"
"""How the references of internal cases begin."""
OURS: Final = (_FEEDBACK, INTERNAL)
"""How those of the cases begin that feedback opens."""
_PLACE: Final = re.compile(
    rf"({INTERNAL}([\w.~%-]*):([\w.~%-]*):((?:19|[2-8]\d)\d\d-\d\d-\d\d))(?:#[1-9]\d{{0,8}})?", re.ASCII
)


def is_anonymous(facts: Mapping[str, Any]) -> bool:
    """True for a press on a device that nobody signed: its author cannot be reached (domain.md S0.8)."""
    return facts.get("collection_mode") == "passive" and not facts.get("customer")


def internal_case_ref(touchpoint: str | None, location: str | None, local_date: date) -> str:
    """The reference of the one internal case that a local day's anonymous negatives of a place share."""
    place = ":".join(quote(part or "", safe="") for part in (touchpoint, location))
    return f"{INTERNAL}{place}:{local_date.isoformat()}"


def internal_place(ref: str) -> tuple[str | None, str | None, date] | None:
    """Touchpoint, location and local day of an internal case; None for what only begins like one.

    Sources may tell of a case under any reference.
    """
    found = _PLACE.fullmatch(ref)
    if found is None:
        return None
    touchpoint, location = unquote(found[2]) or None, unquote(found[3]) or None
    try:
        day = date.fromisoformat(found[4])
    except ValueError:
        return None
    is_ours = found[1] == internal_case_ref(touchpoint, location, day) and "%00" not in ref
    return (touchpoint, location, day) if is_ours else None


def next_internal_ref(ref: str) -> str:
    """The reference of the internal case that follows a settled one of the same place and day.

    `ref`: one of which `internal_place` knows the place.
    """
    base, _, number = ref.partition("#")
    return f"{base}#{int(number or 1) + 1}"


def feedback_case_ref(source: str, name: str) -> str:
    """The reference of the case that signed feedback opens; `name`: its object, else the event's id."""
    return f"{_FEEDBACK}{source}:{name}"


def reopened_case_ref(source: str, name: str) -> str:
    """The reference of the case that a reopening opens which came too late; `name`: the event's id."""
    return f"reopened:{source}:{name}"


def named_by(ref: str) -> list[tuple[str, str]]:
    """Every (source, name) whose case would have this reference: a source's key may hold a colon itself."""
    if not ref.startswith(_FEEDBACK):
        return []
    rest = ref.removeprefix(_FEEDBACK)
    return [(rest[:at], rest[at + 1 :]) for at, letter in enumerate(rest) if letter == ":"]


_CARRIED: Final = (
    "channel",
    "touchpoint",
    "journey_stage",
    "location",
    "employee",
    "product",
    "segment",
    "cause",
)


def case_opening(
    facts: Mapping[str, Any],
    finding: ComplaintFinding | None,
    kind: CaseKind = CaseKind.COMPLAINT,
    *,
    repeat_of: str | None = None,
    rules: ComplaintRules = DEFAULT_RULES,
) -> dict[str, Any]:
    """The data of the derived `case.opened`: facts only, no text and no customer; absent means unknown.

    `facts` as for `detect`, with `customer` if there is one: without it a passive answer is anonymous and
    its case faces no customer. `repeat_of` names the earlier case of the same customer and cause.
    """
    repeat = repeat_of is not None
    data: dict[str, Any] = {key: facts[key] for key in _CARRIED if facts.get(key) is not None}
    data["kind"] = kind.value
    data["severity"] = initial_severity(facts, kind, repeat=repeat, rules=rules).value
    data["customer_facing"] = not is_anonymous(facts)
    data["initiative"] = "reactive"
    data["attributes"] = dict(facts.get("attributes") or {})
    decided = finding or ComplaintFinding(DecidedBy.EXPLICIT, "kind", f"the source calls it a {kind.value}")
    signs = severity_signs(facts, repeat=repeat, rules=rules)
    stated = facts.get("severity") in list(Severity)
    data["detection"] = {
        **decided.as_fact(),
        "severity_by": "stated" if stated else "+".join(signs) or "default",
        "severity_reason": "stated by the source" if stated else severity_reason(kind, signs),
    }
    due_at = facts.get("due_at")
    if due_at is not None:
        data["due_at"] = _instant(due_at) if isinstance(due_at, datetime) else due_at
    if repeat_of is not None:
        data["repeat_of"] = repeat_of
    return data


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
