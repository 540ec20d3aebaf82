"""What the journal and the slices know of each other: drafts, commits, and three protocols.

draft --place--> stored event --apply--> projections --announce--> outbox
           ^ deciders add drafts (live only)      ^ announcers add sla.* (live only)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Table

from app.db.engine import Tx
from app.domain.events import Event, EventType, Origin, StoredEvent
from app.journal.config import TenantConfig

POSITION_BITS = 20
"""Events of one commit: position = seq * 2**20 + n."""

OWN_SOURCE = "vidhuk"
"""Source of every event that the service itself states."""


FORGOTTEN = b""
"""Fingerprint of an event of an erased person: whatever comes again under its name is a duplicate."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The name of an event for ever: its source and the caller's id."""

    source: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that may be stored: validated, split into fact and person, fingerprinted, not yet placed."""

    event: Event
    fact: Mapping[str, Any]
    personal: Mapping[str, Any]
    fingerprint: bytes
    received_at: datetime
    origin: Origin = Origin.LIVE
    customer_ref: bytes | None = None
    caused_by: UUID | None = None
    backdated: bool = False
    open_cases: bool = True
    subject_id: UUID | None = None
    event_id: UUID | None = None

    def with_fact(self, fact: Mapping[str, Any]) -> Draft:
        """The same with other facts (`dataclasses.replace` takes several times as long)."""
        return Draft(
            self.event,
            fact,
            self.personal,
            self.fingerprint,
            self.received_at,
            self.origin,
            self.customer_ref,
            self.caused_by,
            self.backdated,
            self.open_cases,
            self.subject_id,
            self.event_id,
        )


class Standing(StrEnum):
    """What an event is to its object: the first state, a newer one, or one already overtaken."""

    CREATED = "created"
    REVISED = "revised"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A public event and the data its subscribers get."""

    event: StoredEvent
    data: Any
    """a mapping, or JSON that is written already"""


@dataclass(slots=True)
class Commit:
    """One tenant transaction being built (or, on rebuild, replayed)."""

    tenant_id: UUID
    seq: int
    recorded_at: datetime
    config: TenantConfig
    replaying: bool = False
    rate: float | None = None
    """events a minute that the tenant's keys may post; None: any"""
    allowance: float | None = None
    """how many of them are left after this commit"""
    events: list[StoredEvent] = field(default_factory=list)
    drafts: dict[UUID, Draft] = field(default_factory=dict)
    standings: dict[UUID, Standing] = field(default_factory=dict)
    replaced: dict[UUID, UUID] = field(default_factory=dict)
    """current state of an object after this commit -> its current state before"""
    restored: list[StoredEvent] = field(default_factory=list)
    """events that became current again because a newer one was retracted"""
    overtaken: set[UUID] = field(default_factory=set)
    """events that do not count after this commit: older states, and what was taken back"""
    withdrawn: set[UUID] = field(default_factory=set)
    """events whose answers counted before this commit and do not after it, with nothing in their place"""
    touched: set[UUID] = field(default_factory=set)
    """subjects to look at although no event of this commit names them (the clock does)"""
    histories: dict[UUID, list[StoredEvent]] = field(default_factory=dict)
    folded: dict[UUID, Any] = field(default_factory=dict)
    """subject id -> its folded case, left by the case projection for the clock"""
    moved: dict[UUID, UUID] = field(default_factory=dict)
    """events about a case that was merged before they happened -> the case that goes on in its place"""
    families: dict[UUID, frozenset[UUID]] = field(default_factory=dict)
    """case -> all cases that merges tie to it, as far as they were asked for"""
    clocks: dict[UUID, Any] = field(default_factory=dict)
    """subject id -> (as of, its clock): read by the timer projection, used again by its announcer"""

    @property
    def first_position(self) -> int:
        """The place of its first event."""
        return self.seq << POSITION_BITS

    @property
    def next_position(self) -> int:
        """Where the next event of this commit goes."""
        return (self.seq << POSITION_BITS) + len(self.events)

    @property
    def end_position(self) -> int:
        """First position after this commit."""
        return (self.seq + 1) << POSITION_BITS

    @property
    def taken_back(self) -> frozenset[UUID]:
        """The events that retractions of this commit name: nothing follows from them any more."""
        told = (event for event in self.events if event.type is EventType.EVENT_RETRACTED)
        return frozenset(UUID(event.fact["event_id"]) for event in told)

    def about(self, event: StoredEvent) -> UUID | None:
        """The subject of one of its events: of a merged case the one to which it belongs by its time."""
        return self.moved.get(event.event_id, event.subject_id)

    def is_current(self, event: StoredEvent) -> bool:
        """False for a state of an object that a newer one has overtaken, and for what was taken back."""
        return event.event_id not in self.overtaken


class Projection(Protocol):
    """A pure function of the journal, kept in tables: `rebuild` empties them and applies all commits."""

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> Sequence[Table]: ...

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Bring the tables to where this commit leaves them."""


class Annotator(Protocol):
    """Adds to a draft what can be read off its own content; what it adds is a fact and never read again."""

    def annotate(self, draft: Draft, config: TenantConfig) -> Draft:
        """The draft, with more facts or as it was."""


class Decider(Protocol):
    """Decides once, when an event is accepted, that another event follows from it."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """Drafts that follow from the events placed so far."""


class Announcer(Protocol):
    """Turns what a commit changed into public events, each exactly once."""

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """What subscribers are told; new derived events are given their place by `place`."""


class Place(Protocol):
    """Gives a draft its place in the commit being built."""

    def __call__(self, draft: Draft, subject_id: UUID | None = None) -> StoredEvent: ...
