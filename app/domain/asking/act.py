"""A survey act (опрос): who was asked what, and which of its questions were left without an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.domain.case.standing import standing
from app.domain.events import EventType, StoredEvent
from app.domain.feedback import NO_QUESTION

ACT_TYPES: Final = frozenset(
    {
        EventType.SURVEY_STARTED,
        EventType.SURVEY_ANSWERED,
        EventType.SURVEY_REFUSED,
        EventType.SURVEY_NOT_REACHED,
        EventType.SURVEY_TIMED_OUT,
    }
)
_ANSWERS: Final = (EventType.SURVEY_ANSWERED, EventType.FEEDBACK_RECEIVED)

Timeout = Callable[[StoredEvent], float]
"""Seconds that a customer has to answer an invitation (`survey.started`)."""


@dataclass(frozen=True, slots=True)
class Silence:
    """One question that nobody answered: whose invitation, since when it counts, and why."""

    question: str
    started: StoredEvent
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Act:
    """What the standing facts of one contact say, whatever the order in which they came.

    `asked`: question -> its latest invitation; `answered`: questions with an answer; `refused`: questions
    refused by name; `refused_at`: when the whole of it was refused; `reached`: False when the latest
    invitation could not be delivered; `told`: question -> the silence that was stated already; `stated`:
    questions of which that was ever done, taken back or not.
    """

    asked: Mapping[str, StoredEvent]
    answered: frozenset[str]
    refused: Mapping[str, StoredEvent]
    refused_at: datetime | None
    reached: bool
    told: Mapping[str, StoredEvent]
    stated: frozenset[str] = frozenset()

    @property
    def first_started(self) -> StoredEvent | None:
        """The first invitation."""
        return min(self.asked.values(), key=lambda event: event.occurred_at, default=None)

    @property
    def outcome(self) -> str:
        """answered | refused | not_reached | silent | pending, of the act as a whole."""
        if self.answered:
            return "answered"
        if self.refused_at is not None or self.refused:
            return "refused"
        if not self.reached:
            return "not_reached"
        return "silent" if self.told else "pending"

    def is_answered(self, question: str) -> bool:
        """True when the question has an answer; who was asked nothing in particular answers with anything."""
        return question in self.answered or (question == NO_QUESTION and bool(self.answered))


def read_act(events: Sequence[StoredEvent]) -> Act:
    """The act that the events of one subject tell of; others among them are ignored."""
    facts = standing([event for event in events if event.type in ACT_TYPES or _is_answer(event)], events)
    facts.sort(key=lambda event: (event.occurred_at, event.source, event.external_id))
    asked: dict[str, StoredEvent] = {}
    refused: dict[str, StoredEvent] = {}
    told: dict[str, StoredEvent] = {}
    answered: set[str] = set()
    refused_at: datetime | None = None
    started_at = lost_at = None
    for event in facts:
        if event.type is EventType.SURVEY_STARTED:
            asked[question_of(event)] = event
            started_at = event.occurred_at
        elif event.type is EventType.SURVEY_NOT_REACHED:
            lost_at = event.occurred_at
        elif event.type is EventType.SURVEY_REFUSED:
            if question_of(event) == NO_QUESTION:
                refused_at = refused_at or event.occurred_at
            else:
                refused[question_of(event)] = event
        elif event.type is EventType.SURVEY_TIMED_OUT:
            told[question_of(event)] = event
        else:
            answered |= {answer["question"] for answer in event.fact.get("answers", ())}
    reached = lost_at is None or (started_at is not None and started_at > lost_at)
    stated = {question_of(event) for event in events if event.type is EventType.SURVEY_TIMED_OUT}
    return Act(asked, frozenset(answered), refused, refused_at, reached, told, frozenset(stated))


def silent_events(events: Sequence[StoredEvent]) -> frozenset[UUID]:
    """Of the refusals and time-outs of an act, those that count: one for each question without an answer.

    An answer beats a refusal, a refusal beats a time-out, and who was never reached was not silent.
    A refusal of the whole act speaks for itself only while no invitation says what was asked.
    """
    act = read_act(events)
    counted: set[UUID] = set()
    for question, event in act.refused.items():
        if not act.is_answered(question):
            counted.add(event.event_id)
    for question, event in act.told.items():
        if not act.is_answered(question) and question not in act.refused and _was_asked(act):
            counted.add(event.event_id)
    if act.refused_at is not None and not act.asked and not act.answered:
        whole = [event for event in standing(events, events) if _refuses_all(event)]
        counted.add(min(whole, key=lambda event: (event.occurred_at, event.event_id)).event_id)
    return frozenset(counted)


def silences(act: Act, timeout: Timeout) -> list[Silence]:
    """What will be silent (or is, when its `at` has passed) and was not stated yet, by question.

    At the end of the time to answer, or at the refusal of the whole. Nothing for who was not reached.
    """
    if not _was_asked(act):
        return []
    found: list[Silence] = []
    for question, started in sorted(act.asked.items()):
        if act.is_answered(question) or question in act.refused or question in act.stated:
            continue
        if act.refused_at is not None:
            found.append(Silence(question, started, max(act.refused_at, started.occurred_at), "refused"))
        else:
            at = started.occurred_at + timedelta(seconds=timeout(started))
            found.append(Silence(question, started, at, "timed_out"))
    return found


def question_of(event: StoredEvent) -> str:
    """The question that an event of an act is about."""
    asked: Sequence[Mapping[str, Any]] = event.fact.get("asked") or event.fact.get("answers") or ()
    return str(asked[0]["question"]) if asked else NO_QUESTION


def _was_asked(act: Act) -> bool:
    return act.reached or act.refused_at is not None


def _is_answer(event: StoredEvent) -> bool:
    return event.type in _ANSWERS


def _refuses_all(event: StoredEvent) -> bool:
    return event.type is EventType.SURVEY_REFUSED and question_of(event) == NO_QUESTION
