"""What experts and classifiers say of feedback that makes a complaint of it, before or after it arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType, Origin, StoredEvent
from app.journal.ports import Commit
from app.journal.rows import select_events

SAYING: Final = frozenset({EventType.FEEDBACK_CLASSIFIED, EventType.RESPONSE_QUALIFIED})
_SAID: Final = """
SELECT event_id, kind, target_source, target_id, subject_id, stated FROM amendments
 WHERE tenant_id = $1 AND kind = any($2) AND (stated->>'is_complaint')::boolean
   AND (subject_id = any($3) OR (target_source, target_id) IN (
       SELECT * FROM unnest($4::text[], $5::text[])))
 ORDER BY occurred_at, event_id
"""
# an array, so that each part is found once whatever the planner believes of a table that has just grown
_MEANT: Final = """e.event_id = any(ARRAY(
    SELECT event_id FROM events WHERE tenant_id = $1 AND subject_id = any($2) AND NOT type LIKE 'case.%'
    UNION ALL
    SELECT n.event_id FROM unnest($3::text[], $4::text[]) AS named(source, name)
      JOIN events n ON n.tenant_id = $1 AND n.source = named.source AND n.external_id = named.name))"""


class Word(NamedTuple):
    """One such word: of the event with this source and id, or of every answer of the subject."""

    by_expert: bool
    target: tuple[str, str] | None
    subject_id: UUID | None
    stated: Mapping[str, Any]

    def is_about(self, event: StoredEvent) -> bool:
        """Whether it is said of this feedback."""
        if self.target is not None:
            return self.target == (event.source, event.external_id)
        return self.subject_id is not None and self.subject_id == event.subject_id


def words_in(commit: Commit) -> list[Word]:
    """The words of this commit that call something a complaint."""
    gone = commit.taken_back
    return [
        word
        for event in commit.events
        if event.event_id not in gone
        and (event.origin is not Origin.BACKFILL or commit.drafts[event.event_id].open_cases)
        and (word := word_of(event)) is not None
    ]


def word_of(event: StoredEvent) -> Word | None:
    """What an event says of feedback, if it calls it a complaint."""
    if event.type not in SAYING or event.fact.get("is_complaint") is not True:
        return None
    named = event.fact.get("event")
    target = None if named is None else (event.fact.get("source") or event.source, named)
    return Word(event.type is EventType.RESPONSE_QUALIFIED, target, event.subject_id, event.fact)


async def words_before(tx: Tx, commit: Commit, events: Sequence[StoredEvent]) -> list[Word]:
    """Those that were known before, and are not taken back in this commit."""
    if not events or not commit.config.has_overlays:
        return []
    rows = await tx.fetch(
        _SAID,
        commit.tenant_id,
        [kind.value for kind in SAYING],
        [event.subject_id for event in events if event.subject_id is not None],
        [event.source for event in events],
        [event.external_id for event in events],
    )
    return [
        Word(
            row["kind"] == EventType.RESPONSE_QUALIFIED,
            None if row["target_id"] is None else (row["target_source"], row["target_id"]),
            row["subject_id"],
            row["stated"],
        )
        for row in rows
        if row["event_id"] not in commit.taken_back
    ]


async def meant_by(tx: Tx, commit: Commit, words: Sequence[Word]) -> list[StoredEvent]:
    """The stored feedback that these words are about, in any of its states; history opens no cases."""
    if not words:
        return []
    targets = [word.target for word in words if word.target is not None]
    found = await select_events(
        tx,
        commit.tenant_id,
        _MEANT,
        [word.subject_id for word in words if word.target is None and word.subject_id is not None],
        [source for source, _ in targets],
        [name for _, name in targets],
    )
    return [event for event in found if event.origin is not Origin.BACKFILL]


def heard(facts: Mapping[str, Any], words: Iterable[Word]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The facts of feedback with what an expert says of them, and the classification that counts.

    One voice that finds a complaint is enough, in whichever order they spoke; among classifiers the
    surest one counts. Nobody's denial is heard: else it would depend on who came first.
    """
    told = list(words)
    if any(word.by_expert for word in told):
        return {**facts, "is_complaint": True}, {}
    stated = [word.stated for word in told if not word.by_expert]
    return facts, max(stated, key=lambda said: said.get("confidence", 1.0), default={})
