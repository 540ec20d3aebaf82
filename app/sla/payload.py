"""What subscribers and callers are told of a timer: the whole reading, so that a CRM can act at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.case import Case, refs_of
from app.domain.events import StoredEvent, SubjectKind
from app.domain.routing import Routing
from app.domain.sla import ClockReading, Mark, explain, intervals
from app.journal.config import TenantConfig
from app.kit.ids import public_id
from app.sla.about import person_meant, standing_data
from app.sla.judging import Found
from app.sla.readings import Circumstances, SubjectClock, read_subject

_TIMER_FIELDS = (
    "timer", "clock_kind", "started_at", "due_at", "stopped_at", "cancelled_at", "target_seconds", "severity",
    "kind", "source", "channel", "touchpoint", "location", "employee", "segment", "product", "attributes",
)  # fmt: skip
MOST_INTERVALS = 500
_LEDGER_FIELDS = ("timer", "kind", "level", "revision", "at", "announced_at", "provisional")


def subject_id(kind: SubjectKind, value: UUID) -> str:
    """The public id of a subject."""
    return public_id(kind.value, value)


def reading_data(clock: SubjectClock, reading: ClockReading) -> dict[str, Any]:
    """One reading in JSON, with the versions that it depends on."""
    policy, calendar = clock.policy_of(reading), reading.calendar
    return {
        "timer": reading.timer.key,
        "concerns": reading.concerns or None,
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
    """The same with a sentence, every interval, and when it warns and escalates.

    Of a clock that ran for years the latest intervals are shown, and how many came before.
    """
    parts = intervals(reading)
    return {
        **reading_data(clock, reading),
        "explanation": explain(reading, parts),
        "shifts": [
            {"at": shift.at, "reason": shift.reason, "due_before": shift.due_before}
            for shift in reading.shifts
        ],
        "intervals": [
            {"from_at": part.from_at, "to_at": part.to_at, "kind": part.kind.value}
            for part in parts[-MOST_INTERVALS:]
        ],
        "intervals_omitted": max(len(parts) - MOST_INTERVALS, 0),
        "warnings": [_mark_data(mark) for mark in reading.warnings],
        "escalations": [_mark_data(mark) for mark in reading.escalations],
    }


def _mark_data(mark: Mark) -> dict[str, Any]:
    return {"at": mark.notice_at, "percent": mark.percent, "to": mark.to or None}


def live_timers(
    case_id: UUID, history: Sequence[StoredEvent], case: Case, config: TenantConfig, at: datetime
) -> list[dict[str, Any]]:
    """Every cycle of each timer of a case, as the clock reads it at this instant."""
    clock = read_subject(case_id, history, case, config, Circumstances(at))
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


class Refs:
    """The callers' references of subjects, from their histories; each looked up once."""

    def __init__(self, histories: Mapping[UUID, Sequence[StoredEvent]]) -> None:
        self._histories = histories
        self._known: dict[UUID, list[str]] = {}

    def history_of(self, subject: UUID) -> Sequence[StoredEvent]:
        """The events of a subject."""
        return self._histories[subject]

    def of(self, subject: UUID) -> list[str]:
        """The references in order of first mention."""
        if subject not in self._known:
            self._known[subject] = refs_of(self._histories[subject], subject)
        return self._known[subject]


class Readings:
    """What is said of each reading, made once however much is announced of it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[dict[str, Any], str]] = {}

    def told(self, item: Found) -> tuple[dict[str, Any], str]:
        """The reading in JSON without its policy, and its explanation."""
        known = self._known.get(id(item.reading))
        if known is None:
            data = {**reading_data(item.clock, item.reading), "as_of": item.reading.as_of}
            del data["policy"]
            known = self._known[id(item.reading)] = (data, explain(item.reading))
        return known


def announcement_data(item: Found, refs: Refs, readings: Readings, routing: Routing | None) -> dict[str, Any]:
    """The `data` of one outgoing message about a timer, but for when and where it is told."""
    clock, finding = item.clock, item.finding
    policy = clock.policy_of(item.reading)
    reading, explanation = readings.told(item)
    return {
        "subject": _told_subject(clock.kind, clock.subject_id, refs),
        "kind": finding.kind,
        "level": finding.level,
        "percent": finding.percent or None,
        "to": finding.to or None,
        "to_employee": person_meant(finding.to, clock, routing),
        "revision": finding.revision,
        "confidence": "provisional" if finding.provisional else "final",
        "confidence_reason": item.reason or None,
        "policy": {"key": policy.key, "version": policy.version},
        "facts": {key: value for key, value in clock.facts.items() if value is not None},
        "standing": standing_data(clock, refs.history_of(clock.subject_id)),
        "reading": reading,
        "explanation": explanation,
    }


def revoked_data(breach: StoredEvent, refs: Refs, *, revision: int) -> dict[str, Any]:
    """The same for a breach whose cycle is no more: what had started it was taken back."""
    fact, kind = breach.fact, breach.subject_kind
    assert kind is not None and breach.subject_id is not None, "a breach is about a subject"
    return {
        "subject": _told_subject(kind, breach.subject_id, refs),
        "kind": "breach_revoked",
        "level": 0,
        "percent": None,
        "to": None,
        "to_employee": None,
        "revision": revision,
        "confidence": "final",
        "confidence_reason": "start_retracted",
        "policy": {"key": fact.get("policy"), "version": fact.get("policy_version")},
        "facts": {},
        "standing": {},
        "reading": {"timer": fact.get("timer"), "state": "cancelled", "due_at": fact.get("due_at")},
        "explanation": f"{fact.get('timer')}: what had started it was taken back, so nothing was due.",
    }


def _told_subject(kind: SubjectKind, value: UUID, refs: Refs) -> dict[str, Any]:
    return {"kind": kind.value, "id": subject_id(kind, value), "refs": refs.of(value)}
