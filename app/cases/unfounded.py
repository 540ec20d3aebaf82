"""Decides that a case has no ground any more: what was taken back takes back what followed from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.cases.decider import SPEAKING, Finding, case_subject, find_complaint, open_case
from app.cases.derived import retraction, retraction_id
from app.cases.hearsay import words_before
from app.cases.redating import in_place_of
from app.db.engine import Tx
from app.domain.case import LOST_OPENING
from app.domain.case_opening import feedback_case_ref, reopened_case_ref
from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.rows import select_events
from app.journal.subjects import find_homes

_REASON: Final = "what it followed from was taken back"
_FOLLOWED: Final = """e.position = any(ARRAY(
    SELECT d.position FROM events t
      JOIN events d ON d.tenant_id = t.tenant_id AND d.position > t.position
       AND d.position < ((t.position >> 20) + 1) << 20 AND d.caused_by IS NOT NULL
     WHERE t.tenant_id = $1 AND t.event_id = any($2)
    UNION
    SELECT d.position FROM events d
     WHERE d.tenant_id = $1 AND d.subject_id = any($3) AND d.caused_by = any($2)))"""
BESIDE: Final = """e.position = any(ARRAY(
    SELECT n.position FROM events o
      JOIN events n ON n.tenant_id = $1 AND n.source = o.source AND n.object = o.object
     WHERE o.tenant_id = $1 AND o.event_id = $2
    UNION
    SELECT n.position FROM feedback o
      JOIN feedback f ON f.tenant_id = $1 AND f.seq_to IS NULL AND f.occurred_at >= $3 AND f.occurred_at < $4
       AND f.touchpoint IS NOT DISTINCT FROM o.touchpoint AND f.location IS NOT DISTINCT FROM o.location
       AND f.collection_mode = 'passive' AND f.class = 'negative' AND f.customer_ref IS NULL
      JOIN events n ON n.tenant_id = $1 AND n.event_id = f.event_id
     WHERE o.tenant_id = $1 AND o.event_id = $2
       AND o.collection_mode = 'passive' AND o.customer_ref IS NULL))"""
_GONE: Final = """
SELECT fact->>'event_id' AS event_id FROM events
 WHERE tenant_id = $1 AND type = 'event.retracted' AND fact->>'event_id' = any($2)
"""
DAY: Final = timedelta(days=1, hours=1)
"""The longest local day."""
_ALREADY: Final = """
SELECT fact->>'event_id' AS event_id FROM events
 WHERE tenant_id = $1 AND source = $2 AND external_id = any($3)
"""


class Unfounded:
    """The decider of what falls with its cause: openings, reopenings, assessments that are our own."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A retraction of each such event; a case that loses its ground is marked invalid."""
        retractions = [event for event in commit.events if event.type is EventType.EVENT_RETRACTED]
        if not retractions:
            return ()
        fallen = await _fallen(tx, commit, {UUID(event.fact["event_id"]): event for event in retractions})
        drafts = [retraction(commit, event, cause, _REASON) for event, cause in fallen]
        openings = [(event, cause) for event, cause in fallen if event.type is EventType.CASE_OPENED]
        for opening, cause in openings:
            ground = await _other_ground(tx, commit, opening)
            made = invalid(commit, opening, cause)
            again = None if ground is None else open_case(ground, commit, None)
            drafts.append(made if again is None else in_place_of(again, [opening]))
        return drafts


