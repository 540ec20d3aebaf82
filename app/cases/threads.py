"""Gathers what bears on the consequences of feedback: the cases it concerns, and what was told of these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from app.cases.findings import SPEAKING, Finding, concerns, facts_of, find_complaints, may_open
from app.cases.stating import late_subject
from app.db.engine import Tx
from app.domain.case import LINKED, LOST_OPENING, Complaint
from app.domain.case_opening import INTERNAL, feedback_case_ref, internal_place, named_by, next_internal_ref
from app.domain.complaint import CaseKind
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.histories import find_told_so_far
from app.journal.ports import OWN_SOURCE, Commit
from app.journal.rows import select_events
from app.journal.subjects import find_homes

# what may be the ground of a case, by the name of its reference, its cause, or its place and day
_NAMED: Final = """e.position = any(ARRAY(
    SELECT n.position FROM unnest($2::text[], $3::text[]) AS named(source, name)
      JOIN events n ON n.tenant_id = $1 AND n.source = named.source
       AND (n.object = named.name OR n.external_id = named.name)
    UNION
    SELECT n.position FROM events n WHERE n.tenant_id = $1 AND n.event_id = any($4)))"""
_PRESSES: Final = """e.event_id = any(ARRAY(
    SELECT f.event_id
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
           AS day(cause_id, touchpoint, location, since, until)
      LEFT JOIN feedback o ON o.tenant_id = $1 AND o.event_id = day.cause_id
      JOIN feedback f ON f.tenant_id = $1 AND f.seq_to IS NULL
       AND f.occurred_at >= day.since AND f.occurred_at < day.until
       AND f.location IS NOT DISTINCT FROM day.location
       AND (f.touchpoint IS NOT DISTINCT FROM day.touchpoint
            OR o.event_id IS NOT NULL AND f.touchpoint IS NOT DISTINCT FROM o.touchpoint)
       AND f.collection_mode = 'passive' AND f.customer_ref IS NULL
       AND (f.class <> 'positive' OR f.kind IN ('complaint', 'question') OR EXISTS (
           SELECT FROM events n
             JOIN amendments a
               ON a.tenant_id = $1 AND a.target_source = n.source AND a.target_id = n.external_id
            WHERE n.tenant_id = $1 AND n.event_id = f.event_id))))"""
_GONE: Final = """
SELECT fact->>'event_id' AS event_id FROM events
 WHERE tenant_id = $1 AND type = 'event.retracted' AND fact->>'event_id' = any($2)
