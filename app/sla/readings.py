"""From a subject's history to the readings of its timers: which policies bind it, what the clock says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from app.domain.case import SETTLING, Case, settled_before, told_as
from app.domain.case.attention import began_at, expiry_of
from app.domain.complaint import Severity
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.domain.sla import ClockEvent, ClockReading, Policy, clock_event, plan_timers, read_plan
from app.journal.config import TenantConfig
from app.journal.rows import reported_by
from app.sla.bindings import Bind, Binding, binding, bindings, one_of_each

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
    """A subject and every cycle of each of its timers; `bound` says which policy gives a timer."""

    subject_id: UUID
    kind: SubjectKind
    facts: Mapping[str, Any]
    readings: tuple[ClockReading, ...]
    bound: Mapping[str, Binding]
    case: Case | None = None
    held: bool = False
    """a recomputation is under way: nothing is announced until it is done"""

    def policy_of(self, reading: ClockReading) -> Policy:
        """The policy version that judges this cycle: that of the opening, or of a reopening."""
        since = reading.ruled_since
        ruled_at = reading.started_at if since is None else max(reading.started_at, since)
        return self.bound[reading.timer.key].policy_at(ruled_at)


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
    """The clock of one subject at an instant; None when there is no subject.

    The policies and the calendars are those in force when the subject opened, and again when a
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
    facts, events = _facts(kind, kept, case), _clock_events(kept, history, case)
    events += [] if case is None else _foreseen(case, history, config)
    told = {event.type for event in events}
    found = [
        (plan, item)
        for first, item, calendars in bindings(kept, terms.bind or binding(config, repin), opened_at)
        for plan in plan_timers(first, facts, events, calendars, item.pins)
    ]
    plans = one_of_each(found)
    readings: list[ClockReading] = []
    for plan, _ in plans:
        if not plan.started_by.isdisjoint(told):
            readings += read_plan(plan, events, terms.as_of, terms.received_at, foresee=terms.foresee)
    bound = {plan.key: item for plan, item in plans}
    held = repin is not None and not repin.finished
    if case is not None:
        # read as it stood at the opening, shown and counted as it stands
        facts |= {"severity": case.severity.value, "cause": case.cause}
    return SubjectClock(subject_id, kind, facts, tuple(readings), bound, case, held)


def _clock_events(
    kept: Sequence[StoredEvent], history: Sequence[StoredEvent], case: Case | None
) -> list[ClockEvent]:
    if case is not None:
        earlier = settled_before(case)
        kept = [event for event in kept if event.event_id not in earlier or event.type not in SETTLING]
    events = [clock_event(event) for event in kept]
    if case is not None and case.confirmed_by is not None:
        _give_due(events, case.confirmed_by)
    for number, event in enumerate(kept):
        if event.type is EventType.CASE_OPENED and (named := told_as(event, history)) != event.event_id:
            events[number] = replace(events[number], event_id=named)
    return events


def _give_due(events: list[ClockEvent], confirmed_by: UUID) -> None:
    """Let a due time count that a source gave when it confirmed a case which feedback had opened."""
    given = next((event.data.get("due_at") for event in events if event.event_id == confirmed_by), None)
    for number, event in enumerate(events):
        if event.type == EventType.CASE_OPENED:
            if given is not None and event.data.get("due_at") is None:
                events[number] = replace(event, data={**event.data, "due_at": given})
            return


def _foreseen(case: Case, history: Sequence[StoredEvent], config: TenantConfig) -> list[ClockEvent]:
    """What time alone does to the case, before its upkeep (which looks once a minute) has stated it.

    An author's time is over at the very instant at which the timer of his answer is due: that ends the
    timer and is nobody's breach, so none may be told in that minute.
    """
    if case.dialogue is None:
        return []
    expiry = expiry_of(case, config.care.playbooks_at(began_at(history, case)).value)
    if expiry is None:
        return []
    named = uuid5(case.current.started_by, f"{expiry.event.value}:{expiry.at.isoformat()}")
    return [ClockEvent(named, expiry.event.value, expiry.at, human=False)]


def _standing(history: Sequence[StoredEvent]) -> list[StoredEvent]:
    """The history without announcements, retractions and what they took back, in order of happening."""
    retracted = {event.fact.get("event_id") for event in history if event.type is EventType.EVENT_RETRACTED}
    kept = [
        event
        for event in history
        if not event.type.is_derived
        and event.bearing is None
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
