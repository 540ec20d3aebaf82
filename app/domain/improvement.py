"""Corrective actions, recurring failures and staff debriefs, each folded from the facts about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.domain.case.moments import moment_of
from app.domain.case.standing import order, standing
from app.domain.events import EventType, StoredEvent
from app.domain.playbook import Checklist, Named


@dataclass(frozen=True, slots=True)
class Action:
    """A systemic fix for many cases: `open` until it is in force or given up."""

    state: str = "open"
    name: str | None = None
    cause: str | None = None
    severity: str | None = None
    owner: str | None = None
    opened_at: datetime | None = None
    due_at: datetime | None = None
    deployed_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A cause that came back too often; detected again after its closing it is open again."""

    cause: str | None = None
    state: str = "open"
    detected_at: datetime | None = None
    rule: str | None = None
    cases: int | None = None
    cases_before: int | None = None
    owner: str | None = None
    action: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Debrief:
    """A talk with an employee: `held` when all but the later check is done, then `completed`."""

    checklist: str = Named.DEBRIEF_NEGATIVE.value
    employee: str | None = None
    cause: str | None = None
    severity: str | None = None
    location: str | None = None
    case: str | None = None
    opened_at: datetime | None = None
    held_at: datetime | None = None
    completed_at: datetime | None = None
    steps: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def state(self) -> str:
        if self.completed_at is not None:
            return "completed"
        return "open" if self.held_at is None else "held"


def is_of_improvement(event: StoredEvent) -> bool:
    """True for what is told of an action, a failure or a debrief; word of its deadlines is not."""
    return event.type.startswith(("corrective_action.", "recurring_failure.", "debrief."))


def _facts(events: Sequence[StoredEvent]) -> list[StoredEvent]:
    told = [event for event in events if is_of_improvement(event)]
    return sorted(standing(told, events), key=lambda event: (*order(event)[:1], *order(event)[2:]))


def _stated(said: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: said[name] for name in names if said.get(name) is not None}


def fold_action(events: Sequence[StoredEvent]) -> Action | None:
    """The action that these events of one subject tell of; None when none of them stands.

    Deployed counts more than cancelled: what is in force cannot be given up.
    """
    action: Action | None = None
    for event in _facts(events):
        at, said = event.occurred_at, event.fact
        action = action or Action(opened_at=at)
        action = replace(action, **_stated(said, "name", "cause", "severity", "owner"))
        if moment_of(said.get("due_at")) is not None:
            action = replace(action, due_at=moment_of(said["due_at"]))
        match event.type:
            case EventType.CORRECTIVE_ACTION_DEPLOYED:
                action = replace(action, state="deployed", deployed_at=action.deployed_at or at)
            case EventType.CORRECTIVE_ACTION_CANCELLED:
                state = "cancelled" if action.deployed_at is None else action.state
                action = replace(action, state=state, cancelled_at=action.cancelled_at or at)
            case _:
                pass
    return action


def fold_failure(events: Sequence[StoredEvent]) -> Failure | None:
    """The failure that these events of one cause tell of; None when none of them stands."""
    failure: Failure | None = None
    for event in _facts(events):
        at, said = event.occurred_at, event.fact
        if event.type is EventType.RECURRING_FAILURE_CLOSED:
            failure = replace(failure or Failure(detected_at=at), state="closed", closed_at=at)
            continue
        if failure is None or failure.state == "closed":
            failure = Failure(detected_at=at)
        names = ("cause", "rule", "cases", "cases_before", "owner", "action")
        failure = replace(failure, **_stated(said, *names))
    return failure


def fold_debrief(events: Sequence[StoredEvent]) -> Debrief | None:
    """The debrief that these events of one subject tell of; None when none of them stands."""
    debrief: Debrief | None = None
    for event in _facts(events):
        at, said = event.occurred_at, event.fact
        debrief = debrief or Debrief(opened_at=at)
        names = ("checklist", "employee", "cause", "severity", "location", "case")
        debrief = replace(debrief, **_stated(said, *names))
        match event.type:
            case EventType.DEBRIEF_STEP_DONE if said.get("step"):
                debrief = replace(debrief, steps={str(said["step"]): at, **debrief.steps})
            case EventType.DEBRIEF_HELD:
                debrief = replace(debrief, held_at=debrief.held_at or at)
            case EventType.DEBRIEF_COMPLETED:
                debrief = replace(debrief, completed_at=debrief.completed_at or at)
            case _:
                pass
    return debrief


def debrief_progress(debrief: Debrief, checklist: Checklist) -> tuple[tuple[EventType, datetime], ...]:
    """What the steps taken so far come to and nobody has stated yet, as of the last of these steps.

    Held is all but the last step, which looks back later, of a talk about something bad.
    """
    keys = [step.key for step in checklist.steps]
    done, first = debrief.steps, keys[:-1]
    found: list[tuple[EventType, datetime]] = []
    later_check = debrief.checklist == Named.DEBRIEF_NEGATIVE
    if later_check and debrief.held_at is None and set(first) <= done.keys():
        found.append((EventType.DEBRIEF_HELD, max(done[key] for key in first)))
    if debrief.completed_at is None and set(keys) <= done.keys():
        found.append((EventType.DEBRIEF_COMPLETED, max(done[key] for key in keys)))
    return tuple(found)