"""
_CONSEQUENCES: Final = frozenset({EventType.CASE_OPENED, EventType.CASE_REOPENED})


@dataclass(slots=True)
class Thread:
    """Cases with all that was told of them, and all feedback that may have opened or joined them.

    `ours`: the openings and reopenings that we stated; `marks`: that a case lost its ground. Neither is
    among `told`. `reopenings`: those of a source that may open a case. `homes`: the cases that references
    name, as far as there are such cases. `gone`: what was taken back before this commit.
    """

    told: list[StoredEvent] = field(default_factory=list)
    ours: list[StoredEvent] = field(default_factory=list)
    marks: list[StoredEvent] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    homes: dict[Subject, UUID] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)
    reopenings: list[StoredEvent] = field(default_factory=list)


async def gather(
    tx: Tx,
    commit: Commit,
    case_ids: Iterable[UUID],
    findings: Sequence[Finding],
    fallen: Iterable[StoredEvent] = (),
    unsaid: Iterable[StoredEvent] = (),
) -> Thread:
    """The thread of these cases and findings.

    `fallen`: feedback that this commit takes back; `unsaid`: feedback of which it takes back a word.
    """
    wanted, seen = set(case_ids), set[UUID]()
    unspoken = {event.event_id: event for event in unsaid}
    spoken = unspoken | {item.event.event_id: item.event for item in findings}
    homes: dict[Subject, UUID] = {}
    here = _named_here(commit)
    told: dict[UUID, StoredEvent] = {}
    asked: set[Subject] = set()
    concerned = [*spoken.values(), *fallen]
    while True:
        subjects = {subject for event in concerned for subject in _subjects(event, commit)} - asked
        asked |= subjects
        homes |= await find_homes(tx, commit.tenant_id, subjects)
        homes |= {subject: here[subject] for subject in subjects & here.keys()}
        wanted |= {homes[subject] for subject in subjects if subject in homes}
        if wanted <= seen:
            break
        read, events = await find_told_so_far(tx, commit, wanted - seen)
        seen |= read
        fresh = [event for event in events if event.event_id not in told]
        told |= {event.event_id: event for event in fresh}
        concerned = [*fresh, *await _grounds(tx, commit, fresh)]
        spoken |= {event.event_id: event for event in concerned if event.type in SPEAKING}
    thread = Thread(homes=homes, gone=await _gone(tx, commit, [*told.values(), *spoken.values()]))
    _sort(thread, told.values(), commit)
    thread.findings = await _findings(tx, commit, thread, spoken, unspoken)
    return thread


def _sort(thread: Thread, told: Iterable[StoredEvent], commit: Commit) -> None:
    """Keep apart what others told and what we stated because of feedback and late reopenings."""
    for event in told:
        if _is_consequence(event):
            thread.ours.append(event)
        elif event.type is EventType.CASE_MARKED_INVALID and LOST_OPENING in event.fact:
            thread.marks.append(event)
        else:
            thread.told.append(event)
    acted = {event.caused_by for event in thread.ours}
    thread.reopenings = [
        event
        for event in thread.told
        if event.type is EventType.CASE_REOPENED
        and event.caused_by is None
        and (event.event_id in acted or may_open(event, commit))
    ]


def _named_here(commit: Commit) -> dict[Subject, UUID]:
    """The cases that events of this commit name: some are new."""
    found: dict[Subject, UUID] = {}
    for event in commit.events:
        if event.subject_kind is SubjectKind.CASE and event.subject_id is not None:
            said, fact = event.personal, event.fact
            others = (("into", "into_id"), ("ref", LINKED))
            named = {
                said[name]: UUID(fact[other]) for name, other in others if name in said and other in fact
            }
            named |= {said["subject_ref"]: event.subject_id} if "subject_ref" in said else {}
            found |= {Subject(SubjectKind.CASE, ref): case_id for ref, case_id in named.items()}
    return found


def _is_consequence(event: StoredEvent) -> bool:
    return event.type in _CONSEQUENCES and event.source == OWN_SOURCE and event.caused_by is not None


def _subjects(event: StoredEvent, commit: Commit) -> list[Subject]:
    """The references under which a case may be known that has to do with this event."""
    if event.type is EventType.CASE_REOPENED and event.caused_by is None:
        return [late_subject(event)]
    if event.type in SPEAKING:
        meant = concerns(event, commit)
        return [meant.subject] if meant.own is None else [meant.subject, meant.own]
    ref = event.personal.get("subject_ref") if event.type is EventType.CASE_OPENED else None
    # an internal case is followed by the next one of its day
    return [Subject(SubjectKind.CASE, next_internal_ref(ref))] if ref and internal_place(ref) else []


async def _grounds(tx: Tx, commit: Commit, told: Sequence[StoredEvent]) -> list[StoredEvent]:
    """The feedback that may be the ground of the cases of which this was told."""
    refs = {event.personal.get(name) or "" for event in told for name in ("subject_ref", "ref", "into")}
    names = sorted({name for ref in refs for name in named_by(ref)})
    ours = [event for event in told if _is_consequence(event)]
    causes = sorted({event.caused_by for event in ours if event.caused_by is not None})
    found: list[StoredEvent] = []
    if names or causes:
        sources, objects = [source for source, _ in names], [name for _, name in names]
        found += await select_events(tx, commit.tenant_id, _NAMED, sources, objects, causes)
    # a touchpoint that was renamed since is that of the press, not the one that the reference names
    openers = [(event.caused_by, event.personal.get("subject_ref") or "") for event in ours]
    days = {
        (cause_id, *place[:2], *_day(place[2], commit))
        for cause_id, ref in (*openers, *((None, ref) for ref in refs))
        if (place := internal_place(ref)) is not None
    }
    if days:
        columns = [list(column) for column in zip(*sorted(days, key=str), strict=True)]
        found += await select_events(tx, commit.tenant_id, _PRESSES, *columns)
    return [event for event in found if event.type in SPEAKING]


def _day(day: date, commit: Commit) -> tuple[datetime, datetime]:
    """The local day of an internal case."""
    since, until = (datetime.combine(at, time(), commit.config.zone) for at in (day, day + timedelta(days=1)))
    return since, until


async def _gone(tx: Tx, commit: Commit, events: Sequence[StoredEvent]) -> set[UUID]:
    """Which of these were taken back before this commit."""
    here = {event.event_id for event in commit.events}
    names = [str(event.event_id) for event in events if event.event_id not in here]
    rows = await tx.fetch(_GONE, commit.tenant_id, names) if names else ()
    return {UUID(row["event_id"]) for row in rows}


async def _findings(
    tx: Tx, commit: Commit, thread: Thread, spoken: dict[UUID, StoredEvent], unsaid: Collection[UUID]
) -> list[Finding]:
    """All feedback of the thread that wants a case, whatever was decided of it before.

    What stands because of feedback stays so though its text was erased since, or its customer; unless
    what was said of it is taken back (`unsaid`). What somebody else took back of ours is not stated again.
    """
    acted = {event.caused_by for event in thread.ours}
    stands = {event.caused_by: event for event in thread.ours if event.event_id not in thread.gone}
    refused = _refused(thread)
    heard = [
        event
        for event in spoken.values()
        if event.event_id not in refused and (event.event_id in acted or may_open(event, commit))
    ]
    found = {item.event.event_id: item for item in await find_complaints(tx, commit, heard)}
    for event in heard:
        ours = stands.get(event.event_id)
        if ours is None or event.event_id in unsaid:
            continue
        finding = found.get(event.event_id)
        kind = CaseKind(ours.fact.get("kind") or CaseKind.COMPLAINT)
        finding = finding or Finding(facts_of(event), None, kind, concerns(event, commit))
        found[event.event_id] = replace(finding, concerns=_kept(finding.concerns, ours, thread.homes))
    return list(found.values())


def _refused(thread: Thread) -> set[UUID | None]:
    """The causes of what we stated and somebody took back by hand."""
    by_hand = {
        event.fact.get("event_id")
        for event in thread.told
        if event.type is EventType.EVENT_RETRACTED and event.caused_by is None
    }
    return {event.caused_by for event in thread.ours if str(event.event_id) in by_hand}


def _kept(meant: Complaint, ours: StoredEvent, homes: dict[Subject, UUID]) -> Complaint:
    """The cases that feedback concerns, where an erasure hides which one it opened."""
    ref = ours.personal.get("subject_ref") or f"{ours.subject_id}"
    subjects = [meant.subject] if meant.own is None else [meant.subject, meant.own]
    known = any(homes.get(subject) == ours.subject_id for subject in subjects)
    if known or ours.type is not EventType.CASE_OPENED or ref.startswith(INTERNAL) or ours.subject_id is None:
        return meant
    opened = Subject(SubjectKind.CASE, ref)
    homes[opened] = ours.subject_id
    own = feedback_case_ref(meant.event.source, meant.event.external_id)
    return replace(meant, subject=opened, own=Subject(SubjectKind.CASE, own))
