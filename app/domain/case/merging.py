"""Which case a fact belongs to once cases were merged or continued, in whatever order all that was told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.domain.case.care import VERDICTS
from app.domain.case.standing import standing
from app.domain.events import Bearing, EventType, StoredEvent

LOST_OPENING: Final = "opening"
"""In a fact of ours about a case whose opening was taken back: that opening. It goes where that one is."""


_HEARD: Final = frozenset({EventType.CASE_MERGED, *VERDICTS})


CONTINUES: Final = "continues_id"
"""In an opening of ours: the settled case whose source reopened it too late, and goes on telling of it."""

LINKED: Final = "linked_id"
"""In a `case.linked`: what the other reference named, and what is the same case from the beginning."""

_JUST_BEFORE: Final = timedelta(microseconds=1)
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merge:
    """What ended a case: what is told of it later than `at` belongs to another one.

    `reopening_id`: the late reopening that another case took up; the old one ends by no merge then.
    `is_link`: it was never a case of its own, but another name of that one.
    """

    event_id: UUID
    at: datetime
    into: UUID
    reopening_id: UUID | None = None
    is_link: bool = False


Merges = Mapping[UUID, Merge]
"""The absorbed, continued or linked case -> what ended it. They never form a circle."""


def merges_of(events: Sequence[StoredEvent]) -> dict[UUID, Merge]:
    """The merges that count among these events: of each case the earliest that was not taken back.

    One that would make a case go on as itself, by way of others that were merged before it, does not count;
    one told of a case that had been continued is about its continuation, one told of a linked name about the
    case that it names. Ties are broken by what the source
    said, never by when we heard of it.
    """
    told = [event for event in events if ties(event)]
    found: dict[UUID, Merge] = {}
    for event in sorted(standing(told, events), key=_by_time) if told else ():
        case_id, merge = _read(event)
        case_id = _continued_as(case_id, found, event.occurred_at)
        if case_id not in found and survivor_of(merge.into, found) != case_id:
            found[case_id] = merge
    return found


def ties(event: StoredEvent) -> bool:
    """True for what may give the facts of one case to another: a merge, a link, an opening that continues."""
    if event.subject_id is None:
        return False
    if event.type is EventType.CASE_LINKED:
        return event.fact.get(LINKED) not in (None, str(event.subject_id))
    if event.type is EventType.CASE_MERGED:
        return bool(event.fact.get("into_id"))
    return event.type is EventType.CASE_OPENED and event.caused_by is not None and CONTINUES in event.fact


def ends_of(event: StoredEvent) -> tuple[UUID, UUID]:
    """The case that goes on as another one by this event, and that other one."""
    case_id, merge = _read(event)
    return case_id, merge.into


def _read(event: StoredEvent) -> tuple[UUID, Merge]:
    assert event.subject_id is not None  # see `ties`
    if event.type is EventType.CASE_LINKED:
        return UUID(event.fact[LINKED]), Merge(event.event_id, _ALWAYS, event.subject_id, is_link=True)
    if event.type is EventType.CASE_MERGED:
        return event.subject_id, Merge(event.event_id, event.occurred_at, UUID(event.fact["into_id"]))
    # a source tells several changes with one time: what came with the reopening is of the new case too
    at = event.occurred_at - _JUST_BEFORE
    return UUID(event.fact[CONTINUES]), Merge(event.event_id, at, event.subject_id, event.caused_by)


def _continued_as(case_id: UUID, merges: Merges, at: datetime) -> UUID:
    """The case of which a merge told of this one is: itself, what it is a name of, what had continued it."""
    while (merge := merges.get(case_id)) is not None:
        if not merge.is_link and (merge.reopening_id is None or at <= merge.at):
            break
        case_id = merge.into
    return case_id


def survivor_of(case_id: UUID, merges: Merges, at: datetime | None = None) -> UUID:
    """The case that goes on in the place of this one: in the end, or for what happened at that time."""
    while case_id in merges and (at is None or at > merges[case_id].at):
        case_id = merges[case_id].into
    return case_id


def absorber_of(case_id: UUID, merges: Merges) -> UUID | None:
    """The case into which merges led this one; None for one that was not merged (but perhaps continued)."""
    found, at = case_id, _ALWAYS
    while found in merges:
        merge = merges[found]
        if merge.reopening_id is not None and at <= merge.at:
            break
        found, at = merge.into, max(at, merge.at)
    return None if found == case_id else found


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

    What is later than a merge belongs to the survivor, what is later than a continued reopening to the case
    that continues it; a merge, that reopening, and what we announced, stays where it was told; a retraction
    goes with what it takes back. A merge that does not count says so in its `bearing`. A survivor also hears
    (`Bearing.INHERITED`) of the merge, and how the absorbed author was verified.
    """
    merges = merges_of(events)
    places = places_of(events, merges)
    gone = {event.fact.get("event_id") for event in events if event.type is EventType.EVENT_RETRACTED}
    taken_up = {merge.reopening_id for merge in merges.values()}
    found: dict[UUID, list[StoredEvent]] = {}
    for event in events:
        place = places.get(event.event_id)
        if place is None:
            continue
        stands = str(event.event_id) not in gone
        told = _judged(event, merges) if event.type is EventType.CASE_MERGED and stands else event
        if event.event_id in taken_up:
            told = replace(event, bearing=Bearing.CONTINUED)
        found.setdefault(place, []).append(told)
        if told.bearing is None and stands and event.type in _HEARD:
            for heir in _heirs(place, merges, event.occurred_at):
                found.setdefault(heir, []).append(replace(event, bearing=Bearing.INHERITED))
    return found


