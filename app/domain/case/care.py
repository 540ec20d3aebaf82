"""What else the facts of a case tell: checklists ticked, the author verified, actions linked to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum, auto
from typing import Final

from app.domain.events import EventType, StoredEvent
from app.domain.playbook import REPLY


class Verification(StrEnum):
    """Whether an author who gave no name showed that he is a customer (domain.md S1.3)."""

    REQUESTED = auto()
    VERIFIED = auto()
    UNVERIFIED = auto()
    EXPIRED = auto()


VERDICTS: Final = {
    EventType.CASE_VERIFICATION_REQUESTED: Verification.REQUESTED,
    EventType.CASE_VERIFIED: Verification.VERIFIED,
    EventType.CASE_UNVERIFIED: Verification.UNVERIFIED,
    EventType.CASE_VERIFICATION_EXPIRED: Verification.EXPIRED,
}
_ACTIONS: Final = frozenset(
    {EventType.CASE_ACTION_LINKED, EventType.CASE_IMPROVEMENT_DEPLOYED, EventType.CASE_IMPROVEMENT_INFORMED}
)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How the verification of an author stands, and since when it was asked for."""

    state: Verification
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class ActionLink:
    """A corrective action that this case gave rise to. From its deployment to `informed_at` we owe the
    customer a word: "thanks to you it is better" (domain.md S0.17).
    """

    action: str
    linked_at: datetime
    deployed_at: datetime | None = None
    informed_at: datetime | None = None

    @property
    def is_owed(self) -> bool:
        """True while the customer has not been told of what is already better."""
        return self.deployed_at is not None and self.informed_at is None


def ticks_of(facts: Sequence[StoredEvent]) -> dict[str, tuple[str, ...]]:
    """Checklist -> its steps that were ticked, in alphabetical order, whichever acts they are spread over."""
    found: dict[str, set[str]] = {}
    for fact in facts:
        ticked = fact.fact.get("ticked")
        if isinstance(ticked, list | tuple):
            name = str(fact.fact.get("checklist") or REPLY)
            found.setdefault(name, set()).update(str(step) for step in ticked)
    return {name: tuple(sorted(steps)) for name, steps in sorted(found.items())}


def dialogue_of(facts: Sequence[StoredEvent]) -> Dialogue | None:
    """The verification of the author: the last word counts; asked again, it is open again."""
    dialogue: Dialogue | None = None
    for fact in facts:
        state = VERDICTS.get(fact.type)
        if state is Verification.REQUESTED:
            dialogue = Dialogue(state, fact.occurred_at)
        elif state is not None:
            asked_at = fact.occurred_at if dialogue is None else dialogue.requested_at
            dialogue = Dialogue(state, asked_at)
    return dialogue


def links_of(facts: Sequence[StoredEvent]) -> tuple[ActionLink, ...]:
    """The corrective actions of the case, in order of first mention."""
    links: dict[str, ActionLink] = {}
    for fact in facts:
        action = fact.fact.get("action")
        if fact.type not in _ACTIONS or not action:
            continue
        known, at = links.get(action) or ActionLink(action, fact.occurred_at), fact.occurred_at
        match fact.type:
            case EventType.CASE_IMPROVEMENT_DEPLOYED:
                known = replace(known, deployed_at=known.deployed_at or at)
            case EventType.CASE_IMPROVEMENT_INFORMED:
                known = replace(known, informed_at=known.informed_at or at)
            case _:
                pass
        links[action] = known
    return tuple(links.values())


def first_at(facts: Sequence[StoredEvent], kind: EventType) -> datetime | None:
    """When a fact of this type was first told."""
    return next((fact.occurred_at for fact in facts if fact.type is kind), None)
