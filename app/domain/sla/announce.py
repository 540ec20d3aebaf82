"""What of a reading is to be announced now, each once, and when to look again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from app.domain.events import EventType
from app.domain.sla.reading import ClockReading, ClockState, Mark
from app.domain.sla.timer import Announce

_NAMESPACE = UUID("6f1c3a52-6c0e-5b0f-9f3d-0f5b8f0a7d11")


class AnnouncementKind(StrEnum):
    """What is said about a cycle."""

    WARNING = "warning"
    BREACHED = "breached"
    BREACH_CONFIRMED = "breach_confirmed"
    BREACH_REVOKED = "breach_revoked"
    ESCALATED = "escalated"
    MET = "met"
    MET_LATE = "met_late"
    CANCELLED = "cancelled"


class Announced(NamedTuple):
    """A row of the ledger for one subject, timer and cycle; `provisional` matters for a breach.

    `quiet`: decided, but told to nobody; what nobody was told is not taken back either.
    """

    kind: str
    level: int
    revision: int
    provisional: bool = False
    quiet: bool = False


_ENDS = {
    ClockState.MET: AnnouncementKind.MET,
    ClockState.MET_LATE: AnnouncementKind.MET_LATE,
    ClockState.CANCELLED: AnnouncementKind.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something to be said once. `at` is when it became true, not when it was found out."""

    kind: AnnouncementKind
    level: int
    revision: int
    event_type: EventType
    at: datetime
    provisional: bool = False
    to: str = ""
    percent: int = 0


def announcement_id(
    tenant: UUID, subject: UUID, timer: str, cycle: UUID, kind: str, level: int, revision: int
) -> UUID:
    """The id of the event that announces it: UUIDv5 of the ledger key, the same wherever it is made."""
    return uuid5(_NAMESPACE, f"{tenant}/{subject}/{timer}/{cycle}/{kind}/{level}/{revision}")


def announcements(
    reading: ClockReading,
    already: Iterable[Announced],
    now: datetime,
    quiet_until: datetime | None = None,
    final: bool = True,
    *,
    received_at: datetime | None = None,
    settle_seconds: float = 0,
) -> tuple[Announcement, ...]:
    """What to announce about a reading taken at `now`, in the order in which it is to be told.

    `already`: the ledger of this subject, timer and cycle. `quiet_until`: what became true before
    it is decided and counted, but never told (backfill). `final`: no source can still change a
    breach; else a breach is provisional, or waits when the timer says so. A breach that stood
    already when the latest event was recorded (`received_at`) waits `settle_seconds` for what
    comes with it. A breach that no longer stands is revoked, also after it was final: a receiver
    must not be left with what is not true. `revision` counts the revocations before.
    """
    desk = _Desk(reading, tuple(already), now, quiet_until, final, received_at, settle_seconds)
    return tuple(desk.speak())


def next_wakeup(
    reading: ClockReading,
    already: Iterable[Announced],
    now: datetime,
    quiet_until: datetime | None = None,
    final: bool = True,
    *,
    received_at: datetime | None = None,
    settle_seconds: float = 0,
    final_at: datetime | None = None,
) -> datetime | None:
    """When the loop must look again, later than `now`, or None if only an event can change anything.

    `already` includes what `announcements` just gave. `final_at` is when the last grace of the
    sources runs out, if that is known.
    """
    desk = _Desk(reading, tuple(already), now, quiet_until, final, received_at, settle_seconds)
    ahead = [reading.next_at, desk.settles_at()]
    if desk.waits_for_final():
        ahead.append(final_at)
    return min((at for at in ahead if at is not None and at > now), default=None)


