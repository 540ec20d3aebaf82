"""Openings that only moved: a case that turned out to count from another time is opened once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.domain.events import EventType, Origin, StoredEvent

REDATES: Final = "redates"
"""Names the openings of ours (by their ids) that were announced, and whose place this one takes."""


def told_as(opening: StoredEvent, history: Sequence[StoredEvent]) -> UUID:
    """The event that names the cycle of an opening: of one that moved, the opening that was announced first.

    So what was said of the cycle (a breach, a failed remedy) is said of it still, wherever it starts by now.
    An opening takes the place of those that it names, and of those that we took back because of it.
    """
    if len(history) < 2:
        return opening.event_id
    back = [event for event in history if event.type is EventType.EVENT_RETRACTED]
    if not back and REDATES not in opening.fact:
        return opening.event_id
    openings = [
        event for event in history if event.type is EventType.CASE_OPENED and event.origin is Origin.LIVE
    ]
    seen: set[UUID] = set()
    while True:
        seen.add(opening.event_id)
        named = {(opening.source, name) for name in opening.fact.get(REDATES, ())}
        gone = {event.fact.get("event_id") for event in back if event.caused_by == opening.event_id}
        earlier = [
            event
            for event in openings
            if event.event_id not in seen
            and (str(event.event_id) in gone or (event.source, event.external_id) in named)
        ]
        if not earlier:
            return opening.event_id
        opening = min(earlier, key=lambda event: event.position)
