"""Decides which openings and reopenings follow from what is known of feedback and of its cases by now.

Feedback, settlements, reopenings and retractions may come in any order and over any commits: each time one of
them comes, all that should follow is asked anew; what is missing is stated, what should not be is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.cases.findings import SPEAKING, Finding, find_arrived
from app.cases.hearsay import SAYING, meant_by, word_of
from app.cases.restating import Restatement
from app.cases.threads import gather
from app.db.engine import Tx
from app.domain.case_opening import OURS, next_internal_ref
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.journal.merges import tied_by, with_families
from app.journal.ports import Commit, Draft
from app.journal.rows import select_events

_OPENED: Final = """
SELECT a.ref, c.case_id, c.opened_at,
       c.reopened_count = 0 AND coalesce(c.closed_at, c.ended_at, c.remedied_at) IS NULL
       AND c.steps->-1->'steps'->>'declined' IS NULL AS is_unsettled
  FROM unnest($2::text[]) AS wanted(ref)
  JOIN subject_aliases a ON a.tenant_id = $1 AND a.kind = 'case' AND a.ref = wanted.ref AND a.home_id IS NULL
  JOIN cases c ON c.tenant_id = $1 AND c.case_id = a.subject_id
   AND c.state NOT IN ('awaiting_opening', 'invalid')
"""
_FOLLOWED: Final = 8
"""How many internal cases of a place and day are looked at before its whole thread is read."""
_CONCERNED: Final = """
SELECT subject_id FROM events
 WHERE tenant_id = $1 AND subject_id = any($2)
   AND (type = any($3) OR type = 'case.opened' AND caused_by IS NOT NULL)
UNION
SELECT coalesce(home_id, subject_id) FROM subject_aliases
 WHERE tenant_id = $1 AND (home_id = any($2) OR home_id IS NULL AND subject_id = any($2))
   AND kind = 'case' AND ref ~ '^(feedback|internal):'
"""
_TELLING: Final = frozenset(
    {
        EventType.CASE_OPENED,
        EventType.CASE_ASSESSED,
        EventType.CASE_REMEDIED,
        EventType.CASE_DECLINED,
        EventType.CASE_CLOSED,
        EventType.CASE_REOPENED,
        EventType.CASE_WITHDRAWN,
        EventType.CASE_MARKED_INVALID,
        EventType.CASE_MARKED_DUPLICATE,
        EventType.CASE_MERGED,
        EventType.CASE_LINKED,
        EventType.EVENT_RETRACTED,
    }
)
_SPOKEN: Final = [EventType.CASE_REOPENED.value, *sorted(kind.value for kind in SPEAKING)]


class Consequences:
    """The decider of cases that feedback and late reopenings open, and of what feedback reopens."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """`case.opened`, `case.reopened`, and retractions of those that nothing calls for any more."""
        told = [event for event in commit.events if _tells(event)]
        arrived = await find_arrived(tx, commit)
        unsaid, fallen = await _taken_back(tx, commit)
        concerned = await _concerned(tx, commit, told)
        if not concerned and not unsaid and not fallen:
            arrived = await _acting(tx, commit, arrived, told)
            if not arrived:
                return ()
        thread = await gather(tx, commit, concerned, arrived, fallen, unsaid)
        restatement = Restatement(commit, thread)
        drafts: list[Draft] = []
        if any(event.event_id in commit.taken_back for event in commit.events if event.type in SPEAKING):
            drafts += restatement.settle(thread.gone)  # what comes with its retraction counts until then
        return drafts + restatement.settle(thread.gone | commit.taken_back)


def _tells(event: StoredEvent) -> bool:
    """True for what may change which consequences there are: whether a case was open then, and whose."""
    if event.subject_kind is not SubjectKind.CASE or event.subject_id is None or event.type in SPEAKING:
        return False
    return event.type in _TELLING or event.customer_ref is not None


async def _concerned(tx: Tx, commit: Commit, told: Sequence[StoredEvent]) -> set[UUID]:
    """Of these cases those that feedback or a late reopening may have to do with."""
    named = {event.subject_id for event in told if event.subject_id is not None} | tied_by(told)
    if not named:
        return set()
    known = {event.subject_id for event in told if event.type is EventType.CASE_REOPENED or _is_ours(event)}
    family = await with_families(tx, commit, named)
    rows = await tx.fetch(_CONCERNED, commit.tenant_id, sorted(family), _SPOKEN)
    return {case_id for case_id in (*known, *(row["subject_id"] for row in rows)) if case_id is not None}


def _is_ours(event: StoredEvent) -> bool:
    """True of what is told under the reference of a case that feedback opens, though a source may have."""
    return any(event.personal.get(name, "").startswith(OURS) for name in ("subject_ref", "ref", "into"))


async def _acting(
    tx: Tx, commit: Commit, arrived: Sequence[Finding], told: Sequence[StoredEvent]
) -> list[Finding]:
    """Without those that join a case which has only been open since before they were said."""
    if not arrived:
        return []
    refs = sorted({ref for finding in arrived for ref in _places(finding)})
    rows = await tx.fetch(_OPENED, commit.tenant_id, refs)
    here = {event.subject_id for event in told}
    opened = {row["ref"]: row for row in rows if row["case_id"] not in here}
    return [finding for finding in arrived if not _joins(finding, opened)]


def _places(finding: Finding) -> Iterator[str]:
    """The references of the cases that it may join: a press finds the one of its day that is not settled."""
    ref = finding.concerns.subject.ref
    yield ref
    for _ in range(0 if finding.concerns.own is not None else _FOLLOWED):
        ref = next_internal_ref(ref)
        yield ref


def _joins(finding: Finding, opened: Mapping[str, Any]) -> bool:
    """True where all of them were open by then, up to one that was never settled: it joins one of them."""
    for ref in _places(finding):
        row = opened.get(ref)
        if row is None or row["opened_at"] > finding.event.occurred_at:
            return False
        if row["is_unsettled"]:
            return True
    return False


async def _taken_back(tx: Tx, commit: Commit) -> tuple[list[StoredEvent], list[StoredEvent]]:
    """Feedback of which a word is taken back in this commit; feedback that is itself taken back."""
    if not commit.taken_back:
        return [], []
    targets = await select_events(tx, commit.tenant_id, "e.event_id = any($2)", sorted(commit.taken_back))
    here = [event for event in commit.events if event.event_id in commit.taken_back]
    words = [word for event in targets if event.type in SAYING and (word := word_of(event)) is not None]
    return await meant_by(tx, commit, words), [event for event in (*targets, *here) if event.type in SPEAKING]
