"""What the facts of cases call for: the openings and reopenings that follow from feedback and from sources.

The one rule of domain.md 6.1 for all of them, read in the order of time whatever order they came in: feedback
that wants a case opens it, joins it while it is open, reopens it within 14 days of its settlement, and after
that opens one of its own; what a source reopens later than that goes on as a new case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from app.domain.case.continuing import LateReopening, find_late_reopening
from app.domain.case.fold import fold
from app.domain.case.merging import Merges, merges_of, split, survivor_of, ties
from app.domain.case.misfit import reopening_misfit
from app.domain.case.standing import latest
from app.domain.case.state import Case
from app.domain.case_opening import next_internal_ref
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind

_MOST_A_DAY: Final = 500


@dataclass(frozen=True, slots=True)
class Complaint:
    """Feedback that wants a case (a complaint or a question), and the references of those it may concern.

    `subject`: the case that it opens or joins; `own`: the one it opens once that one is settled for good.
    An anonymous press has none of its own: the next internal case of its day takes it.
    """

    event: StoredEvent
    subject: Subject
    own: Subject | None


@dataclass(frozen=True, slots=True)
class Opens:
    """Feedback opens a case; `repeat_of`: the settled one that it would have joined."""

    cause: StoredEvent
    subject: Subject
    repeat_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reopens:
    """Feedback takes a settled case up again."""

    cause: StoredEvent
    subject: Subject


Consequence = Opens | Reopens | LateReopening
State = Callable[[Consequence], StoredEvent]


def follow(
    told: Sequence[StoredEvent],
    complaints: Iterable[Complaint],
    reopenings: Iterable[StoredEvent],
    homes: Mapping[Subject, UUID],
    state: State,
) -> None:
    """Ask `state` for an event of each consequence, one after another; what it answers counts for the rest.

    `told`: what was told of the cases, without such consequences; `reopenings`: those of it that a source
    stated and that may open a case; `homes`: the cases that references name. Nothing depends on the order
    of any of them.
    """
    world = _World(told, homes)
    items: list[Complaint | StoredEvent] = [*complaints, *reopenings]
    for item in sorted(items, key=_by_time):
        found = world.complain(item) if isinstance(item, Complaint) else world.reopen(item)
        if found is not None:
            world.add(state(found), found)


class _World:
    """The cases as they stand with what was found to follow so far."""

    def __init__(self, told: Sequence[StoredEvent], homes: Mapping[Subject, UUID]) -> None:
        self._told = list(told)
        self._homes = dict(homes)
        self._read()

    def _read(self) -> None:
        self._merges: Merges = {}
        if any(ties(event) for event in self._told):
            self._merges = merges_of(self._told)
            self._histories = split(self._told)
            return
        self._histories = {}
        for event in self._told:
            if event.subject_id is not None:
                self._histories.setdefault(event.subject_id, []).append(event)

    def add(self, event: StoredEvent, found: Consequence) -> None:
        """Let a consequence count."""
        assert event.subject_id is not None  # it is about a case
        self._told.append(event)
        match found:
            case LateReopening():
                self._read()  # its opening ties two cases to each other
            case Opens() | Reopens():
                self._homes[found.subject] = event.subject_id
                place = survivor_of(event.subject_id, self._merges, event.occurred_at)
                self._histories.setdefault(place, []).append(event)
            case _:
                assert_never(found)

    def complain(self, complaint: Complaint) -> Consequence | None:
        """What feedback does to the case that it names, as that one stood then."""
        event, subject = complaint.event, complaint.subject
        for _ in range(_MOST_A_DAY):
            case_id, case = self._case_at(subject, event.occurred_at)
            if case is None or not case.is_opened:
                return Opens(event, subject)
            settled_at = case.settled_at if case.ended_at is None else case.ended_at
            if settled_at is None or settled_at >= event.occurred_at:
                return None
            if complaint.own is not None:
                break
            subject = Subject(SubjectKind.CASE, next_internal_ref(subject.ref))
        else:
            return None
        if reopening_misfit(case, event.occurred_at) is None:
            return Reopens(event, subject)
        _, own = self._case_at(complaint.own, event.occurred_at)
        return Opens(event, complaint.own, case_id) if own is None or not own.is_opened else None

    def reopen(self, event: StoredEvent) -> LateReopening | None:
        """The settled case that a reopening came too late for."""
        if event.subject_id is None:
            return None
        case_id = survivor_of(event.subject_id, self._merges, event.occurred_at)
        return find_late_reopening(event, case_id, self._history(case_id, latest(event)))

    def _case_at(self, subject: Subject, at: datetime) -> tuple[UUID | None, Case | None]:
        home = self._homes.get(subject)
        if home is None:
            return None, None
        case_id = survivor_of(home, self._merges, at)
        history = self._history(case_id, at)
        return case_id, fold(history) if history else None

    def _history(self, case_id: UUID, until: datetime) -> list[StoredEvent]:
        """What had happened by then, as far as it stands by now."""
        told = self._histories.get(case_id, ())
        return [
            event for event in told if event.occurred_at <= until or event.type is EventType.EVENT_RETRACTED
        ]


def _by_time(item: Complaint | StoredEvent) -> tuple[Any, ...]:
    """A source that reopens because of a word is heard before the word."""
    event = item.event if isinstance(item, Complaint) else item
    is_word = isinstance(item, Complaint)
    return event.occurred_at, is_word, event.version or 0, event.source, event.external_id
