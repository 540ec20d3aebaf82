"""Finds the feedback that wants a case: complaints and questions, by the rules of its time and by words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from app.cases.asked import places_asked
from app.cases.hearsay import Word, heard, meant_by, words_before, words_in
from app.db.engine import Tx
from app.domain.case import Complaint
from app.domain.case_opening import feedback_case_ref, internal_case_ref, is_anonymous
from app.domain.complaint import CaseKind, ComplaintFinding, case_kind, detect
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.domain.scales import AnswerClass
from app.journal.ports import Commit

SPEAKING: Final = frozenset(
    {
        EventType.FEEDBACK_RECEIVED,
        EventType.REVIEW_PUBLISHED,
        EventType.REVIEW_EDITED,
        EventType.SURVEY_ANSWERED,
    }
)
_ORDER = (AnswerClass.NEGATIVE, AnswerClass.NEUTRAL, AnswerClass.POSITIVE, AnswerClass.SILENT)


@dataclass(frozen=True, slots=True)
class Finding:
    """Feedback that wants a case: what is said in it, why it is a complaint, which cases it may concern."""

    facts: dict[str, Any]
    complaint: ComplaintFinding | None
    kind: CaseKind
    concerns: Complaint

    @property
    def event(self) -> StoredEvent:
        return self.concerns.event


async def find_arrived(tx: Tx, commit: Commit) -> list[Finding]:
    """Complaints and questions among the feedback of this commit, and among what its words are about."""
    arrived = [event for event in commit.events if event.type in SPEAKING and may_open(event, commit)]
    words = words_in(commit)
    known = {event.event_id for event in arrived}
    meant = [event for event in await meant_by(tx, commit, words) if event.event_id not in known]
    return await find_complaints(tx, commit, [*arrived, *meant])


async def find_complaints(tx: Tx, commit: Commit, spoken: Iterable[StoredEvent]) -> list[Finding]:
    """Those of these events that want a case, also by words of this commit."""
    told = [event for event in spoken if event.type in SPEAKING]
    words = [*words_in(commit), *await words_before(tx, commit, told)]
    wanting = (find_complaint(event, commit, words) for event in told)
    found = [finding for finding in wanting if finding is not None]
    asked = await places_asked(tx, commit, [finding.event for finding in found])
    if not asked:
        return found
    # an answer that does not say where it was given was given where its customer was asked
    return [replace(item, facts={**asked.get(item.event.event_id, {}), **item.facts}) for item in found]


def may_open(event: StoredEvent, commit: Commit) -> bool:
    """False for history, which opens no cases unless who imports it asks for them."""
    if event.origin is not Origin.BACKFILL:
        return True
    draft = commit.drafts.get(event.event_id)
    return draft is not None and draft.open_cases


def find_complaint(event: StoredEvent, commit: Commit, words: Iterable[Word]) -> Finding | None:
    """What this feedback wants, with what is said of it; None when it wants no case."""
    facts = facts_of(event)
    classes = {answer["class"] for answer in event.fact.get("answers", ())}
    worst = next((known for known in _ORDER if known in classes), None)
    rules = commit.config.care.complaint_rules_at(event.recorded_at).value
    stated, classification = heard(facts, (word for word in words if word.is_about(event)))
    complaint = detect(stated, worst, rules, classification)
    kind = case_kind(facts, complaint)
    return None if kind is None else Finding(facts, complaint, kind, concerns(event, commit))


def facts_of(event: StoredEvent) -> dict[str, Any]:
    """What is said in feedback, and whether anybody signed it."""
    signed = {} if event.customer_ref is None else {"customer": True}
    return {**event.personal, **event.fact, **signed}


def concerns(event: StoredEvent, commit: Commit) -> Complaint:
    """The cases that this feedback would open or join."""
    own = Subject(SubjectKind.CASE, feedback_case_ref(event.source, event.external_id))
    if event.subject_kind is SubjectKind.CASE:
        named = event.personal.get("subject_ref") or f"{event.subject_id}"  # none once it was erased
        return Complaint(event, Subject(SubjectKind.CASE, named), own)
    facts = facts_of(event)
    if is_anonymous(facts):
        day = event.occurred_at.astimezone(commit.config.zone).date()
        place = internal_case_ref(facts.get("touchpoint"), facts.get("location"), day)
        return Complaint(event, Subject(SubjectKind.CASE, place), None)
    ref = feedback_case_ref(event.source, event.object or event.external_id)
    return Complaint(event, Subject(SubjectKind.CASE, ref), own)
