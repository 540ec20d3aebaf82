"""The event that follows from another one, as the deciders of cases state it: named after it for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Commit, Draft


def derived(
    commit: Commit,
    cause: StoredEvent,
    kind: EventType,
    data: Mapping[str, Any],
    *,
    subject: Subject | None = None,
    name: str = "",
) -> Draft:
    """The draft, at the time of its cause and with its precision; `subject`: another case than that of it.

    `name` stands behind the id where the same cause may have had the same effect before.
    """
    stated = Event(
        type=kind,
        id=f"{kind.value}:{cause.event_id}{name}",
        source=OWN_SOURCE,
        occurred_at=cause.occurred_at,
        data=dict(data),
        subject=subject or Subject(SubjectKind.CASE, cause.personal["subject_ref"]),
        day_precision=cause.day_precision,
    )
    return draft(
        stated, commit.config, received_at=commit.recorded_at, origin=cause.origin, caused_by=cause.event_id
    )


def retraction_id(event: StoredEvent) -> str:
    """The id under which we take back an event of our own."""
    return f"event.retracted:{event.event_id}"


def retraction(commit: Commit, event: StoredEvent, cause: StoredEvent, reason: str) -> Draft:
    """The draft that takes back an event of our own."""
    data = {"event": event.external_id, "source": OWN_SOURCE, "reason": reason}
    stated = Event(EventType.EVENT_RETRACTED, retraction_id(event), OWN_SOURCE, cause.occurred_at, data)
    return because_of(commit, stated, cause)


def because_of(commit: Commit, stated: Event, cause: StoredEvent) -> Draft:
    """The draft of an event of our own that may be dated ahead, as its cause may be (a fast clock)."""
    return draft(
        stated,
        commit.config,
        received_at=max(commit.recorded_at, stated.occurred_at),
        origin=cause.origin,
        caused_by=cause.event_id,
    )
