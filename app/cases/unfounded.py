"""Decides that what followed from something falls with it: assessments, assignments, words of our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from app.cases.derived import retraction, retraction_id
from app.cases.findings import SPEAKING, concerns
from app.cases.stating import TAKEN_BACK, late_subject
from app.db.engine import Tx
from app.domain.events import EventType, StoredEvent, Subject
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.rows import select_events
from app.journal.subjects import find_homes

_FOLLOWED: Final = """e.position = any(ARRAY(
    SELECT d.position FROM events t
      JOIN events d ON d.tenant_id = t.tenant_id AND d.position > t.position
       AND d.position < ((t.position >> 20) + 1) << 20 AND d.caused_by IS NOT NULL
     WHERE t.tenant_id = $1 AND t.event_id = any($2)
    UNION
    SELECT d.position FROM events d
     WHERE d.tenant_id = $1 AND d.subject_id = any($3) AND d.caused_by = any($2)))"""
_ALREADY: Final = """
SELECT fact->>'event_id' AS event_id FROM events
 WHERE tenant_id = $1 AND source = $2 AND external_id = any($3)
"""


class Unfounded:
    """The decider of what falls with its cause, however far it followed from it."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A retraction of each such event of our own."""
        retractions = [event for event in commit.events if event.type is EventType.EVENT_RETRACTED]
        if not retractions:
            return ()
        fallen = await _fallen(tx, commit, {UUID(event.fact["event_id"]): event for event in retractions})
        return [retraction(commit, event, cause, TAKEN_BACK) for event, cause in fallen]


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


def _subjects(targets: Iterable[StoredEvent], commit: Commit) -> Iterator[Subject]:
    """The cases that these may have opened later than they were stored."""
    for event in targets:
        if event.type in SPEAKING:
            meant = concerns(event, commit)
            yield from (subject for subject in (meant.subject, meant.own) if subject is not None)
        elif event.type is EventType.CASE_REOPENED:
            yield late_subject(event)


def _may_fall(event: StoredEvent) -> bool:
    own = event.source == OWN_SOURCE and event.type is not EventType.EVENT_RETRACTED
    return own and event.subject_id is not None and not event.type.is_derived


async def _taken_back(tx: Tx, commit: Commit, events: Sequence[StoredEvent]) -> set[Any]:
    if not events:
        return set()
    names = [retraction_id(event) for event in events]
    rows = await tx.fetch(_ALREADY, commit.tenant_id, OWN_SOURCE, names)
    return {row["event_id"] for row in rows}
