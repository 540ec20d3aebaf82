"""States what should follow and does not stand yet, and takes back what stands and should not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never
from uuid import UUID

from app.cases.derived import retraction
from app.cases.findings import Finding
from app.cases.stating import (
    TAKEN_BACK,
    continue_case,
    in_place_of,
    invalid,
    late_subject,
    open_case,
    placed,
    reopen_case,
    word_of_repetition,
)
from app.cases.threads import Thread
from app.domain.case import (
    LOST_OPENING,
    REDATES,
    Consequence,
    LateReopening,
    Merges,
    Opens,
    Reopens,
    follow,
    merges_of,
    survivor_of,
    ties,
)
from app.domain.events import EventType, StoredEvent, Subject
from app.journal.ports import Commit, Draft
from app.kit.ids import new_id, public_id

_EARLIER: Final = "an earlier reason for the case became known"
_STATED: Final = "the case is opened by what its source states"
_UNCALLED: Final = "by what is known now nothing calls for it"


class Restatement:
    """What stands of a thread, and what this commit makes of it."""

    def __init__(self, commit: Commit, thread: Thread) -> None:
        self._commit = commit
        self._thread = thread
        self._findings = {item.event.event_id: item for item in thread.findings}
        gone = thread.gone | commit.taken_back
        self._standing = [event for event in thread.ours if event.event_id not in gone]
        self._openings = {str(event.event_id): event for event in thread.ours}
        self._marks = [event for event in thread.marks if event.event_id not in gone]

    def settle(self, gone: Collection[UUID]) -> list[Draft]:
        """The drafts by which that stands, and only that, which should when these events are taken back."""
        stating = _Stating(self._commit, self._thread, self._findings, self._standing)
        thread = self._thread
        follow(
            thread.told,
            [item.concerns for item in thread.findings if item.event.event_id not in gone],
            [event for event in thread.reopenings if event.event_id not in gone],
            thread.homes,
            stating,
        )
        told = [*thread.told, *stating.stands]
        merges = merges_of(told) if any(ties(event) for event in told) else {}
        first = _first_openings([event for event in told if event.event_id not in gone], merges)
        kept = {event.event_id for event in stating.stands}
        lost = [event for event in self._standing if event.event_id not in kept]
        drafts = [in_place_of(made, _replaced(made, lost)) for made in stating.made]
        drafts += stating.words
        for event in lost:
            heir = first.get(_place(event, merges))
            drafts += self._take_back(event, heir, gone, kept)
        for mark in [mark for mark in self._marks if _place(self._opening_of(mark), merges) in first]:
            self._marks.remove(mark)
            drafts.append(retraction(self._commit, mark, self._trigger(mark), _EARLIER))
        self._standing = stating.stands
        self._openings |= {str(event.event_id): event for event in stating.stands}
        return drafts

    def _take_back(
        self,
        event: StoredEvent,
        heir: StoredEvent | None,
        gone: Collection[UUID],
        stands: Collection[UUID],
    ) -> list[Draft]:
        """The retraction of what should not stand; of a case that nothing opens any more it is the end."""
        commit, trigger = self._commit, self._trigger(event)
        reason = TAKEN_BACK if event.caused_by in gone else _UNCALLED
        if event.type is EventType.CASE_REOPENED or event.subject_id is None:
            return [retraction(commit, event, trigger, reason)]
        if heir is None:
            made, mark = placed(invalid(commit, event, trigger), trigger, event.subject_id)
            self._marks.append(mark)
            return [retraction(commit, event, trigger, reason), made]
        if heir.subject_id != event.subject_id:
            return [retraction(commit, event, trigger, reason)]
        if heir.event_id not in stands:
            return [retraction(commit, event, heir, _STATED)]
        finding = None if heir.caused_by is None else self._findings.get(heir.caused_by)
        cause = trigger if finding is None or event.caused_by in gone else finding.event
        return [retraction(commit, event, cause, TAKEN_BACK if event.caused_by in gone else _EARLIER)]

    def _opening_of(self, mark: StoredEvent) -> StoredEvent:
        """The opening whose loss it is about: it belongs where that one does."""
        return self._openings.get(mark.fact[LOST_OPENING], mark)

    def _trigger(self, event: StoredEvent) -> StoredEvent:
        """What of this commit it is, because of which the event should not stand."""
        told = self._commit.events
        back = (item for item in told if item.fact.get("event_id") == str(event.caused_by))
        about = (item for item in told if item.subject_id == event.subject_id)
        return next(back, None) or next(about, told[0])


@dataclass(slots=True)
class _Stating:
    """Finds the event by which each consequence is stated, or states it."""

    commit: Commit
    thread: Thread
    findings: Mapping[UUID, Finding]
    standing: Iterable[StoredEvent]
    stands: list[StoredEvent] = field(default_factory=list)
    made: list[Draft] = field(default_factory=list)
    words: list[Draft] = field(default_factory=list)

    def __call__(self, found: Consequence) -> StoredEvent:
        """The event that stands for it; a new one is known to its thread from now on."""
        stated = self._find(found) or self._make(found)
        self.stands.append(stated)
        return stated

    def _find(self, found: Consequence) -> StoredEvent | None:
        """What says this already: of one cause, about one case, and the same of the case it goes back to."""
        home = self.thread.homes.get(_subject(found))
        kind = EventType.CASE_REOPENED if isinstance(found, Reopens) else EventType.CASE_OPENED
        return next(
            (
                event
                for event in self.standing
                if event.type is kind
                and event.caused_by == _cause(found).event_id
                and event.subject_id == home
                and self._says(event, found)
            ),
            None,
        )

    def _says(self, event: StoredEvent, found: Consequence) -> bool:
        match found:
            case Reopens():
                return True
            case Opens():
                earlier = found.repeat_of
                return earlier is None or event.fact.get("repeat_of") == public_id("case", earlier)
            case LateReopening():
                return _said(event) == _said(self._draft(found))
            case _:
                assert_never(found)

    def _draft(self, found: Consequence) -> Draft:
        match found:
            case Reopens():
                return reopen_case(self.commit, found)
            case Opens():
                return open_case(self.commit, found, self.findings[found.cause.event_id])
            case LateReopening():
                return continue_case(self.commit, found)
            case _:
                assert_never(found)

    def _make(self, found: Consequence) -> StoredEvent:
        home = self.thread.homes.setdefault(_subject(found), new_id())
        made, stated = placed(self._draft(found), _cause(found), home)
        self.made.append(made)
        if isinstance(found, LateReopening):
            self.words.append(word_of_repetition(self.commit, stated, found))
        return stated


def _cause(found: Consequence) -> StoredEvent:
    return found.event if isinstance(found, LateReopening) else found.cause


def _subject(found: Consequence) -> Subject:
    return late_subject(found.event) if isinstance(found, LateReopening) else found.subject


def _said(opening: StoredEvent | Draft) -> tuple[Any, ...]:
    fact = {name: value for name, value in opening.fact.items() if name != REDATES}
    return fact, opening.customer_ref


def _first_openings(events: Iterable[StoredEvent], merges: Merges) -> dict[UUID | None, StoredEvent]:
    """Case -> the earliest opening among these events that belongs to it."""
    openings = [event for event in events if event.type is EventType.CASE_OPENED]
    openings.sort(key=lambda event: (event.occurred_at, event.source, event.external_id), reverse=True)
    return {_place(event, merges): event for event in openings}


def _place(event: StoredEvent, merges: Merges) -> UUID | None:
    """The case to which an event belongs by its time."""
    home = event.subject_id
    return None if home is None else survivor_of(home, merges, event.occurred_at)


def _replaced(made: Draft, lost: Iterable[StoredEvent]) -> list[StoredEvent]:
    """The openings of the same case in whose place this one comes."""
    if made.event.type is not EventType.CASE_OPENED:
        return []
    return [
        event for event in lost if event.type is EventType.CASE_OPENED and event.subject_id == made.subject_id
    ]
