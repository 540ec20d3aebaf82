"""Decides that a bad word known before reopens a case, when its settlement becomes known with it or later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from app.cases.decider import SPEAKING, find_complaint, open_case
from app.cases.hearsay import words_before
from app.cases.settled import KnownCase, find_cases, next_internal, reopening
from app.cases.unfounded import BESIDE, DAY
from app.db.engine import Tx
from app.domain.case import fold, refs_of
from app.domain.case_opening import INTERNAL, feedback_case_ref, is_anonymous, named_by
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.journal.histories import find_histories_so_far
from app.journal.ports import Commit, Draft
from app.journal.rows import select_events

_SETTLING: Final = frozenset(
    {EventType.CASE_REMEDIED, EventType.CASE_DECLINED, EventType.CASE_CLOSED, EventType.CASE_WITHDRAWN}
)
_STATES: Final = "(e.source, e.object) IN (SELECT * FROM unnest($2::text[], $3::text[]))"


class LateSettlements:
    """The decider of reopenings that no look at the arriving feedback could find."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.reopened` for the first bad word after a settlement of this commit."""
        told = {commit.about(event) for event in commit.events if event.type in _SETTLING}
        settled = [case_id for case_id in told if case_id is not None]
        if not settled:
            return ()
        histories = await find_histories_so_far(tx, commit, settled)
        drafts: list[Draft] = []
        for case_id in settled:
            drafts += await _consequences(tx, commit, case_id, histories[case_id])
        return drafts


async def _consequences(tx: Tx, commit: Commit, case_id: UUID, history: Sequence[StoredEvent]) -> list[Draft]:
    """What the words that find the case settled do to it, or open in its place."""
    since = min(event.occurred_at for event in history if event.type in _SETTLING)
    ref = refs_of(history, case_id)[0]
    if ref.startswith(INTERNAL):
        return await _next_internals(tx, commit, case_id, history, ref)
    later = _after(await _spoken(tx, commit, history), since)
    words = await words_before(tx, commit, later)
    bad = [found for event in later if (found := find_complaint(event, commit, words)) is not None]
    drafts: list[Draft] = []
    for event, known in _finding_settled(case_id, history, [finding.event for finding in bad]):
        if known.may_be_reopened_at(event.occurred_at):
            drafts.append(reopening(commit, event, Subject(SubjectKind.CASE, ref)))
            continue
        own = Subject(SubjectKind.CASE, feedback_case_ref(event.source, event.external_id))
        finding = next(finding for finding in bad if finding.event is event)
        if not await find_cases(tx, commit.tenant_id, [own]):
            drafts.append(open_case(replace(finding, subject=own), commit, case_id))
    return drafts


async def _next_internals(
    tx: Tx, commit: Commit, case_id: UUID, history: Sequence[StoredEvent], ref: str
) -> list[Draft]:
    """The internal case that presses after the settlement share: they had joined the settled one."""
    openings = [event for event in history if event.type is EventType.CASE_OPENED and event.caused_by]
    if not openings:
        return []
    base, _, number = ref.partition("#")
    first_opening = min(openings, key=lambda event: event.occurred_at)
    since = first_opening.occurred_at
    told = await select_events(tx, commit.tenant_id, BESIDE, first_opening.caused_by, since, since + DAY)
    later = _after([event for event in (*told, *commit.events) if event.type in SPEAKING], since)
    words = await words_before(tx, commit, later)
    bad = [found for event in later if (found := find_complaint(event, commit, words)) is not None]
    for finding in bad:
        known = _known_at(case_id, history, finding.event.occurred_at)
        if finding.subject.ref != base or not known.is_settled_before(finding.event.occurred_at):
            continue
        first = int(number or 1) + 1
        subject, there = await next_internal(tx, commit, finding.subject, finding.event, first)
        here = {event.personal.get("subject_ref") for event in commit.events}
        # those after it join the one that it opens
        is_new = there is None and subject.ref not in here
        return [open_case(replace(finding, subject=subject), commit, None)] if is_new else []
    return []


def _after(spoken: Iterable[StoredEvent], since: datetime) -> list[StoredEvent]:
    heard = (event for event in spoken if event.occurred_at > since and event.origin is not Origin.BACKFILL)
    return sorted(heard, key=lambda event: event.occurred_at)


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


def _finding_settled(
    case_id: UUID, history: Sequence[StoredEvent], bad: Sequence[StoredEvent]
) -> Iterator[tuple[StoredEvent, KnownCase]]:
    """Those that find the case settled, and that nothing has reopened it for."""
    causes = {event.caused_by for event in history if event.type is EventType.CASE_REOPENED}
    opened = any(event.type is EventType.CASE_OPENED for event in history)
    reopened_at = None
    for event in bad if opened else ():
        at = event.occurred_at
        known = _known_at(case_id, history, at)
        is_new = reopened_at is None or (known.settled_at is not None and known.settled_at > reopened_at)
        if event.event_id in causes:
            reopened_at = at
        elif is_new and known.is_settled_before(at):
            reopened_at = at if known.may_be_reopened_at(at) else reopened_at
            yield event, known


def _known_at(case_id: UUID, history: Sequence[StoredEvent], at: datetime) -> KnownCase:
    """How the case stood then, as is known by now."""
    then = [item for item in history if item.occurred_at <= at or item.type is EventType.EVENT_RETRACTED]
    case = fold(then)
    return KnownCase(case_id, case.state.value, case.settled_at)
