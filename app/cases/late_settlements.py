"""Decides that a bad word known before reopens a case, when its settlement becomes known with it or later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from app.cases.decider import SPEAKING, find_complaint
from app.cases.hearsay import words_before
from app.cases.settled import KnownCase, reopening
from app.db.engine import Tx
from app.domain.case import fold, refs_of
from app.domain.case_opening import is_anonymous, named_by
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.journal.ports import Commit, Draft
from app.journal.rows import select_events

_SETTLING: Final = frozenset(
    {EventType.CASE_REMEDIED, EventType.CASE_DECLINED, EventType.CASE_CLOSED, EventType.CASE_WITHDRAWN}
)
_HISTORY: Final = "e.subject_id = any($2) AND e.subject_kind = 'case'"
_STATES: Final = "(e.source, e.object) IN (SELECT * FROM unnest($2::text[], $3::text[]))"


class LateSettlements:
    """The decider of reopenings that no look at the arriving feedback could find."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.reopened` for the first bad word after a settlement of this commit."""
        settled = list({event.subject_id for event in commit.events if event.type in _SETTLING})
        if not settled:
            return ()
        stored = await select_events(tx, commit.tenant_id, _HISTORY, settled)
        drafts: list[Draft] = []
        for case_id in settled:
            if case_id is None:
                continue
            history = [event for event in (*stored, *commit.events) if event.subject_id == case_id]
            drafts += await _reopenings(tx, commit, case_id, history)
        return drafts


async def _reopenings(tx: Tx, commit: Commit, case_id: UUID, history: Sequence[StoredEvent]) -> list[Draft]:
    since = min(event.occurred_at for event in history if event.type in _SETTLING)
    spoken = await _spoken(tx, commit, history)
    later = sorted(
        (event for event in spoken if event.occurred_at > since and event.origin is not Origin.BACKFILL),
        key=lambda event: event.occurred_at,
    )
    words = await words_before(tx, commit, later)
    bad = [event for event in later if find_complaint(event, commit, words) is not None]
    subject = Subject(SubjectKind.CASE, refs_of(history)[0])
    return [reopening(commit, event, subject) for event in _reopening_words(case_id, history, bad)]


async def _spoken(tx: Tx, commit: Commit, history: Sequence[StoredEvent]) -> list[StoredEvent]:
    """What the customer said within the case, and the states of the thing that opened it."""
    names = {name for ref in refs_of(history) for name in named_by(ref)}
    states = await select_events(
        tx, commit.tenant_id, _STATES, [source for source, _ in names], [name for _, name in names]
    )
    states += [event for event in commit.events if (event.source, event.object) in names]
    gone = {event.fact.get("event_id") for event in history if event.type is EventType.EVENT_RETRACTED}
    found = {event.event_id: event for event in (*history, *states) if event.type in SPEAKING}
    return [
        event
        for event in found.values()
        if str(event.event_id) not in gone
        and not is_anonymous({**event.fact, "customer": event.customer_ref})
    ]


def _reopening_words(
    case_id: UUID, history: Sequence[StoredEvent], bad: Sequence[StoredEvent]
) -> Iterator[StoredEvent]:
    """Those that find the case settled, and that nothing has reopened it for."""
    causes = {event.caused_by for event in history if event.type is EventType.CASE_REOPENED}
    opened = any(event.type is EventType.CASE_OPENED for event in history)
    reopened_at = None
    for event in bad if opened else ():
        then = [
            item
            for item in history
            if item.occurred_at <= event.occurred_at or item.type is EventType.EVENT_RETRACTED
        ]
        case = fold(then)
        known = KnownCase(case_id, case.state.value, case.settled_at)
        is_new = reopened_at is None or (known.settled_at is not None and known.settled_at > reopened_at)
        at = event.occurred_at
        if event.event_id in causes:
            reopened_at = at
        elif is_new and known.is_settled_before(at) and known.may_be_reopened_at(at):
            reopened_at = at
            yield event