@dataclass(slots=True)
class _Desk:
    """One look at one reading: what stands, what was said, what may be said."""

    reading: ClockReading
    already: tuple[Announced, ...]
    now: datetime
    quiet_until: datetime | None
    final: bool
    received_at: datetime | None
    settle_seconds: float
    revision: int = 0

    def __post_init__(self) -> None:
        self.revision = sum(said.kind == AnnouncementKind.BREACH_REVOKED for said in self.already)

    def speak(self) -> Iterator[Announcement]:
        """Revocation first, then warnings, the breach, its escalations, its confirmation, the end."""
        told = self._told_breach()
        if told is not None and not told.quiet and not self.reading.is_breached:
            yield self._say(AnnouncementKind.BREACH_REVOKED, self.now)
            self.revision += 1
        if self._is_withheld():
            return
        yield from self._marks(AnnouncementKind.WARNING, self.reading.warnings)
        early = [mark for mark in self.reading.escalations if mark.percent < 100]
        yield from self._marks(AnnouncementKind.ESCALATED, early)
        yield from self._breach()
        if self.reading.is_breached:
            rungs = [mark for mark in self.reading.escalations if mark.percent >= 100]
            yield from self._marks(AnnouncementKind.ESCALATED, rungs)
        yield from self._confirmation()
        yield from self._end()

    def settles_at(self) -> datetime | None:
        """When a breach that was past when we learned of it has waited long enough."""
        fell_at = self.reading.fell_due_at
        if fell_at is None or self.received_at is None or fell_at > self.received_at:
            return None
        if self._is_quiet(fell_at) or self._told_breach() is not None:
            return None
        return self.received_at + timedelta(seconds=self.settle_seconds)

    def waits_for_final(self) -> bool:
        """Whether a provisional breach, or one that is not told before, waits for the sources."""
        fell_at = self.reading.fell_due_at
        if self.final or fell_at is None:
            return False
        told = self._told_breach()
        if told is not None:
            return told.provisional and not self._was_said(AnnouncementKind.BREACH_CONFIRMED)
        return self.reading.timer.announce is Announce.WHEN_FINAL and not self._is_quiet(fell_at)

    def _breach(self) -> Iterator[Announcement]:
        fell_at, breached_at = self.reading.fell_due_at, self.reading.breached_at
        if fell_at is None or breached_at is None or self._told_breach() is not None:
            return
        if not self._is_quiet(fell_at):
            yield self._say(AnnouncementKind.BREACHED, breached_at, provisional=not self.final)

    def _confirmation(self) -> Iterator[Announcement]:
        told = self._told_breach()
        if told is None or not told.provisional or not self.final or not self.reading.is_breached:
            return
        if not self._was_said(AnnouncementKind.BREACH_CONFIRMED):
            yield self._say(AnnouncementKind.BREACH_CONFIRMED, self.now)

    def _end(self) -> Iterator[Announcement]:
        reading = self.reading
        kind = _ENDS.get(reading.state)
        at = reading.cancelled_at if kind is AnnouncementKind.CANCELLED else reading.stopped_at
        if kind is not None and at is not None and not self._is_quiet(at) and not self._was_said(kind):
            yield self._say(kind, at)

    def _marks(self, kind: AnnouncementKind, marks: Sequence[Mark]) -> Iterator[Announcement]:
        """Marks that are reached while somebody can still act on them; each once in all revisions."""
        if not marks or not self.reading.is_open:
            return
        said = {row.level for row in self.already if row.kind == kind}
        for mark in marks:
            if mark.notice_at <= self.now and not self._is_quiet(mark.at) and mark.level not in said:
                yield self._say(kind, mark.at, mark.level, to=mark.to, percent=mark.percent)

    def _is_quiet(self, at: datetime) -> bool:
        return self.quiet_until is not None and at < self.quiet_until

    def _is_withheld(self) -> bool:
        """A breach that may not be told yet; what follows from it waits with it."""
        if self.reading.fell_due_at is None or self._told_breach() is not None:
            return False
        if self._is_quiet(self.reading.fell_due_at):
            return False
        settles_at = self.settles_at()
        if settles_at is not None and self.now < settles_at:
            return True
        return self.reading.timer.announce is Announce.WHEN_FINAL and not self.final

    def _told_breach(self) -> Announced | None:
        rows = (row for row in self.already if row.kind == AnnouncementKind.BREACHED)
        return next((row for row in rows if row.revision == self.revision), None)

    def _was_said(self, kind: AnnouncementKind) -> bool:
        return any(row.kind == kind and row.revision == self.revision for row in self.already)

    def _say(
        self,
        kind: AnnouncementKind,
        at: datetime,
        level: int = 0,
        *,
        provisional: bool = False,
        to: str = "",
        percent: int = 0,
    ) -> Announcement:
        named = self.reading.timer.announced_as.get(kind.value)
        event_type = named or EventType(f"sla.{kind.value}")
        return Announcement(kind, level, self.revision, event_type, at, provisional, to, percent)
