"""What a subscriber is told of a timer: the whole reading, so that a CRM can act without calling back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.events import StoredEvent, SubjectKind
from app.domain.sla import ClockReading, explain
from app.domain.sla import Announcement as Finding
from app.kit.ids import public_id
from app.sla.readings import SubjectClock

_PREFIXES = {SubjectKind.CASE: "case"}


def subject_id(kind: SubjectKind, value: Any) -> str:
    """The public id of a subject."""
    return public_id(_PREFIXES.get(kind, "sub"), value)


def reading_data(reading: ClockReading) -> dict[str, Any]:
    """One reading in JSON."""
    return {
        "timer": reading.timer.key,
        "cycle": reading.number,
        "clock_kind": reading.timer.clock_kind.value,
        "state": reading.state.value,
        "started_at": reading.started_at,
        "due_at": reading.due_at,
        "stopped_at": reading.stopped_at,
        "cancelled_at": reading.cancelled_at,
        "breached_at": reading.breached_at,
        "breach_reason": reading.breach_reason or None,
        "target_seconds": reading.target_seconds,
        "consumed_seconds": reading.consumed_seconds,
        "paused_seconds": reading.paused_seconds,
        "late_seconds": reading.late_seconds,
        "calendar": {"key": reading.calendar.key, "version": reading.calendar.version},
        "anomalies": [{"reason": item.reason, "at": item.at} for item in reading.anomalies],
    }


def announcement_data(
    clock: SubjectClock,
    history: Sequence[StoredEvent],
    reading: ClockReading,
    finding: Finding,
    *,
    detected_at: datetime,
    sequence: int,
) -> dict[str, Any]:
    """The `data` of one outgoing message about a timer."""
    refs = dict.fromkeys(
        event.personal["subject_ref"] for event in history if event.personal.get("subject_ref")
    )
    return {
        "subject": {"kind": clock.kind.value, "id": subject_id(clock.kind, clock.subject_id), "refs": list(refs)},
        "kind": finding.kind,
        "level": finding.level,
        "percent": finding.percent or None,
        "to": finding.to or None,
        "revision": finding.revision,
        "confidence": "provisional" if finding.provisional else "final",
        "sequence": sequence,
        "detected_at": detected_at,
        "policy": {"key": clock.policy.key, "version": clock.policy.version},
        "facts": {key: value for key, value in clock.facts.items() if value is not None},
        "reading": reading_data(reading),
        "explanation": explain(reading),
    }
