"""Judging what came after the handling: did the remedy fail, or win the customer back (domain.md 5)?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from app.domain.case.compensations import Compensation
from app.domain.case.outcome import Aftermath, Deviation, Trigger
from app.domain.case.state import Case, Cycle
from app.domain.events import EventType, StoredEvent
from app.domain.playbook import Step
from app.domain.scales import AnswerClass

ANSWERS: Final = frozenset(
    {
        EventType.FEEDBACK_RECEIVED,
        EventType.SURVEY_ANSWERED,
        EventType.REVIEW_PUBLISHED,
        EventType.REVIEW_EDITED,
    }
)
_WORST_FIRST: Final = (AnswerClass.NEGATIVE, AnswerClass.NEUTRAL, AnswerClass.POSITIVE)
_PROMOTER: Final = 9


def aftermath_of(
    case: Case,
    facts: Sequence[StoredEvent],
    answers: Sequence[StoredEvent],
    compensations: Sequence[Compensation],
) -> Aftermath:
    """Judge what followed. `facts` and `answers`: the standing events of the case, in order of time."""
    found = [
        *_reopened(case),
        *_negatives(case, answers),
        *_second_complaints(case, facts),
        *_broken_promises(case, compensations),
    ]
    deviations = tuple(sorted(found, key=lambda item: (item.at, item.trigger, str(item.event_id))))
    settled_at = settled(case.current)
    later = [event for event in answers if settled_at is not None and event.occurred_at > settled_at]
    classes = [(event, worst) for event in later if (worst := class_of(event)) in _WORST_FIRST]
    contented = [event for event, worst in classes if worst is AnswerClass.POSITIVE]
    spoilt = any(worst is AnswerClass.NEGATIVE for _, worst in classes)
    if not contented or spoilt:
        return Aftermath(deviations, None, classes[-1][1] if classes else None)
    return Aftermath(
        deviations, contented[0].occurred_at, classes[-1][1], any(_is_promoter(event) for event in contented)
    )


def settled(cycle: Cycle) -> datetime | None:
    """When the customer had the outcome of a cycle: the first of remedy, refusal and closing."""
    ends = (cycle.steps[step] for step in (Step.REMEDIED, Step.DECLINED, Step.CLOSED) if step in cycle.steps)
    return min(ends, default=None)


def class_of(event: StoredEvent) -> AnswerClass | None:
    """The class of the worst answer; None when nothing was said."""
    classes = {answer.get("class") for answer in event.fact.get("answers") or ()}
    return next((known for known in _WORST_FIRST if known in classes), None)


def _is_promoter(event: StoredEvent) -> bool:
    answers = event.fact.get("answers") or ()
    return any(_is_nine(answer) for answer in answers if answer.get("measure") == "nps")


def _is_nine(answer: Any) -> bool:
    try:
        return float(answer.get("value")) >= _PROMOTER
    except (TypeError, ValueError):
        return False


def _reopened(case: Case) -> Iterator[Deviation]:
    """A remedy that did not hold; a refusal that is argued with is none."""
    for before, after in pairwise(case.cycles):
        if {Step.REMEDIED, Step.CLOSED} & before.steps.keys():
            yield Deviation(Trigger.REOPENED, before.started_by, after.started_at, after.started_by)


def _negatives(case: Case, answers: Sequence[StoredEvent]) -> Iterator[Deviation]:
    """Another bad word after we replied or settled: the customer met the handling, and it was bad."""
    for number, cycle in enumerate(case.cycles):
        ends_at = case.cycles[number + 1].started_at if number + 1 < len(case.cycles) else None
        settled_at, replied_at = settled(cycle), cycle.steps.get(Step.REPLIED)
        for event in answers:
            at = event.occurred_at
            if class_of(event) is not AnswerClass.NEGATIVE or at <= cycle.started_at:
                continue
            if ends_at is not None and at > ends_at:
                continue
            if settled_at is not None and at > settled_at:
                yield Deviation(Trigger.POST_RESOLUTION_NEGATIVE, cycle.started_by, at, event.event_id)
            elif replied_at is not None and at > replied_at:
                yield Deviation(Trigger.REPEAT_NEGATIVE, cycle.started_by, at, event.event_id)


def _second_complaints(case: Case, facts: Sequence[StoredEvent]) -> Iterator[Deviation]:
    for fact in facts:
        about_it = fact.fact.get("about_handling") is True or fact.fact.get("same_cause") is True
        if fact.type is EventType.CASE_REPEATED and about_it:
            begun = [cycle for cycle in case.cycles if cycle.started_at <= fact.occurred_at]
            cycle = begun[-1] if begun else case.cycles[0]
            yield Deviation(Trigger.SECOND_COMPLAINT, cycle.started_by, fact.occurred_at, fact.event_id)


def _broken_promises(case: Case, compensations: Sequence[Compensation]) -> Iterator[Deviation]:
    for cycle in case.cycles:
        remedied_at, due_at = cycle.steps.get(Step.REMEDIED), cycle.promised_due_at
        if remedied_at is not None and due_at is not None and remedied_at > due_at:
            yield Deviation(Trigger.PROMISE_MISSED, cycle.started_by, remedied_at)
    for item in compensations:
        if item.is_late and item.delivered_at is not None:
            begun = [cycle for cycle in case.cycles if cycle.started_at <= item.delivered_at]
            cycle = begun[-1] if begun else case.cycles[0]
            yield Deviation(Trigger.COMPENSATION_LATE, cycle.started_by, item.delivered_at)
