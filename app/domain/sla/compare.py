"""Two readings of the same subjects side by side: attainment before and after, who breaches, who is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.domain.events import SubjectKind
from app.domain.sla.reading import ClockReading, ClockState


class Verdict(StrEnum):
    """How a cycle counts: an open one past due is breached, one not yet due is pending."""

    MET = "met"
    BREACHED = "breached"
    PENDING = "pending"
    CANCELLED = "cancelled"


class Effect(StrEnum):
    """What a change of definitions does to a cycle."""

    WOULD_BREACH = "would_breach"
    SAVED = "saved"
    MOVED = "moved"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(slots=True)
class Tally:
    """Cycles of one timer by verdict."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    policies: set[tuple[str, int]] = field(default_factory=set)
    """key and version of the policies that gave it"""

    @property
    def attainment(self) -> float | None:
        """met / (met + breached), 0..1 (domain.md 5, sla_attainment); None while nothing is decided."""
        decided = self.counts[Verdict.MET] + self.counts[Verdict.BREACHED]
        return self.counts[Verdict.MET] / decided if decided else None


@dataclass(frozen=True, slots=True)
class Side:
    """One reading of a subject: its cycles, and (key, version) of the policy that gives each timer."""

    readings: tuple[ClockReading, ...] = ()
    policies: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One cycle that reads differently; `before` or `after` is None where it is not there at all."""

    subject_id: UUID
    kind: SubjectKind
    timer: str
    effect: Effect
    before: ClockReading | None
    after: ClockReading | None

    @property
    def due_at(self) -> tuple[datetime | None, datetime | None]:
        """The due times before and after."""
        return self.before.due_at if self.before else None, self.after.due_at if self.after else None


@dataclass(slots=True)
class Comparison:
    """What a change would do, over all subjects that were put to it."""

    subjects: int = 0
    before: dict[str, Tally] = field(default_factory=dict)
    after: dict[str, Tally] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def put(self, subject_id: UUID, kind: SubjectKind, before: Side, after: Side) -> None:
        """Count one subject on both sides. Cycles are the same when the same event started the same timer."""
        self.subjects += 1
        old = {(reading.timer.key, reading.cycle): reading for reading in before.readings}
        new = {(reading.timer.key, reading.cycle): reading for reading in after.readings}
        for tallies, side, readings in ((self.before, before, old), (self.after, after, new)):
            for (timer, _), reading in readings.items():
                tally = tallies.setdefault(timer, Tally())
                tally.counts[verdict(reading)] += 1
                tally.policies |= {side.policies[timer]} if timer in side.policies else set()
        for key in sorted({*old, *new}, key=lambda key: (key[0], key[1].bytes)):
            effect = _effect(old.get(key), new.get(key))
            if effect is not None:
                found = Difference(subject_id, kind, key[0], effect, old.get(key), new.get(key))
                self.differences.append(found)

    def timers(self) -> list[str]:
        """The timers met on either side, in order."""
        return sorted({*self.before, *self.after})

    def having(self, effect: Effect) -> list[Difference]:
        """The cycles on which it has this effect."""
        return [item for item in self.differences if item.effect is effect]


def verdict(reading: ClockReading) -> Verdict:
    """How a reading counts: breached whatever came after its due time, met late included."""
    if reading.is_breached:
        return Verdict.BREACHED
    if reading.state is ClockState.MET:
        return Verdict.MET
    return Verdict.CANCELLED if reading.state is ClockState.CANCELLED else Verdict.PENDING


def _effect(before: ClockReading | None, after: ClockReading | None) -> Effect | None:
    if before is None or after is None:
        return Effect.ADDED if before is None else Effect.REMOVED
    if before.is_breached != after.is_breached:
        return Effect.WOULD_BREACH if after.is_breached else Effect.SAVED
    same = (before.due_at, verdict(before)) == (after.due_at, verdict(after))
    return None if same else Effect.MOVED
