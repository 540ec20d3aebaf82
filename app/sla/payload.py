"""What subscribers and callers are told of a timer: the whole reading, so that a CRM can act at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.case import Case
from app.domain.events import StoredEvent, SubjectKind
from app.domain.sla import Announcement as Finding
from app.domain.sla import ClockReading, Mark, explain, intervals
from app.journal.config import TenantConfig
from app.kit.ids import public_id
from app.sla.readings import SubjectClock, read_subject

_TIMER_FIELDS = (
    "timer", "clock_kind", "started_at", "due_at", "stopped_at", "cancelled_at", "target_seconds", "severity",
    "kind", "source", "channel", "touchpoint", "location", "employee", "segment", "product", "attributes",
)  # fmt: skip
_LEDGER_FIELDS = ("timer", "kind", "level", "revision", "at", "announced_at", "provisional")


def subject_id(kind: SubjectKind, value: UUID) -> str:
    """The public id of a subject."""
    return public_id(kind.value, value)


def reading_data(clock: SubjectClock, reading: ClockReading) -> dict[str, Any]:
    """One reading in JSON, with the versions that it depends on."""
    policy, calendar = clock.policy_of(reading), reading.calendar
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
        "policy": {"key": policy.key, "version": policy.version},
        "calendar": {"key": calendar.key, "version": calendar.version},
        "anomalies": [{"reason": item.reason, "at": item.at} for item in reading.anomalies],
    }


def explained_data(clock: SubjectClock, reading: ClockReading) -> dict[str, Any]:
    """The same with a sentence, every interval, and when it warns and escalates."""
    return {
        **reading_data(clock, reading),
        "explanation": explain(reading),
        "intervals": [
            {"from_at": part.from_at, "to_at": part.to_at, "kind": part.kind.value}
            for part in intervals(reading)
        ],
        "warnings": [_mark_data(mark) for mark in reading.warnings],
        "escalations": [_mark_data(mark) for mark in reading.escalations],
    }


def _mark_data(mark: Mark) -> dict[str, Any]:
    return {"at": mark.notice_at, "percent": mark.percent, "to": mark.to or None}


def live_timers(
    case_id: UUID, history: Sequence[StoredEvent], case: Case, config: TenantConfig, at: datetime
) -> list[dict[str, Any]]:
    """Every cycle of each timer of a case, as the clock reads it at this instant."""
    clock = read_subject(case_id, history, case, config, at)
    return [] if clock is None else [reading_data(clock, reading) for reading in clock.readings]


def timer_data(row: Any, state: str) -> dict[str, Any]:
    """One row of the timer table, in the state that it has for who asks."""
    return {
        **{name: getattr(row, name) for name in _TIMER_FIELDS},
        "subject": _subject_data(row),
        "cycle": public_id("evt", row.cycle),
        "state": state,
        "policy": {"key": row.policy, "version": row.policy_version},
    }


def ledger_data(row: Any) -> dict[str, Any]:
    """One row of the announcement ledger."""
    return {
        **{name: getattr(row, name) for name in _LEDGER_FIELDS},
        "subject": _subject_data(row),
        "cycle": public_id("evt", row.cycle),
        "event_id": public_id("evt", row.event_id),
    }


def _subject_data(row: Any) -> dict[str, Any]:
    return {"kind": row.subject_kind, "id": public_id(row.subject_kind, row.subject_id)}


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
    subject = {"kind": clock.kind.value, "id": subject_id(clock.kind, clock.subject_id), "refs": list(refs)}
    told = reading_data(clock, reading)
    return {
        "subject": subject,
        "kind": finding.kind,
        "level": finding.level,
        "percent": finding.percent or None,
        "to": finding.to or None,
        "revision": finding.revision,
        "confidence": "provisional" if finding.provisional else "final",
        "sequence": sequence,
        "detected_at": detected_at,
        "policy": told.pop("policy"),
        "facts": {key: value for key, value in clock.facts.items() if value is not None},
        "reading": told,
        "explanation": explain(reading),
    }
