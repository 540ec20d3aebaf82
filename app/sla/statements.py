"""How a finding is put down: the derived event, its row in the ledger, what subscribers are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.domain.sla import Announcement as Finding
from app.domain.sla import announcement_id
from app.journal.ports import OWN_SOURCE, Announcement, Commit, Draft, Place
from app.journal.staged import Saying
from app.kit import json
from app.sla.judging import Found, revocation
from app.sla.ledger import CycleKey
from app.sla.payload import Readings, Refs, announcement_data, revoked_data

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Worded:
    """A finding as it is put down and told: all but its place in the journal and the time of telling."""

    kind: SubjectKind
    key: CycleKey
    finding: Finding
    event: Event
    fact: Mapping[str, Any]
    event_id: UUID
    data: bytes
    """the JSON object that subscribers get, without `sequence` and `detected_at`"""


def word(commit: Commit, found: Sequence[Found]) -> list[Worded]:
    """The words of findings, in their order."""
    worded: list[Worded] = []
    refs, readings = Refs(commit.histories), Readings()
    routing = commit.config.care.routing_at(commit.recorded_at).value
    for item in found:
        clock, reading = item.clock, item.reading
        policy = clock.policy_of(reading)
        told = {"due_at": reading.due_at, "policy": policy.key, "policy_version": policy.version}
        key = (clock.subject_id, reading.timer.key, reading.cycle)
        data = announcement_data(item, refs, readings, routing)
        worded.append(_worded(commit.tenant_id, clock.kind, key, item.finding, told, data))
    return worded


def word_vanished(commit: Commit, gone: Sequence[tuple[CycleKey, int]]) -> list[Worded]:
    """The revocations of breaches whose cycle is no more; what was told of them stands in the journal."""
    worded: list[Worded] = []
    refs = Refs(commit.histories)
    for key, revision in gone:
        finding = revocation(revision, commit.recorded_at)
        breach = _told_of(commit.histories[key[0]], key, revision)
        if breach is None or breach.subject_kind is None:
            continue
        told = {name: breach.fact.get(name) for name in ("due_at", "policy", "policy_version")}
        data = revoked_data(breach, refs, revision=revision)
        worded.append(_worded(commit.tenant_id, breach.subject_kind, key, finding, told, data))
    return worded


def state(commit: Commit, worded: Sequence[Worded], place: Place) -> tuple[list[Announcement], list[Row]]:
    """Give the words their place in the journal: the announcements, and the rows of the ledger."""
    stated: list[Announcement] = []
    rows: list[Row] = []
    for item in worded:
        draft = Draft(
            item.event,
            item.fact,
            {},
            # the id is made of all that is said: an event of this id cannot say anything else
            fingerprint=item.event_id.bytes,
            received_at=commit.recorded_at,
            caused_by=item.key[2],
            event_id=item.event_id,
        )
        event = place(draft, item.key[0])
        stamp = json.dumps({"sequence": event.position, "detected_at": commit.recorded_at})
        stated.append(Announcement(event, json.written(stamp[:-1] + b"," + item.data[1:])))
        rows.append(ledger_row(commit.tenant_id, commit.recorded_at, item.key, item.finding, item.event_id))
    return stated, rows


def sayings(worded: Sequence[Worded]) -> list[Saying]:
    """The same words as rows that can be laid ready: all but what `state` adds."""
    return [
        Saying(
            event_id=item.event_id,
            type=item.event.type,
            at=item.finding.at,
            subject_kind=item.kind,
            subject_id=item.key[0],
            timer=item.key[1],
            cycle=item.key[2],
            kind=item.finding.kind.value,
            level=item.finding.level,
            revision=item.finding.revision,
            provisional=item.finding.provisional,
            fact=item.fact,
            said=item.data[1:],
        )
        for item in worded
    ]


def ledger_row(
    tenant_id: UUID,
    told_at: datetime,
    key: CycleKey,
    finding: Finding,
    event_id: UUID,
    *,
    quiet: bool = False,
) -> Row:
    """The ledger's row of a finding."""
    said = (finding.kind, finding.level, finding.revision, event_id, finding.at, told_at)
    return (tenant_id, *key, *said, finding.provisional, quiet)


def finding_id(tenant_id: UUID, key: CycleKey, finding: Finding) -> UUID:
    """The id of the event that announces it: the same wherever it is computed."""
    return announcement_id(tenant_id, *key, finding.kind, finding.level, finding.revision)


def _worded(
    tenant_id: UUID,
    kind: SubjectKind,
    key: CycleKey,
    finding: Finding,
    told: Mapping[str, Any],
    data: Mapping[str, Any],
) -> Worded:
    """The derived event: made by hand, since what we state ourselves needs no reading and no rules."""
    identity = finding_id(tenant_id, key, finding)
    fact = {
        "timer": key[1],
        "cycle": str(key[2]),
        "kind": finding.kind.value,
        "level": finding.level,
        "revision": finding.revision,
        "provisional": finding.provisional,
        **{name: value for name, value in told.items() if value is not None},
    }
    event = Event(
        type=EventType(finding.event_type),
        id=str(identity),
        source=OWN_SOURCE,
        occurred_at=finding.at,
        subject=Subject(kind, str(key[0])),
    )
    return Worded(kind, key, finding, event, fact, identity, json.dumps(data))


def _told_of(history: Sequence[StoredEvent], key: CycleKey, revision: int) -> StoredEvent | None:
    wanted = {"kind": "breached", "revision": revision, "timer": key[1], "cycle": str(key[2])}
    told = (event for event in history if event.type.is_derived)
    fitting = (e for e in told if all(e.fact.get(name) == value for name, value in wanted.items()))
    return next(fitting, None)
