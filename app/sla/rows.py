"""The row of a timer: what events alone say of a cycle, whoever asks and whenever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.domain.events import StoredEvent
from app.domain.sla import ClockReading
from app.sla.readings import SubjectClock

_DIMENSIONS = (
    "severity", "kind", "source", "channel", "touchpoint", "location", "employee", "segment", "product",
)  # fmt: skip


def timer_values(
    tenant_id: UUID, clock: SubjectClock, history: Sequence[StoredEvent], reading: ClockReading
) -> dict[str, Any]:
    """One cycle by column; `seq` is the last commit that told a fact of the subject."""
    policy = clock.policy_of(reading)
    return {
        "tenant_id": tenant_id,
        "subject_id": clock.subject_id,
        "timer": reading.timer.key,
        "cycle": reading.cycle,
        "seq": max((event.seq for event in history if not event.type.is_derived), default=0),
        "subject_kind": clock.kind.value,
        "policy": policy.key,
        "policy_version": policy.version,
        "clock_kind": reading.timer.clock_kind.value,
        "state": _timeless_state(reading),
        "started_at": reading.started_at,
        "due_at": reading.due_at,
        "breaches_after": reading.breaches_after,
        "stopped_at": reading.stopped_at,
        "cancelled_at": reading.cancelled_at,
        "target_seconds": reading.target_seconds,
        "attributes": dict(clock.facts.get("attributes") or {}),
        "anomalies": [
            {"reason": item.reason, "event_id": item.event_id, "at": item.at} for item in reading.anomalies
        ],
        **{name: clock.facts.get(name) for name in _DIMENSIONS},
    }


def _timeless_state(reading: ClockReading) -> str:
    """What events alone say; whether an open timer is breached depends on who asks when."""
    if reading.cancelled_at is not None:
        return "cancelled"
    if reading.stopped_at is not None:
        return "met_late" if reading.is_breached else "met"
    return "open" if reading.due_at is not None else "paused"
