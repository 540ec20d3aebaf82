"""How a finding is put down: the derived event, its row in the ledger, what subscribers are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.domain.sla import Announcement as Finding
from app.domain.sla import announcement_id
from app.journal.ports import OWN_SOURCE, Announcement, Commit, Draft, Place
from app.sla.judging import Found, revocation
from app.sla.ledger import CycleKey
from app.sla.payload import Readings, Refs, announcement_data, revoked_data

Row = tuple[Any, ...]


def state_found(commit: Commit, found: Sequence[Found], place: Place) -> tuple[list[Announcement], list[Row]]:
    """The announcements of findings and their ledger rows, each with its place in the journal."""
    stated: list[Announcement] = []
    rows: list[Row] = []
    refs, readings = Refs(commit.histories), Readings()
    routing = commit.config.care.routing_at(commit.recorded_at).value
    for item in found:
        clock, reading, finding = item.clock, item.reading, item.finding
        key = (clock.subject_id, reading.timer.key, reading.cycle)
        policy = clock.policy_of(reading)
        fact = {"due_at": reading.due_at, "policy": policy.key, "policy_version": policy.version}
        event = place(_draft(commit, clock.kind, key, finding, fact), clock.subject_id)
        data = announcement_data(
            item, refs, readings, routing, detected_at=commit.recorded_at, sequence=event.position
        )
        stated.append(Announcement(event, data))
        rows.append(ledger_row(commit.tenant_id, commit.recorded_at, key, finding, event.event_id))
    return stated, rows


def state_vanished(
    commit: Commit, gone: Sequence[tuple[CycleKey, int]], place: Place
) -> tuple[list[Announcement], list[Row]]:
    """The revocations of breaches whose cycle is no more; what was told of them stands in the journal."""
    stated: list[Announcement] = []
    rows: list[Row] = []
    refs = Refs(commit.histories)
    for key, revision in gone:
        finding = revocation(revision, commit.recorded_at)
        breach = _told_of(commit.histories[key[0]], key, revision)
        if breach is None or breach.subject_kind is None:
            continue
        told = {name: breach.fact.get(name) for name in ("due_at", "policy", "policy_version")}
        event = place(_draft(commit, breach.subject_kind, key, finding, told), key[0])
        data = revoked_data(
            breach, refs, revision=revision, detected_at=commit.recorded_at, sequence=event.position
        )
        stated.append(Announcement(event, data))
        rows.append(ledger_row(commit.tenant_id, commit.recorded_at, key, finding, event.event_id))
    return stated, rows


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


def _draft(
    commit: Commit, kind: SubjectKind, key: CycleKey, finding: Finding, told: Mapping[str, Any]
) -> Draft:
    """The derived event: made by hand, since what we state ourselves needs no reading and no rules."""
    identity = finding_id(commit.tenant_id, key, finding)
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
    return Draft(
        event=event,
        fact=fact,
        personal={},
        # the id is made of all that is said: an event of this id cannot say anything else
        fingerprint=identity.bytes,
        received_at=commit.recorded_at,
        caused_by=key[2],
        event_id=identity,
    )


def _told_of(history: Sequence[StoredEvent], key: CycleKey, revision: int) -> StoredEvent | None:
    wanted = {"kind": "breached", "revision": revision, "timer": key[1], "cycle": str(key[2])}
    told = (event for event in history if event.type.is_derived)
    fitting = (e for e in told if all(e.fact.get(name) == value for name, value in wanted.items()))
    return next(fitting, None)
