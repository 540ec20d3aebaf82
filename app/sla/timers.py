"""Timers: projected after every commit, announced once, and put into the due index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows, upsert_suffix
from app.db.engine import Tx
from app.db.tables.sla import sla_due, sla_timers
from app.domain.case import fold
from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.domain.sla import Announced, ClockReading, announcement_id, announcements, next_wakeup
from app.domain.sla import Announcement as Finding
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Announcement, Commit, Draft, Place
from app.journal.rows import load_histories, quiet_until
from app.sla.ledger import CycleKey, append_announced, list_announced
from app.sla.payload import announcement_data
from app.sla.readings import SubjectClock, read_subject

TIMER_COLUMNS = tuple(column.name for column in sla_timers.columns)
_DUE_COLUMNS = tuple(column.name for column in sla_due.columns)
_TIMED_KINDS = frozenset({SubjectKind.CASE, SubjectKind.INTERACTION, SubjectKind.REVIEW, SubjectKind.ORDER})
_DIMENSIONS = (
    "severity",
    "kind",
    "source",
    "channel",
    "touchpoint",
    "location",
    "employee",
    "segment",
    "product",
)


class SlaTimers:
    """Reads the clock of every subject that a commit touches.

    As a projection it keeps what follows from events alone (a running timer past its due time
    is not yet `breached` in the table: due_at and the asker's instant decide). As an announcer it
    states what has become true by now, and when to look again.
    """

    name = "sla_timers"
    tables = (sla_timers,)

    def __init__(self, *, settle_seconds: float) -> None:
        self._settle_seconds = settle_seconds

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Write the timers of the touched subjects."""
        named = _named(commit)
        if not named:
            return
        clocks = await _read_all(tx, commit, named, ahead=True)
        await tx.execute(
            "DELETE FROM sla_timers WHERE tenant_id = $1 AND subject_id = any($2)", commit.tenant_id, named
        )
        rows = [_row(commit, clock, reading) for clock in clocks for reading in clock.readings]
        await insert_rows(tx, sla_timers, TIMER_COLUMNS, rows)

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """Say what is newly true of the touched subjects, note it in the ledger, move the due index."""
        asked = sorted({*_named(commit), *commit.touched})
        if not asked:
            return ()
        clocks = await _read_all(tx, commit, asked)
        told = await list_announced(tx, commit.tenant_id, [clock.subject_id for clock in clocks])
        judge = _Judge(commit, told, self._settle_seconds)
        found = [item for clock in clocks for item in judge.findings(clock)]
        stated: list[Announcement] = []
        rows: list[tuple[Any, ...]] = []
        for clock, reading, finding in found:
            event = place(_draft(commit, clock, reading, finding), clock.subject_id)
            history = commit.histories[clock.subject_id]
            data = announcement_data(
                clock, history, reading, finding, detected_at=commit.recorded_at, sequence=event.position
            )
            stated.append(Announcement(event, data))
            rows.append(_ledger_row(commit, clock, reading, finding, event))
        await append_announced(tx, rows)
        await _move_due(tx, commit, asked, judge.wakeups(clocks))
        return stated


@dataclass(slots=True)
class _Judge:
    """What one look at the clocks of a commit finds, given what was already told."""

    commit: Commit
    told: dict[CycleKey, list[Announced]]
    settle_seconds: float
    _newly: dict[CycleKey, list[Announced]] = field(default_factory=dict)

    def findings(self, clock: SubjectClock) -> list[tuple[SubjectClock, ClockReading, Finding]]:
        """Announcements of every cycle of a subject, in order."""
        found: list[tuple[SubjectClock, ClockReading, Finding]] = []
        for reading in clock.readings:
            key = (clock.subject_id, reading.timer.key, reading.cycle)
            already = self.told.get(key, [])
            made = announcements(
                reading,
                already,
                self.commit.recorded_at,
                final=self._is_final(clock, reading),
                **self._terms(clock),
            )
            found += [(clock, reading, finding) for finding in made]
            self._newly[key] = already + [
                Announced(item.kind, item.level, item.revision, item.provisional) for item in made
            ]
        return found

    def wakeups(self, clocks: Sequence[SubjectClock]) -> dict[UUID, datetime]:
        """When the clock of each subject must be read again."""
        found: dict[UUID, datetime] = {}
        for clock in clocks:
            for reading in clock.readings:
                at = next_wakeup(
                    reading,
                    self._newly[(clock.subject_id, reading.timer.key, reading.cycle)],
                    self.commit.recorded_at,
                    final=self._is_final(clock, reading),
                    final_at=self._final_at(clock, reading),
                    **self._terms(clock),
                )
                if at is not None:
                    found[clock.subject_id] = min(at, found.get(clock.subject_id, at))
        return found

    def _terms(self, clock: SubjectClock) -> dict[str, Any]:
        history = [event for event in self.commit.histories[clock.subject_id] if not event.type.is_derived]
        latest = max(history, key=lambda event: event.position)
        return {
            "quiet_until": quiet_until(history),
            "received_at": latest.recorded_at,
            "settle_seconds": 0.0 if latest.source == OWN_SOURCE else self.settle_seconds,
        }

    def _final_at(self, clock: SubjectClock, reading: ClockReading) -> datetime | None:
        """From when a breach of this cycle is final: when every source that handles cases had its grace."""
        due_at = reading.fell_due_at or reading.due_at
        if due_at is None or clock.kind is not SubjectKind.CASE:
            return due_at
        sources = self.commit.config.sources.values()
        grace = max((source.grace_seconds for source in sources if source.handles_cases), default=0)
        return due_at + timedelta(seconds=grace)

    def _is_final(self, clock: SubjectClock, reading: ClockReading) -> bool:
        at = self._final_at(clock, reading)
        return at is None or self.commit.recorded_at >= at


def _named(commit: Commit) -> list[UUID]:
    """Subjects of business facts; what is announced changes no reading, and a rebuild must find the same."""
    return sorted(
        {
            event.subject_id
            for event in commit.events
            if event.subject_id is not None
            and event.subject_kind in _TIMED_KINDS
            and not event.type.is_derived
        }
    )


async def _read_all(
    tx: Tx, commit: Commit, subject_ids: Sequence[UUID], *, ahead: bool = False
) -> list[SubjectClock]:
    """The clocks at this commit; `ahead` counts facts of fast clocks too, whose time is yet to come."""
    await load_histories(tx, commit, subject_ids)
    clocks: list[SubjectClock] = []
    for subject_id in subject_ids:
        history = commit.histories[subject_id]
        case = commit.folded.get(subject_id)
        if case is None and any(event.type.value.startswith("case.") for event in history):
            case = fold(history)
        elif case is None and history and history[0].subject_kind is SubjectKind.CASE:
            continue
        told = (event.occurred_at for event in history if ahead and not event.type.is_derived)
        as_of = max(told, default=commit.recorded_at)
        as_of = max(as_of, commit.recorded_at)
        known = commit.clocks.get(subject_id)
        if known is None or known[0] != as_of:
            known = (as_of, read_subject(subject_id, history, case, commit.config, as_of))
            commit.clocks[subject_id] = known
        if known[1] is not None:
            clocks.append(known[1])
    return clocks


def _draft(commit: Commit, clock: SubjectClock, reading: ClockReading, finding: Finding) -> Draft:
    """The derived event of an announcement; its id is the announcement's own, wherever it is computed."""
    identity = announcement_id(
        commit.tenant_id,
        clock.subject_id,
        reading.timer.key,
        reading.cycle,
        finding.kind,
        finding.level,
        finding.revision,
    )
    event = Event(
        type=EventType(finding.event_type),
        id=str(identity),
        source=OWN_SOURCE,
        occurred_at=finding.at,
        data={
            "timer": reading.timer.key,
            "cycle": str(reading.cycle),
            "kind": finding.kind,
            "level": finding.level,
            "revision": finding.revision,
            "provisional": finding.provisional,
            "due_at": reading.due_at,
            "policy": clock.policy_of(reading).key,
            "policy_version": clock.policy_of(reading).version,
        },
        subject=Subject(clock.kind, str(clock.subject_id)),
    )
    made = draft(
        event, commit.config, received_at=max(commit.recorded_at, finding.at), caused_by=reading.cycle
    )
    return Draft(
        event=made.event,
        fact=made.fact,
        personal={},
        fingerprint=made.fingerprint,
        received_at=commit.recorded_at,
        caused_by=reading.cycle,
        event_id=identity,
    )


def _ledger_row(
    commit: Commit, clock: SubjectClock, reading: ClockReading, finding: Finding, event: StoredEvent
) -> tuple[Any, ...]:
    return (
        commit.tenant_id,
        clock.subject_id,
        reading.timer.key,
        reading.cycle,
        finding.kind,
        finding.level,
        finding.revision,
        event.event_id,
        finding.at,
        commit.recorded_at,
        finding.provisional,
        False,
    )


async def _move_due(tx: Tx, commit: Commit, asked: Sequence[UUID], wakeups: dict[UUID, datetime]) -> None:
    idle = [subject_id for subject_id in asked if subject_id not in wakeups]
    if idle:
        await tx.execute(
            "DELETE FROM sla_due WHERE tenant_id = $1 AND subject_id = any($2)", commit.tenant_id, idle
        )
    rows = [(commit.tenant_id, subject_id, at) for subject_id, at in sorted(wakeups.items())]
    await insert_rows(tx, sla_due, _DUE_COLUMNS, rows, suffix=upsert_suffix(sla_due, _DUE_COLUMNS))


def _row(commit: Commit, clock: SubjectClock, reading: ClockReading) -> tuple[Any, ...]:
    values: dict[str, Any] = {
        "tenant_id": commit.tenant_id,
        "subject_id": clock.subject_id,
        "timer": reading.timer.key,
        "cycle": reading.cycle,
        "seq": commit.seq,
        "subject_kind": clock.kind.value,
        "policy": clock.policy_of(reading).key,
        "policy_version": clock.policy_of(reading).version,
        "clock_kind": reading.timer.clock_kind.value,
        "state": _timeless_state(reading),
        "started_at": reading.started_at,
        "due_at": reading.due_at,
        "stopped_at": reading.stopped_at,
        "cancelled_at": reading.cancelled_at,
        "target_seconds": reading.target_seconds,
        "attributes": dict(clock.facts.get("attributes") or {}),
        "anomalies": [
            {"reason": item.reason, "event_id": item.event_id, "at": item.at} for item in reading.anomalies
        ],
        **{name: clock.facts.get(name) for name in _DIMENSIONS},
    }
    return tuple(values[name] for name in TIMER_COLUMNS)


def _timeless_state(reading: ClockReading) -> str:
    """What events alone say; whether an open timer is breached depends on who asks when."""
    if reading.cancelled_at is not None:
        return "cancelled"
    if reading.stopped_at is not None:
        return "met_late" if reading.is_breached else "met"
    return "open" if reading.due_at is not None else "paused"
