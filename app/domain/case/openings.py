"""Openings that only moved: a case that turned out to count from another time is opened once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.domain.events import EventType, StoredEvent

REDATES: Final = "redates"
"""Names the openings of ours (by their ids) that were announced, and whose place this one takes."""


def told_as(opening: StoredEvent, history: Sequence[StoredEvent]) -> UUID:
    """The event that names the cycle of an opening: of one that moved, the opening that was announced first.

    So what was said of the cycle (a breach, a failed remedy) is said of it still, wherever it starts by now.
    """
    if REDATES not in opening.fact:
        return opening.event_id
    known = {
        event.external_id: event
        for event in history
        if event.type is EventType.CASE_OPENED and event.source == opening.source
    }
    seen = {opening.external_id}
    while earlier := [known[name] for name in opening.fact.get(REDATES, ()) if name in known.keys() - seen]:
        opening = min(earlier, key=lambda event: event.position)
        seen.add(opening.external_id)
    return opening.event_id
