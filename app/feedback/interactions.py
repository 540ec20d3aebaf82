"""Answers about an interaction: they count when it ended, and the last one to each question stands.

Who names the interaction answers about this one contact, so the answer is transactional whatever its question
(domain.md 4.0). Both rules look at times and never at arrival: any order leaves the same rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.journal.ports import Commit

_TELLING: Final = (EventType.INTERACTION_ENDED, EventType.FEEDBACK_RECEIVED, EventType.EVENT_RETRACTED)
_STANDING: Final = """
SELECT e.event_id, e.subject_id, e.type, e.occurred_at, e.source, e.external_id, p.customer_ref,
       CASE WHEN e.type = 'feedback.received' THEN ARRAY(
            SELECT a->>'question' FROM jsonb_array_elements(e.fact->'answers') a
             WHERE a->>'value' IS NOT NULL)
       END AS questions
  FROM events e LEFT JOIN event_personal p ON p.tenant_id = $1 AND p.event_id = e.event_id
 WHERE e.tenant_id = $1 AND e.subject_id = any($2) AND e.position < $3
   AND e.type IN ('interaction.ended', 'feedback.received')
   AND (e.object IS NULL OR EXISTS (
        SELECT FROM object_heads h WHERE h.tenant_id = $1 AND h.source = e.source AND h.object = e.object
           AND h.event_id = e.event_id))
   AND NOT EXISTS (SELECT FROM events r WHERE r.tenant_id = $1 AND r.type = 'event.retracted'
                      AND r.position < $3 AND r.fact->>'event_id' = e.event_id::text)
"""


@dataclass(slots=True)
class Interactions:
    """What stands about some interactions after a commit."""

    ended_at: dict[UUID, datetime] = field(default_factory=dict)
    answers: dict[UUID, tuple[UUID, set[str]]] = field(default_factory=dict)
    """the events that answer about them, each with its interaction and what it answers"""
    overtaken: set[tuple[UUID, str]] = field(default_factory=set)
    """(event, question) of answers that their customer gave again later"""

    def end_of(self, event: StoredEvent) -> datetime | None:
        """When the interaction of an answer ended, as far as it was told."""
        return None if event.subject_id is None else self.ended_at.get(event.subject_id)

    def moved_by(self, commit: Commit) -> set[UUID]:
        """Answers that the commit may have given another time, or another last word."""
        touched = touched_by(commit)
        told = [event for event in (*commit.events, *commit.restored) if event.subject_id in touched]
        whole = {event.subject_id for event in told if not _only_answers(event, commit)}
        asked = {
            (event.subject_id, answer["question"])
            for event in told
            for answer in event.fact.get("answers", ())
        }
        return {
            event_id
            for event_id, (subject, questions) in self.answers.items()
            if subject in whole or any((subject, question) in asked for question in questions)
        }


def _only_answers(event: StoredEvent, commit: Commit) -> bool:
    """True for an answer that takes nothing back, as another state of it would."""
    return event.type is EventType.FEEDBACK_RECEIVED and event.event_id not in commit.replaced


def touched_by(commit: Commit) -> set[UUID]:
    """Interactions of which this commit may change the end, or the answers that stand."""
    events = (*commit.events, *commit.restored)
    return {
        event.subject_id
        for event in events
        if event.subject_id is not None and event.type in _TELLING and is_about_one(event)
    }


def is_about_one(event: StoredEvent) -> bool:
    """True for a fact about an interaction."""
    return event.subject_kind is SubjectKind.INTERACTION


async def load_interactions(tx: Tx, commit: Commit, subjects: Collection[UUID]) -> Interactions:
    """What stands about these interactions; nothing is asked where there are none."""
    found = Interactions()
    if not subjects:
        return found
    rows = await tx.fetch(_STANDING, commit.tenant_id, list(subjects), commit.end_position)
    told: dict[tuple[UUID, bytes | None, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        subject, at = row["subject_id"], row["occurred_at"]
        if row["questions"] is None:
            found.ended_at[subject] = min(at, found.ended_at.get(subject, at))
            continue
        found.answers[row["event_id"]] = (subject, set(row["questions"]))
        for question in row["questions"]:
            told[subject, row["customer_ref"], question].append(row)
    for (_, _, question), given in told.items():
        found.overtaken |= {(row["event_id"], question) for row in _all_but_the_last(given)}
    return found


def _all_but_the_last(given: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(given, key=lambda row: (row["occurred_at"], row["source"], row["external_id"]))[:-1]
