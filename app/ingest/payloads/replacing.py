"""What a payload that is read again changes in the journal: pure decisions over what stands for it now.

A fact that comes out the same stays. One that comes out otherwise is stated anew under an id of its own and
the old one is taken back; one that does not come out any more is taken back. Nothing is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.events import Event, EventType

MARK = "~"
"""Between a fact's id and the run that stated it anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be appended, and which ids stand for the payload then."""

    events: tuple[Event, ...]
    retractions: tuple[Event, ...]
    standing: tuple[str, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact that a payload states now, and what the journal holds under the id where it stands.

    `differs`: another fact; `known`: this very fact; neither: nothing.
    """

    event: Event
    differs: bool
    known: bool


def standing_id(event: Event, standing: Sequence[str]) -> str:
    """The id under which this fact stands in the journal: its own, or that of a run before."""
    prefix = event.id + MARK
    return next((known for known in standing if known == event.id or known.startswith(prefix)), event.id)


def plan_change(
    findings: Sequence[Finding],
    standing: Sequence[str],
    retracted: Sequence[str],
    *,
    source: str,
    run: str,
    now: datetime,
) -> Change:
    """The change that makes the journal say what the payload says now.

    `standing` are the ids that stand for the payload, `retracted` those that it stated once. `run` names
    this reading: two payloads of one fact give one new id.
    """
    appended: list[Event] = []
    ids: list[str] = []
    unchanged = 0
    for found in findings:
        name = standing_id(found.event, standing)
        if found.differs or (found.known and name in retracted):
            name = f"{found.event.id}{MARK}{run}"
            appended.append(replace(found.event, id=name))
        elif found.known:
            unchanged += 1
        else:
            appended.append(replace(found.event, id=name))
        ids.append(name)
    gone = [known_id for known_id in standing if known_id not in ids]
    return Change(
        tuple(appended),
        tuple(retraction(source, known_id, run, now) for known_id in gone),
        tuple(dict.fromkeys(ids)),
        unchanged,
    )


def retraction(source: str, event_id: str, run: str, now: datetime) -> Event:
    """Takes back a fact that its payload does not state any more."""
    return Event(
        type=EventType.EVENT_RETRACTED,
        id=f"{event_id}{MARK}{run}:retracted"[:200],
        source=source,
        occurred_at=now,
        data={"event": event_id, "source": source, "reason": "its payload is read otherwise now"},
    )
