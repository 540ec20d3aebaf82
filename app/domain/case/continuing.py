"""The case that a source reopens too late: found in what was told, and what it opens with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.domain.case.facts import DESCRIBES
from app.domain.case.fold import fold
from app.domain.case.misfit import REOPENED_TOO_LATE
from app.domain.case.standing import standing
from app.domain.case.state import Case
from app.domain.complaint import DecidedBy, severity_of_signs, severity_reason
from app.domain.events import StoredEvent

_CARRIED: Final = ("channel", "touchpoint", "location", "employee", "product", "segment", "cause")
_SIGNS: Final = ("safety", "legal", "rudeness", "loss", "repeat")


@dataclass(frozen=True, slots=True)
class LateReopening:
    """A reopening that its source stated too late, and the settled case that it found."""

    event: StoredEvent
    case_id: UUID
    case: Case
    history: Sequence[StoredEvent]

    @property
    def customer_ref(self) -> bytes | None:
        """Who reopens: as the reopening says, else whom the settled case knew last."""
        named = [event for event in self.history if event.customer_ref is not None and event.bearing is None]
        last = max(named, key=lambda event: (event.occurred_at, event.external_id), default=None)
        return self.event.customer_ref or (None if last is None else last.customer_ref)


def find_late_reopening(
    event: StoredEvent, case_id: UUID, history: Sequence[StoredEvent]
) -> LateReopening | None:
    """What a source reopens by this event, if it came too late (domain.md 6.1); None when it did not.

    `history`: what was told of the case until then, the event included.
    """
    if not any(item.event_id == event.event_id for item in history):
        return None
    case = fold(history)
    late = {item.event_id for item in case.anomalies if item.reason == REOPENED_TOO_LATE}
    return LateReopening(event, case_id, case, history) if event.event_id in late else None


def opening_after(late: LateReopening, repeat_of: str) -> dict[str, Any]:
    """The data of the opening that takes a late reopening up: the old case as it was settled, `repeat_of` it.

    A repetition raises the severity that nobody stated (domain.md 6.2), and never lowers one.
    """
    case = late.case
    carried = {name: value for name in _CARRIED if (value := getattr(case, name)) is not None}
    severity, reason = case.severity, "stated of the case that was reopened"
    signs = [sign for sign in _SIGNS if sign in {"repeat", *_signs_of(case)}]
    is_stated = _is_severity_stated(late.history)
    if not is_stated:
        severity = min(severity, severity_of_signs(case.kind, signs))  # sev1 is the gravest
        reason = severity_reason(case.kind, signs)
    return {
        **carried,
        "kind": case.kind.value,
        "severity": severity.value,
        "customer_facing": case.customer_facing,
        "initiative": "reactive",
        "attributes": dict(case.attributes),
        "detection": {
            "decided_by": DecidedBy.EXPLICIT.value,
            "rule_id": REOPENED_TOO_LATE,
            "reason": "its source reopened the settled case more than 14 days after the settlement",
            "severity_by": "stated" if is_stated else "+".join(signs),
            "severity_reason": reason,
        },
        "repeat_of": repeat_of,
        "reported_by": late.event.source,
    }


def _signs_of(case: Case) -> list[str]:
    return str(case.detection.get("severity_by", "")).split("+")


def _is_severity_stated(history: Sequence[StoredEvent]) -> bool:
    told = standing([event for event in history if event.type in DESCRIBES], history)
    return any(
        event.fact.get("severity") is not None
        and event.caused_by is None
        and (event.fact.get("detection") or {}).get("severity_by", "stated") == "stated"
        for event in told
    )
