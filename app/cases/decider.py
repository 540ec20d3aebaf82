"""Decides that feedback opens a case, when it is accepted or called a complaint: no negative is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.cases.derived import derived
from app.cases.hearsay import Word, heard, meant_by, words_before, words_in
from app.cases.redating import find_own_openings, replacing
from app.cases.settled import OPEN, KnownCase, find_cases, find_repeats, next_internal, reopening
from app.db.engine import Tx
from app.domain.case_opening import case_opening, feedback_case_ref, internal_case_ref, is_anonymous
from app.domain.complaint import CaseKind, ComplaintFinding, case_kind, detect
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.domain.scales import AnswerClass
from app.journal.ports import Commit, Draft
from app.kit.ids import public_id

SPEAKING = (
    EventType.FEEDBACK_RECEIVED,
    EventType.REVIEW_PUBLISHED,
    EventType.REVIEW_EDITED,
    EventType.SURVEY_ANSWERED,
)
_ORDER = (AnswerClass.NEGATIVE, AnswerClass.NEUTRAL, AnswerClass.POSITIVE, AnswerClass.SILENT)


@dataclass(frozen=True, slots=True)
class Finding:
    """Feedback that wants a case."""

    event: StoredEvent
    facts: dict[str, Any]
    complaint: ComplaintFinding | None
    kind: CaseKind
    subject: Subject
    repeat_of: UUID | None = None


class CaseOpening:
    """The decider of complaints and questions."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.opened` for each finding that has no open case yet."""
        findings = await _find_all(tx, commit)
        if not findings:
            return ()
        opened = await _already_opened(tx, commit, findings)
        complaints = [finding.event for finding in findings if finding.kind is CaseKind.COMPLAINT]
        repeats = await find_repeats(tx, commit, complaints)
        drafts: list[Draft] = []
        for finding in sorted(findings, key=lambda item: item.event.occurred_at):
            known = opened.get(finding.subject)
            if known is not None and known.is_settled_before(finding.event.occurred_at):
                finding, known, reopening = await _after_settlement(tx, commit, finding, known)
                if reopening is not None:
                    opened[finding.subject] = OPEN
                    drafts.append(reopening)
                    continue
                known = opened.get(finding.subject, known)
            replaced = await _opened_for_later(tx, commit, finding, known)
            if known is None or replaced:
                opened[finding.subject] = OPEN
                repeat_of = finding.repeat_of or repeats.get(finding.event.event_id)
                opening = open_case(finding, commit, repeat_of)
                drafts += replacing(commit, opening, finding.event, replaced) if replaced else [opening]
        return drafts


async def _opened_for_later(
    tx: Tx, commit: Commit, finding: Finding, known: KnownCase | None
) -> list[StoredEvent]:
    """What we opened the case by before we heard of this, which happened earlier."""
    if known is None or known.case_id is None or known.opened_at is None:
        return []
    if known.opened_at <= finding.event.occurred_at:
        return []
    return await find_own_openings(tx, commit, known.case_id, finding.subject, finding.event)


async def _find_all(tx: Tx, commit: Commit) -> list[Finding]:
    """Complaints and questions among the feedback of this commit, and among what its words are about."""
    arrived = [event for event in commit.events if event.type in SPEAKING and _may_open(event, commit)]
    words = words_in(commit)
    known = {event.event_id for event in arrived}
    meant = [event for event in await meant_by(tx, commit, words) if event.event_id not in known]
    words += await words_before(tx, commit, arrived)
    found = (find_complaint(event, commit, words) for event in (*arrived, *meant) if event.type in SPEAKING)
    return [finding for finding in found if finding is not None]


def _may_open(event: StoredEvent, commit: Commit) -> bool:
    return event.origin is not Origin.BACKFILL or commit.drafts[event.event_id].open_cases


def find_complaint(event: StoredEvent, commit: Commit, words: Sequence[Word]) -> Finding | None:
    """What this feedback wants, with what is said of it; None when it wants no case."""
    facts = {**event.personal, **event.fact}
    if event.customer_ref is not None:
        facts["customer"] = True
    classes = {answer["class"] for answer in event.fact.get("answers", ())}
    worst = next((known for known in _ORDER if known in classes), None)
    rules = commit.config.care.complaint_rules_at(commit.recorded_at).value
    stated, classification = heard(facts, (word for word in words if word.is_about(event)))
    complaint = detect(stated, worst, rules, classification)
    kind = case_kind(facts, complaint)
    if kind is None:
        return None
    return Finding(event, facts, complaint, kind, case_subject(event, facts, commit))


def case_subject(event: StoredEvent, facts: dict[str, Any], commit: Commit) -> Subject:
    """The case that this feedback would open or join."""
    if event.subject_kind is SubjectKind.CASE:
        return Subject(SubjectKind.CASE, event.personal["subject_ref"])
    if is_anonymous(facts):
        day = event.occurred_at.astimezone(commit.config.zone).date()
        return Subject(
            SubjectKind.CASE, internal_case_ref(facts.get("touchpoint"), facts.get("location"), day)
        )
    ref = feedback_case_ref(event.source, event.object or event.external_id)
    return Subject(SubjectKind.CASE, ref)


async def _already_opened(tx: Tx, commit: Commit, findings: list[Finding]) -> dict[Subject, KnownCase]:
    """Subjects whose case was opened before, or is opened by another event of this commit."""
    opened = await find_cases(tx, commit.tenant_id, [finding.subject for finding in findings])
    for event in commit.events:
        if event.type is EventType.CASE_OPENED:
            opened[Subject(SubjectKind.CASE, event.personal["subject_ref"])] = OPEN
    return opened


async def _after_settlement(
    tx: Tx, commit: Commit, finding: Finding, known: KnownCase
) -> tuple[Finding, KnownCase | None, Draft | None]:
    """Another bad word on a settled case is never dropped: it is reopened while it may be, else a new case.

    A press that nobody signed says nothing of the earlier one: the next internal case of the day takes it.
    """
    event = finding.event
    if is_anonymous(finding.facts):
        following, there = await next_internal(tx, commit, finding.subject, event)
        return replace(finding, subject=following), there, None
    if known.may_be_reopened_at(event.occurred_at):
        return finding, known, reopening(commit, event, finding.subject)
    own = Subject(SubjectKind.CASE, feedback_case_ref(event.source, event.external_id))
    return replace(finding, subject=own, repeat_of=known.case_id), None, None


def open_case(finding: Finding, commit: Commit, repeat_of: UUID | None) -> Draft:
    """The `case.opened` that follows from the finding."""
    event = finding.event
    earlier = None if repeat_of is None else public_id("case", repeat_of)
    bound = commit.config.care.complaint_rules_at(commit.recorded_at)
    data = case_opening(finding.facts, finding.complaint, finding.kind, repeat_of=earlier, rules=bound.value)
    data["detection"]["rules_version"] = bound.version
    data["reported_by"] = event.source
    # feedback of an earlier commit may have opened a case before, whose opening was taken back
    again = "" if event.event_id in commit.drafts else f":{commit.seq}"
    made = derived(commit, event, EventType.CASE_OPENED, data, subject=finding.subject, name=again)
    return replace(made, customer_ref=event.customer_ref)