def places_of(events: Iterable[StoredEvent], merges: Merges) -> dict[UUID, UUID]:
    """Event -> the case that it belongs to; those about nothing are left out."""
    known = [(event, event.subject_id) for event in events if event.subject_id is not None]
    taken_up = {merge.reopening_id: case_id for case_id, merge in merges.items() if merge.reopening_id}
    continued = {merge.event_id: case_id for case_id, merge in merges.items() if merge.reopening_id}
    places = {
        event.event_id: taken_up.get(event.event_id)
        # that it was complained of again is said of the old case, at the time of the new one
        or (home if continued.get(event.caused_by or event.event_id) == home else _place(event, home, merges))
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


def _place(event: StoredEvent, home: UUID, merges: Merges) -> UUID:
    """A merge is about the case that it ends; what we announced is about the case of which we said it."""
    if event.type is EventType.CASE_MERGED:
        return _continued_as(home, merges, event.occurred_at)
    told = event.type.is_derived and event.type is not EventType.COMPENSATION_OVER_LIMIT
    return home if told else survivor_of(home, merges, event.occurred_at)


def _judged(event: StoredEvent, merges: Merges) -> StoredEvent:
    home = event.subject_id
    counting = None if home is None else merges.get(_continued_as(home, merges, event.occurred_at))
    if counting is None:
        return replace(event, bearing=Bearing.CIRCULAR)
    return event if counting.event_id == event.event_id else replace(event, bearing=Bearing.REPEATED)


def _heirs(case_id: UUID, merges: Merges, at: datetime) -> Iterator[UUID]:
    """Those that absorbed the case; of one that was continued before that, what continues it."""
    while case_id in merges:
        merge = merges[case_id]
        if merge.reopening_id is not None and at <= merge.at:
            return
        case_id, at = merge.into, max(at, merge.at)
        yield case_id


def _by_time(event: StoredEvent) -> tuple[Any, ...]:
    # what is one case is known before what happened to it
    is_link, is_merge = event.type is EventType.CASE_LINKED, event.type is EventType.CASE_MERGED
    at = _ALWAYS if is_link else event.occurred_at
    return at, is_merge, event.occurred_at, event.version or 0, event.source, event.external_id
