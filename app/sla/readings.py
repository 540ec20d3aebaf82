"""From a subject's history to the readings of its timers: which policy binds it, what the clock says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.case import Case
from app.domain.complaint import Severity
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.domain.sla import ClockReading, Pin, Policy, clock_event, plan_timers, read_plan
from app.journal.config import TenantConfig
from app.journal.rows import reported_by

_DIMENSIONS = (
    "channel",
    "touchpoint",
    "location",
    "employee",
    "segment",
    "product",
    "cause",
    "kind",
    "severity",
    "initiative",
    "lang",
)


@dataclass(frozen=True, slots=True)
class SubjectClock:
    """A subject, the policy that binds it, and every cycle of each of its timers."""

    subject_id: UUID
    kind: SubjectKind
    policy: Policy
    facts: Mapping[str, Any]
    readings: tuple[ClockReading, ...]
    pins: tuple[Pin, ...] = ()

    def policy_of(self, reading: ClockReading) -> Policy:
        """The policy version under which this cycle began: that of the opening, or of its reopening."""
        pinned = [pin.policy for pin in self.pins if pin.at <= reading.started_at]
        return pinned[-1] if pinned else self.policy


def read_subject(
    subject_id: UUID,
    history: Sequence[StoredEvent],
    case: Case | None,
    config: TenantConfig,
    as_of: datetime,
) -> SubjectClock | None:
    """The clock of one subject at `as_of`; None when nothing binds it.

    The policy and the calendars are those in force when the subject opened, and again when a
    case was reopened; where a fast clock dates that ahead, when we learned of it: what is put into
    force afterwards changes nothing, so that a rebuild finds the same ones.
    """
    kept = _standing(history)
    if not kept or kept[0].subject_kind is None:
        return None
    kind = kept[0].subject_kind
    opened_at = min(event.occurred_at for event in kept) if case is None else case.opened_at
    opened_at = min(opened_at, *(event.recorded_at for event in kept))
    policy = config.policy_at(opened_at)
    if policy is None:
        return None
    facts = _facts(kind, kept, case)
    events = [clock_event(event) for event in kept]
    pins = tuple(
        Pin(event.occurred_at, pinned, config.calendars_at(known_at))
        for event in kept
        if event.type is EventType.CASE_REOPENED
        and (pinned := config.policy_at(known_at := min(event.occurred_at, event.recorded_at))) is not None
    )
    plans = plan_timers(policy, facts, events, config.calendars_at(opened_at), pins)
    readings = tuple(reading for plan in plans for reading in read_plan(plan, events, as_of))
    return SubjectClock(subject_id, kind, policy, facts, readings, pins)


def _standing(history: Sequence[StoredEvent]) -> list[StoredEvent]:
    """The history without announcements, retractions and what they took back, in order of happening."""
    retracted = {event.fact.get("event_id") for event in history if event.type is EventType.EVENT_RETRACTED}
    kept = [
        event
        for event in history
        if not event.type.is_derived
        and event.type is not EventType.EVENT_RETRACTED
        and str(event.event_id) not in retracted
    ]
    return sorted(kept, key=lambda event: (event.occurred_at, event.position))


def _facts(kind: SubjectKind, kept: Sequence[StoredEvent], case: Case | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"subject": kind.value, "source": kept[0].source, "attributes": {}}
    if case is None:
        for event in reversed(kept):
            facts.update({key: event.fact[key] for key in _DIMENSIONS if event.fact.get(key) is not None})
            facts["attributes"] = {**facts["attributes"], **(event.fact.get("attributes") or {})}
        return facts
    facts.update({key: getattr(case, key, None) for key in _DIMENSIONS})
    facts["kind"] = case.kind.value
    facts["severity"] = _severity_at_opening(kept) or Severity.SEV3.value
    facts["customer_facing"] = case.customer_facing
    facts["source"] = reported_by(kept, case.source)
    facts["attributes"] = dict(case.attributes)
    return facts


def _severity_at_opening(kept: Sequence[StoredEvent]) -> str | None:
    for event in kept:
        if event.type is EventType.CASE_OPENED:
            severity: str | None = event.fact.get("severity")
            return severity
    return None
