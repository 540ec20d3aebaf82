"""Merges of the commit that is being built: what is later than one goes to the surviving case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.domain.events import EventType, Subject, SubjectKind
from app.journal.ports import Draft

Merges = Mapping[UUID, tuple[datetime, UUID]]
"""absorbed case -> when it was merged, and into which one"""


def merges_into(draft: Draft) -> Subject | None:
    """The surviving case of a `case.merged`."""
    ref = draft.event.data.get("into") if draft.event.type is EventType.CASE_MERGED else None
    return Subject(SubjectKind.CASE, ref) if ref else None


def merges_among(drafts: Sequence[Draft], ids: Mapping[Subject, UUID]) -> Merges:
    """The earliest merge of each case that these drafts tell of."""
    found: dict[UUID, tuple[datetime, UUID]] = {}
    for draft in sorted(drafts, key=lambda item: item.event.occurred_at):
        into, subject = merges_into(draft), draft.event.subject
        if into is not None and subject is not None and ids[into] != ids[subject]:
            found.setdefault(ids[subject], (draft.event.occurred_at, ids[into]))
    return found


def place_of(draft: Draft, subject_id: UUID, merges: Merges) -> UUID:
    """The case that a draft about `subject_id` belongs to: the survivor of every merge before it."""
    seen = {subject_id}
    while draft.event.type is not EventType.CASE_MERGED and subject_id in merges:
        merged_at, survivor = merges[subject_id]
        if draft.event.occurred_at <= merged_at or survivor in seen:
            break
        subject_id = survivor
        seen.add(survivor)
    return subject_id
