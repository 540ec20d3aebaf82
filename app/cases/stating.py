"""How what follows from feedback and late reopenings is stated: drafts of our own events on cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.cases.derived import because_of, derived
from app.cases.findings import Finding
from app.domain.case import (
    CONTINUES,
    LOST_OPENING,
    REDATES,
    LateReopening,
    Opens,
    Reopens,
    opening_after,
    refs_of,
)
from app.domain.case_opening import case_opening, reopened_case_ref
from app.domain.events import Event, EventType, Origin, StoredEvent, Subject, SubjectKind
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.kit.ids import new_id, public_id

TAKEN_BACK: Final = "what it followed from was taken back"


def open_case(commit: Commit, opens: Opens, finding: Finding) -> Draft:
    """The opening that follows from feedback."""
    event = finding.event
    earlier = None if opens.repeat_of is None else public_id("case", opens.repeat_of)
    bound = commit.config.care.complaint_rules_at(event.recorded_at)
    data = case_opening(finding.facts, finding.complaint, finding.kind, repeat_of=earlier, rules=bound.value)
    data["detection"]["rules_version"] = bound.version
    data["reported_by"] = event.source
    made = derived(
        commit, event, EventType.CASE_OPENED, data, subject=opens.subject, name=_again(commit, event)
    )
    return replace(made, customer_ref=event.customer_ref)


def reopen_case(commit: Commit, reopens: Reopens) -> Draft:
    """The case is taken up again, because its customer was not content with the outcome."""
    data = {"trigger": "negative_after_settlement", "human": False}
    kind, again = EventType.CASE_REOPENED, _again(commit, reopens.cause)
    return derived(commit, reopens.cause, kind, data, subject=reopens.subject, name=again)


def continue_case(commit: Commit, late: LateReopening) -> Draft:
    """The opening of the case that goes on where a source reopened a settled one too late."""
    event = late.event
    data = opening_after(late, public_id("case", late.case_id))
    subject, again = late_subject(event), _again(commit, event)
    made = derived(commit, event, EventType.CASE_OPENED, data, subject=subject, name=again)
    made = made.with_fact({**made.fact, CONTINUES: str(late.case_id)})
    return replace(made, customer_ref=late.customer_ref)


def late_subject(event: StoredEvent) -> Subject:
    """The reference of the case that this reopening opens, if it comes too late."""
    return Subject(SubjectKind.CASE, reopened_case_ref(event.source, event.external_id))


def word_of_repetition(commit: Commit, opening: StoredEvent, late: LateReopening) -> Draft:
    """That the old case is complained of again; it falls with the opening."""
    cause = opening.fact.get("cause")
    data = {"about_handling": False, "same_cause": cause is not None, "later_cause": cause, "human": False}
    subject = Subject(SubjectKind.CASE, refs_of(late.history, late.case_id)[0])
    made = derived(commit, opening, EventType.CASE_REPEATED, data, subject=subject)
    return replace(made, subject_id=late.case_id)


def _again(commit: Commit, cause: StoredEvent) -> str:
    """What makes the name of an event new: its cause may have had the same effect before."""
    return "" if cause.event_id in commit.drafts else f":{commit.seq}"


def placed(made: Draft, cause: StoredEvent, subject_id: UUID) -> tuple[Draft, StoredEvent]:
    """The draft with its ids, and the event as it will be stored, for what is decided in the same commit."""
    made = replace(_nameless(made, subject_id), event_id=new_id(), subject_id=subject_id)
    assert made.event_id is not None
    stored = replace(
        cause,
        event_id=made.event_id,
        type=made.event.type,
        source=OWN_SOURCE,
        external_id=made.event.id,
        fact=made.fact,
        personal=made.personal,
        caused_by=cause.event_id,
        subject_kind=SubjectKind.CASE,
        subject_id=subject_id,
        object=None,
        version=None,
        customer_ref=made.customer_ref,
        bearing=None,
    )
    return made, stored


def in_place_of(opening: Draft, old: Sequence[StoredEvent]) -> Draft:
    """The opening, saying which announced ones it takes the place of."""
    told = [event.external_id for event in old if event.origin is Origin.LIVE]
    return opening.with_fact({**opening.fact, REDATES: told}) if told else opening


def invalid(commit: Commit, opening: StoredEvent, cause: StoredEvent) -> Draft:
    """The word that a case has no ground any more, since its opening was taken back."""
    stated = Event(
        type=EventType.CASE_MARKED_INVALID,
        id=f"case.marked_invalid:{opening.event_id}",
        source=OWN_SOURCE,
        occurred_at=max(cause.occurred_at, opening.occurred_at),
        data={"reason": TAKEN_BACK, "human": False, LOST_OPENING: str(opening.event_id)},
        subject=Subject(SubjectKind.CASE, opening.personal.get("subject_ref") or f"{opening.subject_id}"),
    )
    return because_of(commit, stated, cause)


def _nameless(made: Draft, subject_id: UUID) -> Draft:
    """A case whose reference was erased gets no other one."""
    if made.personal.get("subject_ref") != f"{subject_id}":
        return made
    return replace(made, personal={key: said for key, said in made.personal.items() if key != "subject_ref"})


def is_told_already(event: StoredEvent, commit: Commit, history: Sequence[StoredEvent]) -> bool:
    """True of an opening that only moves, and of an assignment that it repeats to the same person."""
    if event.type is EventType.CASE_OPENED:
        return REDATES in event.fact
    if event.type is not EventType.CASE_ASSIGNED or event.source != OWN_SOURCE:
        return False
    moved = {item.event_id for item in commit.events if REDATES in item.fact}
    before = (
        item.fact.get("assignee")
        for item in history
        if item.type is EventType.CASE_ASSIGNED and item.position < event.position
    )
    return event.caused_by in moved and event.fact.get("assignee") in before
