"""What one look at the clocks of a commit finds, given what was told before and who may still speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from app.domain.events import EventType, StoredEvent, SubjectKind
from app.domain.sla import Announced, AnnouncementKind, ClockReading, announcements, next_wakeup
from app.domain.sla import Announcement as Finding
from app.journal.ports import OWN_SOURCE, Commit
from app.journal.rows import quiet_until
from app.sla.ledger import CycleKey
from app.sla.readings import SubjectClock

_LOOK_AT_SILENCE = timedelta(seconds=60)
_LOOK_WHILE_HELD = timedelta(seconds=2)


class Found(NamedTuple):
    """Something to be said about a reading; `reason` says why a breach is provisional."""

    clock: SubjectClock
    reading: ClockReading
    finding: Finding
    reason: str = ""


@dataclass(slots=True)
class Judge:
    """One look; `silent` are the sources that handle cases and have not been heard as they should."""

    commit: Commit
    told: Mapping[CycleKey, list[Announced]]
    settle_seconds: float
    silent: frozenset[str] = frozenset()
    quiet: bool = False
    """for the ledger alone: all that is true by now, at once and for good"""
    _newly: dict[CycleKey, list[Announced]] = field(default_factory=dict)
    _terms: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    _grace: timedelta = field(init=False)
    _stated: dict[UUID, StoredEvent] = field(init=False)

    def __post_init__(self) -> None:
        self._stated = {event.event_id: event for event in self.commit.events}
        sources = self.commit.config.sources.values()
        grace = max((source.grace_seconds for source in sources if source.handles_cases), default=0)
        self._grace = timedelta(seconds=grace)

    def findings(self, clock: SubjectClock) -> list[Found]:
        """Announcements of every cycle of a subject, in order."""
        found: list[Found] = []
        if clock.held and not self.quiet:
            return found
        terms = self._terms_of(clock)
        for reading in clock.readings:
            key = (clock.subject_id, reading.timer.key, reading.cycle)
            already, final = self.told.get(key, []), self._is_final(clock, reading)
            made = announcements(reading, already, self.commit.recorded_at, final=final, **terms)
            reason = "" if final else "source_silent" if self.silent else "within_grace"
            found += [Found(clock, reading, item, reason if item.provisional else "") for item in made]
            self._newly[key] = already + [
                Announced(item.kind, item.level, item.revision, item.provisional) for item in made
            ]
        return found

    def wakeups(self, clocks: Sequence[SubjectClock]) -> dict[UUID, datetime]:
        """When the clock of each subject must be read again."""
        found: dict[UUID, datetime] = {}
        for clock in clocks:
            if clock.held and not self.quiet:
                found[clock.subject_id] = self.commit.recorded_at + _LOOK_WHILE_HELD
                continue
            for reading in clock.readings:
                at = next_wakeup(
                    reading,
                    self._newly[(clock.subject_id, reading.timer.key, reading.cycle)],
                    self.commit.recorded_at,
                    final=self._is_final(clock, reading),
                    final_at=self._look_again_at(clock, reading),
                    **self._terms_of(clock),
                )
                if at is not None:
                    found[clock.subject_id] = min(at, found.get(clock.subject_id, at))
        return found

    def _terms_of(self, clock: SubjectClock) -> dict[str, Any]:
        known = self._terms.get(clock.subject_id)
        if known is None:
            history = [e for e in self.commit.histories[clock.subject_id] if not e.type.is_derived]
            latest = max(history, key=lambda event: event.position)
            known = self._terms[clock.subject_id] = {
                "quiet_until": quiet_until(history),
                "received_at": latest.recorded_at,
                "settle_seconds": 0.0
                if self.quiet or self._is_ordered(latest, history)
                else self.settle_seconds,
            }
        return known

    def _is_ordered(self, event: StoredEvent, history: Sequence[StoredEvent]) -> bool:
        """True for a command of ours and what followed from it; what followed from a source's word is not."""
        earlier = {each.event_id: each for each in history}
        cause: StoredEvent | None = event
        while cause is not None and cause.caused_by is not None:
            cause = self._stated.get(cause.caused_by) or earlier.get(cause.caused_by)
        return cause is not None and cause.source == OWN_SOURCE

    def _is_final(self, clock: SubjectClock, reading: ClockReading) -> bool:
        """Whether every source that handles cases had its grace, and none of them is silent."""
        if self.quiet or clock.kind is not SubjectKind.CASE:
            return True
        at = self._grace_ends_at(reading)
        return at is None or (self.commit.recorded_at >= at and not self.silent)

    def _grace_ends_at(self, reading: ClockReading) -> datetime | None:
        due_at = reading.fell_due_at or reading.due_at
        return None if due_at is None else due_at + self._grace

    def _look_again_at(self, clock: SubjectClock, reading: ClockReading) -> datetime | None:
        """When a breach may have become final; while a source is silent, some time later again."""
        if clock.kind is not SubjectKind.CASE:
            return None
        at = self._grace_ends_at(reading)
        if at is None or not self.silent:
            return at
        return max(at, self.commit.recorded_at + _LOOK_AT_SILENCE)


def vanished(
    told: Mapping[CycleKey, list[Announced]], clocks: Sequence[SubjectClock]
) -> list[tuple[CycleKey, int]]:
    """Cycles whose breach was told and that are no more, since what started them was taken back.

    Each with the revision of the breach that must be revoked.
    """
    standing = {(clock.subject_id, r.timer.key, r.cycle) for clock in clocks for r in clock.readings}
    found: list[tuple[CycleKey, int]] = []
    for key, rows in told.items():
        revoked = sum(row.kind == AnnouncementKind.BREACH_REVOKED for row in rows)
        breaches = (row for row in rows if row.kind == AnnouncementKind.BREACHED and not row.quiet)
        spoken = any(row.revision == revoked for row in breaches)
        if key not in standing and spoken:
            found.append((key, revoked))
    return sorted(found, key=lambda item: (item[0][0], item[0][1], item[0][2]))


def revocation(revision: int, at: datetime) -> Finding:
    """What is said of a cycle that vanished."""
    return Finding(AnnouncementKind.BREACH_REVOKED, 0, revision, EventType.SLA_BREACH_REVOKED, at)
