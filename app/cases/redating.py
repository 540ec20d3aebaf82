"""Decides that a case counts from an earlier reason than the one we opened it for, which arrived after it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.cases.derived import retraction
from app.db.engine import Tx
from app.domain.case import REDATES
from app.domain.events import EventType, Origin, StoredEvent, Subject
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.rows import select_events

_REASON = "an earlier reason for the case became known"
_OPENINGS = "e.subject_id = $2 AND e.type IN ('case.opened', 'event.retracted')"


async def find_own_openings(
    tx: Tx, commit: Commit, case_id: UUID, subject: Subject, cause: StoredEvent
) -> list[StoredEvent]:
    """The standing openings of that case, under that reference, that we stated for something later."""
    told = await select_events(tx, commit.tenant_id, _OPENINGS, case_id)
    gone = {event.fact.get("event_id") for event in told if event.type is EventType.EVENT_RETRACTED}
    return [
        event
        for event in told
        if event.type is EventType.CASE_OPENED
        and event.source == OWN_SOURCE
        and event.occurred_at > cause.occurred_at
        and event.personal.get("subject_ref") == subject.ref
        and str(event.event_id) not in gone
    ]


def replacing(commit: Commit, opening: Draft, cause: StoredEvent, old: Sequence[StoredEvent]) -> list[Draft]:
    """The earlier opening in the place of these; what followed from them falls with them (`Unfounded`)."""
    return [in_place_of(opening, old), *(retraction(commit, event, cause, _REASON) for event in old)]


def in_place_of(opening: Draft, old: Sequence[StoredEvent]) -> Draft:
    """The opening, saying which announced ones it takes the place of."""
    told = [event.external_id for event in old if event.origin is Origin.LIVE]
    return opening.with_fact({**opening.fact, REDATES: told}) if told else opening


def is_told_already(event: StoredEvent, commit: Commit, history: Sequence[StoredEvent]) -> bool:
    """True of an opening that only moves, and of an assignment that it repeats to the same person."""
    if event.type is EventType.CASE_OPENED:
        return REDATES in event.fact
    if event.type is not EventType.CASE_ASSIGNED or event.source != OWN_SOURCE:
        return False
    moved = {item.event_id for item in commit.events if REDATES in item.fact}
    before = (
        item.fact.get("assignee")
        for item in history
        if item.type is EventType.CASE_ASSIGNED and item.position < event.position
    )
    return event.caused_by in moved and event.fact.get("assignee") in before
