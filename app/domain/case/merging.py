"""Which case a fact belongs to once cases were merged, in whatever order facts and merges were told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.domain.case.care import VERDICTS
from app.domain.case.standing import standing
from app.domain.events import Bearing, EventType, StoredEvent

LOST_OPENING: Final = "opening"
"""In a fact of ours about a case whose opening was taken back: that opening. It goes where that one is."""


_HEARD: Final = frozenset({EventType.CASE_MERGED, *VERDICTS})


@dataclass(frozen=True, slots=True)
class Merge:
    """What ended a case: it went on as another one from then on."""

    event_id: UUID
    at: datetime
    into: UUID


Merges = Mapping[UUID, Merge]
"""The absorbed case -> its merge. They never form a circle."""


def merges_of(events: Sequence[StoredEvent]) -> dict[UUID, Merge]:
    """The merges that count among these events: of each case the earliest that was not taken back.

    One that would make a case go on as itself, by way of others that were merged before it, does not count.
    Ties are broken by what the source said, never by when we heard of it.
    """
    told = [event for event in events if event.type is EventType.CASE_MERGED]
    found: dict[UUID, Merge] = {}
    for event in sorted(standing(told, events), key=_by_time) if told else ():
        into = event.fact.get("into_id")
        if event.subject_id is None or not into or event.subject_id in found:
            continue
        if survivor_of(UUID(into), found) != event.subject_id:
            found[event.subject_id] = Merge(event.event_id, event.occurred_at, UUID(into))
    return found


def survivor_of(case_id: UUID, merges: Merges, at: datetime | None = None) -> UUID:
    """The case that goes on in the place of this one: in the end, or for what happened at that time."""
    while case_id in merges and (at is None or at > merges[case_id].at):
        case_id = merges[case_id].into
    return case_id


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which the facts told of a merged case belong to another: (after_at, until_at]."""

    after_at: datetime
    until_at: datetime | None
    case_id: UUID


def spans_of(case_id: UUID, merges: Merges) -> list[Span]:
    """From its merge on, the cases to which the facts told of this case belong, one after another."""
    found: list[Span] = []
    after_at = None
    while case_id in merges:
        merge = merges[case_id]
        case_id = merge.into
        after_at = merge.at if after_at is None else max(after_at, merge.at)
        if found and found[-1].after_at == after_at:
            found.pop()
        elif found:
            found[-1] = replace(found[-1], until_at=after_at)
        found.append(Span(after_at, None, case_id))
    return found


def split(events: Sequence[StoredEvent]) -> dict[UUID, list[StoredEvent]]:
    """The events of cases that merges tie together, given to the case that each belongs to, in their order.

    What is later than a merge belongs to the survivor; a merge, and what we announced, stays where it was
    told; a retraction goes with what it takes back. A merge that does not count says so in its `bearing`. A
    survivor also hears (`Bearing.INHERITED`) of the merge, and how the absorbed author was verified.
    """
    merges = merges_of(events)
    places = places_of(events, merges)
    gone = {event.fact.get("event_id") for event in events if event.type is EventType.EVENT_RETRACTED}
    found: dict[UUID, list[StoredEvent]] = {}
    for event in events:
        place = places.get(event.event_id)
        if place is None:
            continue
        stands = str(event.event_id) not in gone
        told = _judged(event, merges) if event.type is EventType.CASE_MERGED and stands else event
        found.setdefault(place, []).append(told)
        if told.bearing is None and stands and event.type in _HEARD:
            for heir in _heirs(place, merges):
                found.setdefault(heir, []).append(replace(event, bearing=Bearing.INHERITED))
    return found


def places_of(events: Iterable[StoredEvent], merges: Merges) -> dict[UUID, UUID]:
    """Event -> the case that it belongs to; those about nothing are left out."""
    known = [(event, event.subject_id) for event in events if event.subject_id is not None]
    places = {
        event.event_id: home if _stays(event) else survivor_of(home, merges, event.occurred_at)
        for event, home in known
    }
    by_name = {str(event_id): place for event_id, place in places.items()}
    for names in (LOST_OPENING, "event_id"):
        for event, _ in known:
            led = event.type is EventType.EVENT_RETRACTED or names == LOST_OPENING
            leader = by_name.get(str(event.fact.get(names))) if led else None
            if leader is not None:
                places[event.event_id] = by_name[str(event.event_id)] = leader
    return places


def _stays(event: StoredEvent) -> bool:
    """A merge is about the case that it ends; what we announced is about the case of which we said it."""
    told = event.type.is_derived and event.type is not EventType.COMPENSATION_OVER_LIMIT
    return told or event.type is EventType.CASE_MERGED


def _judged(event: StoredEvent, merges: Merges) -> StoredEvent:
    counting = None if event.subject_id is None else merges.get(event.subject_id)
    if counting is None:
        return replace(event, bearing=Bearing.CIRCULAR)
    return event if counting.event_id == event.event_id else replace(event, bearing=Bearing.REPEATED)


def _heirs(case_id: UUID, merges: Merges) -> Iterator[UUID]:
    while case_id in merges:
        case_id = merges[case_id].into
        yield case_id


def _by_time(event: StoredEvent) -> tuple[Any, ...]:
    return event.occurred_at, event.version or 0, event.source, event.external_id
