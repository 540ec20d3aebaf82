"""From a subject's history to the readings of its timers: which policy binds it, what the clock says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.case import Case
from app.domain.complaint import Severity
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.domain.sla import Calendar, ClockReading, Pin, Policy, clock_event, plan_timers, read_plan
from app.journal.config import Repin, TenantConfig
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
    held: bool = False
    """a recomputation is under way: nothing is announced until it is done"""

    def policy_of(self, reading: ClockReading) -> Policy:
        """The policy version under which this cycle began: that of the opening, or of its reopening."""
        if not self.pins:
            return self.policy
        pinned = [pin.policy for pin in self.pins if pin.at <= reading.started_at]
        return pinned[-1] if pinned else self.policy


Bound = tuple[Policy | None, Mapping[str, Calendar]]
Bind = Callable[[datetime], Bound]
"""The policy and the calendars of what opened, or was reopened, at an instant."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When a clock is read, and what other subjects know of it.

    `received_at`: the earliest receipt of cases that were merged into it. `foresee`: see `read_plan`.
    """

    as_of: datetime
    received_at: datetime | None = None
    foresee: bool = False
    bind: Bind | None = None
    """what binds instead of the pinned versions: a draft, a recomputation that is weighed"""


def read_subject(
    subject_id: UUID,
    history: Sequence[StoredEvent],
    case: Case | None,
    config: TenantConfig,
    terms: Circumstances,
) -> SubjectClock | None:
    """The clock of one subject at an instant; None when nothing binds it.

    The policy and the calendars are those in force when the subject opened, and again when a
    case was reopened; where a fast clock dates that ahead, when we learned of it: what is put into
    force afterwards changes nothing (so that a rebuild finds the same ones) unless a recomputation
    says so.
    """
    kept = _standing(history)
    if not kept or kept[0].subject_kind is None:
        return None
    kind = kept[0].subject_kind
    opened_at = min(event.occurred_at for event in kept) if case is None else case.opened_at
    repin = config.repin_of(opened_at)
    opened_at = min(opened_at, *(event.recorded_at for event in kept))
    bind = terms.bind or binding(config, repin)
    policy, calendars = bind(opened_at)
    if policy is None:
        return None
    facts = _facts(kind, kept, case)
    events = [clock_event(event) for event in kept]
    pins = tuple(_pins(kept, bind))
    plans = plan_timers(policy, facts, events, calendars, pins)
    told = {event.type for event in events}
    readings = tuple(
        reading
        for plan in plans
        if not plan.started_by.isdisjoint(told)
        for reading in read_plan(plan, events, terms.as_of, terms.received_at, foresee=terms.foresee)
    )
    held = repin is not None and not repin.finished
    return SubjectClock(subject_id, kind, policy, facts, readings, pins, held)


def binding(config: TenantConfig, repin: Repin | None) -> Bind:
    """What binds by this configuration, with a recomputation if there was one."""

    def bind(known_at: datetime) -> Bound:
        if repin is None:
            return config.policy_at(known_at), config.calendars_at(known_at)
        policy = repin.policy or config.policy_at(known_at)
        return policy, config.calendars_at(max(known_at, repin.calendars_at))

    return bind


def _pins(kept: Sequence[StoredEvent], bind: Bind) -> Iterator[Pin]:
    for event in kept:
        if event.type is EventType.CASE_REOPENED:
            policy, calendars = bind(min(event.occurred_at, event.recorded_at))
            if policy is not None:
                yield Pin(event.occurred_at, policy, calendars)


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
    opening = next((event for event in kept if event.type is EventType.CASE_OPENED), None)
    said: Mapping[str, Any] = opening.fact if opening else {}
    facts["severity"] = said.get("severity") or Severity.SEV3.value
    facts["cause"] = said.get("cause")
    facts["customer_facing"] = case.customer_facing
    facts["assignee"] = case.assignee
    facts["source"] = reported_by(kept, case.source)
    facts["attributes"] = dict(case.attributes)
    return facts
