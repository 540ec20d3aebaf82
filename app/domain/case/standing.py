"""Which of the facts told of a case stand, and in what order they count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.domain.case.facts import RANK
from app.domain.events import EventType, StoredEvent

_REST_OF_DAY: Final = timedelta(days=1, microseconds=-1)


def standing(told: Sequence[StoredEvent], events: Sequence[StoredEvent]) -> list[StoredEvent]:
    """Of the facts told: those that no retraction among `events` names, each thing in its last version."""
    if len(told) == 1 == len(events):
        return list(told)
    retractions = [event for event in events if event.type is EventType.EVENT_RETRACTED]
    gone = {(event.fact.get("source", event.source), event.fact.get("event")) for event in retractions}
    current: dict[tuple[str | None, ...], StoredEvent] = {}
    for event in told:
        if (event.source, event.external_id) not in gone:
            named = None if event.object is not None else event.external_id
            thing = (event.source, event.type, event.object, named)
            current[thing] = max(current.get(thing, event), event, key=_version)
    return list(current.values())


def _version(event: StoredEvent) -> tuple[Any, ...]:
    return event.version or 0, event.occurred_at, event.external_id


def order(event: StoredEvent) -> tuple[Any, ...]:
    """By time, with ties broken by what the source said and never by when we heard of it."""
    at = event.occurred_at if event.type is EventType.CASE_OPENED else latest(event)
    return at, RANK.get(event.type, 0), event.version or 0, event.source, event.external_id


def latest(event: StoredEvent) -> datetime:
    """The latest moment that its time can mean."""
    return event.occurred_at + (_REST_OF_DAY if event.day_precision else timedelta())
