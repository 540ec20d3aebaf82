"""Gives what is appended its place: an id, a position in the commit, the subject that it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.errors import InvalidError
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.merges import note_moves, tied_subject
from app.journal.ports import POSITION_BITS, Commit, Draft
from app.journal.retractions import Retractable, find_retractable, target_of
from app.journal.subjects import resolve_subjects
from app.kit.ids import new_id


async def place_all(tx: Tx, commit: Commit, drafts: Sequence[Draft]) -> None:
    """Give each draft its id, position and subject in this commit, in their order."""
    ids = await _resolve(tx, commit, drafts)
    retractable = await find_retractable(tx, commit, drafts)
    place = Placer(commit)
    for item in drafts:
        subject = item.event.subject
        if item.event.type is EventType.EVENT_RETRACTED:
            place.retraction(item, target_of(item, retractable, commit))
        elif subject is None or item.subject_id is not None:
            place(item)
        else:
            tied = tied_subject(item)
            made = item if tied is None else _with_fact(item, **{tied[0]: str(ids[tied[1]])})
            place(made, ids[subject])
    await note_moves(tx, commit)


class Placer:
    """Gives drafts their places: id, position, subject."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit

    def __call__(self, draft: Draft, subject_id: UUID | None = None) -> StoredEvent:
        kind = None if draft.event.subject is None else draft.event.subject.kind
        return self._store(draft, draft.fact, kind, subject_id or draft.subject_id)

    def retraction(self, draft: Draft, target: Retractable) -> StoredEvent:
        """A retraction belongs to the subject of what it takes back."""
        fact = {**draft.fact, "event_id": str(target.event_id)}
        return self._store(draft, fact, target.subject_kind, target.subject_id)

    def _store(
        self, draft: Draft, fact: Any, subject_kind: SubjectKind | None, subject_id: UUID | None
    ) -> StoredEvent:
        commit, event = self._commit, draft.event
        if len(commit.events) >= 1 << POSITION_BITS:
            raise InvalidError("commit_too_large", "more events than one commit can number")
        stored = StoredEvent(
            tenant_id=commit.tenant_id,
            position=commit.next_position,
            event_id=draft.event_id or new_id(),
            type=event.type,
            source=event.source,
            external_id=event.id,
            occurred_at=event.occurred_at,
            recorded_at=commit.recorded_at,
            origin=draft.origin,
            fact=fact,
            personal=draft.personal,
            caused_by=draft.caused_by,
            subject_kind=subject_kind,
            subject_id=subject_id,
            object=event.object,
            version=event.version,
            day_precision=event.day_precision,
            customer_ref=draft.customer_ref,
        )
        commit.events.append(stored)
        commit.drafts[stored.event_id] = draft
        return stored


async def _resolve(tx: Tx, commit: Commit, drafts: Iterable[Draft]) -> dict[Subject, UUID]:
    wanted = [item.event.subject for item in drafts if item.event.subject and item.subject_id is None]
    wanted += [tied[1] for draft in drafts if (tied := tied_subject(draft)) is not None]
    if not wanted:
        return {}
    placed = {
        Subject(event.subject_kind, event.personal["subject_ref"]): event.subject_id
        for event in commit.events
        if event.subject_kind is not None and event.subject_id is not None and "subject_ref" in event.personal
    }
    fresh = await resolve_subjects(tx, commit.tenant_id, [item for item in wanted if item not in placed])
    return {**fresh, **placed}


def _with_fact(draft: Draft, **facts: str) -> Draft:
    return draft.with_fact({**draft.fact, **facts})