async def _fallen(
    tx: Tx, commit: Commit, gone: dict[UUID, StoredEvent]
) -> list[tuple[StoredEvent, StoredEvent]]:
    """Our own events that followed, however far, from what was taken back; each with its retraction."""
    targets = await select_events(tx, commit.tenant_id, "e.event_id = any($2)", list(gone))
    cases = await find_homes(tx, commit.tenant_id, _subjects(targets, commit))
    told = await select_events(tx, commit.tenant_id, _FOLLOWED, list(gone), list(cases.values()))
    told += [event for event in commit.events if event.caused_by is not None]
    fallen: list[tuple[StoredEvent, StoredEvent]] = []
    for event in sorted(told, key=lambda item: item.position):
        cause = None if event.caused_by is None else gone.get(event.caused_by)
        if cause is not None and event.event_id not in gone and _may_fall(event):
            gone[event.event_id] = cause
            fallen.append((event, cause))
    known = await _taken_back(tx, commit, [event for event, _ in fallen])
    return [(event, cause) for event, cause in fallen if str(event.event_id) not in known]


async def _other_ground(tx: Tx, commit: Commit, opening: StoredEvent) -> Finding | None:
    """The earliest feedback that still wants this very case: a state of the same thing, or a press."""
    since, until = opening.occurred_at, opening.occurred_at + DAY
    told = await select_events(tx, commit.tenant_id, BESIDE, opening.caused_by, since, until)
    told += [event for event in commit.events if event.type in SPEAKING]
    gone = await _gone(tx, commit, told)
    standing = [event for event in told if event.type in SPEAKING and event.event_id not in gone]
    words = await words_before(tx, commit, standing)
    named = opening.personal["subject_ref"]
    found = [
        replace(finding, subject=Subject(SubjectKind.CASE, named))
        for event in standing
        if (finding := find_complaint(event, commit, words)) is not None
        and finding.subject.ref == named.partition("#")[0]
    ]
    return min(found, key=lambda finding: finding.event.occurred_at, default=None)


async def _gone(tx: Tx, commit: Commit, told: Sequence[StoredEvent]) -> set[UUID]:
    rows = await tx.fetch(_GONE, commit.tenant_id, [str(event.event_id) for event in told])
    here = {event.fact["event_id"] for event in commit.events if event.type is EventType.EVENT_RETRACTED}
    return {UUID(name) for name in here | {row["event_id"] for row in rows}}


def _subjects(targets: Iterable[StoredEvent], commit: Commit) -> Iterator[Subject]:
    """The cases that these may have opened later than they were stored."""
    for event in targets:
        if event.type in SPEAKING:
            customer = {} if event.customer_ref is None else {"customer": True}
            yield case_subject(event, {**event.personal, **event.fact, **customer}, commit)
            yield Subject(SubjectKind.CASE, feedback_case_ref(event.source, event.external_id))
        elif event.type is EventType.CASE_REOPENED:
            yield Subject(SubjectKind.CASE, reopened_case_ref(event.source, event.external_id))


def _may_fall(event: StoredEvent) -> bool:
    own = event.source == OWN_SOURCE and event.type is not EventType.EVENT_RETRACTED
    return own and event.subject_id is not None and not event.type.is_derived


async def _taken_back(tx: Tx, commit: Commit, events: Sequence[StoredEvent]) -> set[Any]:
    if not events:
        return set()
    names = [retraction_id(event) for event in events]
    rows = await tx.fetch(_ALREADY, commit.tenant_id, OWN_SOURCE, names)
    return {row["event_id"] for row in rows}


def invalid(commit: Commit, opening: StoredEvent, cause: StoredEvent) -> Draft:
    """The word that a case has no ground any more, since its opening was taken back."""
    stated = Event(
        type=EventType.CASE_MARKED_INVALID,
        id=f"case.marked_invalid:{opening.event_id}",
        source=OWN_SOURCE,
        occurred_at=max(cause.occurred_at, opening.occurred_at),
        data={"reason": _REASON, "human": False, LOST_OPENING: str(opening.event_id)},
        subject=Subject(SubjectKind.CASE, opening.personal["subject_ref"]),
    )
    return _drafted(commit, stated, cause)


def _drafted(commit: Commit, stated: Event, cause: StoredEvent) -> Draft:
    return draft(
        stated,
        commit.config,
        received_at=max(commit.recorded_at, stated.occurred_at),
        origin=cause.origin,
        caused_by=cause.event_id,
    )
