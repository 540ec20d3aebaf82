"""Events that follow from another one by a rule of ours: of its time and origin, named after their cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.events import Event, EventType, StoredEvent, Subject
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Commit, Draft


def follow(
    commit: Commit,
    cause: StoredEvent,
    kind: EventType,
    subject: Subject,
    data: Mapping[str, Any],
    *,
    name: str = "",
    at: datetime | None = None,
) -> Draft:
    """The draft of an event that `cause` brings about; `name` tells several of one kind apart.

    `at`: when it happened, where that is not simply the time of the cause (which was told late).
    """
    stated = Event(
        type=kind,
        id=f"{kind.value}:{cause.event_id}{':' if name else ''}{name}"[:200],
        source=OWN_SOURCE,
        occurred_at=at or cause.occurred_at,
        data={**data, "human": False},
        subject=subject,
        day_precision=cause.day_precision,
    )
    return draft(
        stated, commit.config, received_at=commit.recorded_at, origin=cause.origin, caused_by=cause.event_id
    )
