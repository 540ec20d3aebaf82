"""Decides, when feedback is accepted, that it opens a case: every negative does, and none is dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.complaint import (
    CaseKind,
    ComplaintFinding,
    case_kind,
    case_opening,
    detect,
    internal_case_ref,
    is_anonymous,
)
from app.domain.events import Event, EventType, Origin, StoredEvent, Subject, SubjectKind
from app.domain.scales import AnswerClass
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.subjects import find_subjects
from app.kit.ids import public_id

REPEAT_WINDOW = timedelta(days=30)
"""A complaint by the same customer within this time is a repeat, which raises its severity."""

_TYPES = (
    EventType.FEEDBACK_RECEIVED,
    EventType.REVIEW_PUBLISHED,
    EventType.REVIEW_EDITED,
    EventType.SURVEY_ANSWERED,
)
_ORDER = (AnswerClass.NEGATIVE, AnswerClass.NEUTRAL, AnswerClass.POSITIVE, AnswerClass.SILENT)
_REPEATS = """
SELECT DISTINCT ON (customer_ref) customer_ref, case_id FROM cases
 WHERE tenant_id = $1 AND customer_ref = any($2) AND kind = 'complaint'
   AND opened_at >= $3 AND opened_at <= $4
 ORDER BY customer_ref, opened_at DESC
"""


@dataclass(frozen=True, slots=True)
class _Finding:
    """Feedback that wants a case."""

    event: StoredEvent
    facts: dict[str, Any]
    complaint: ComplaintFinding | None
    kind: CaseKind
    subject: Subject


class CaseOpening:
    """The decider of complaints and questions."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.opened` for each finding that has no open case yet."""
        findings = [finding for event in commit.events if (finding := _find(event, commit)) is not None]
        if not findings:
            return ()
        opened = await _already_opened(tx, commit, findings)
        repeats = await _repeats(tx, commit, findings)
        drafts: list[Draft] = []
        for finding in findings:
            if finding.subject not in opened:
                opened.add(finding.subject)
                drafts.append(_opening(finding, commit, repeats.get(finding.event.customer_ref or b"")))
        return drafts


def _find(event: StoredEvent, commit: Commit) -> _Finding | None:
    item = commit.drafts[event.event_id]
    if event.type not in _TYPES or (event.origin is Origin.BACKFILL and not item.open_cases):
        return None
    facts = {**event.personal, **event.fact}
    if event.customer_ref is not None:
        facts["customer"] = True
    classes = {answer["class"] for answer in event.fact.get("answers", ())}
    worst = next((known for known in _ORDER if known in classes), None)
    complaint = detect(facts, worst)
    kind = case_kind(facts, complaint)
    if kind is None:
        return None
    return _Finding(event, facts, complaint, kind, _case_subject(event, facts, commit))


def _case_subject(event: StoredEvent, facts: dict[str, Any], commit: Commit) -> Subject:
    if event.subject_kind is SubjectKind.CASE:
        return Subject(SubjectKind.CASE, event.personal["subject_ref"])
    if is_anonymous(facts):
        day = event.occurred_at.astimezone(commit.config.zone).date()
        return Subject(
            SubjectKind.CASE, internal_case_ref(facts.get("touchpoint"), facts.get("location"), day)
        )
    return Subject(SubjectKind.CASE, f"feedback:{event.source}:{event.object or event.external_id}")


async def _already_opened(tx: Tx, commit: Commit, findings: list[_Finding]) -> set[Subject]:
    """Subjects whose case was opened before, or is opened by another event of this commit."""
    subjects = await find_subjects(tx, commit.tenant_id, [finding.subject for finding in findings])
    rows = await tx.fetch(
        "SELECT case_id FROM cases "
        "WHERE tenant_id = $1 AND case_id = any($2) AND state <> 'awaiting_opening'",
        commit.tenant_id,
        list(subjects.values()),
    )
    known = {row["case_id"] for row in rows}
    opened = {subject for subject, subject_id in subjects.items() if subject_id in known}
    for event in commit.events:
        if event.type is EventType.CASE_OPENED:
            opened.add(Subject(SubjectKind.CASE, event.personal["subject_ref"]))
    return opened


async def _repeats(tx: Tx, commit: Commit, findings: list[_Finding]) -> dict[bytes, UUID]:
    events = [finding.event for finding in findings if finding.event.customer_ref is not None]
    if not events:
        return {}
    earliest, latest = min(event.occurred_at for event in events), max(event.occurred_at for event in events)
    customers = list({event.customer_ref for event in events})
    rows = await tx.fetch(_REPEATS, commit.tenant_id, customers, earliest - REPEAT_WINDOW, latest)
    return {row["customer_ref"]: row["case_id"] for row in rows}


def _opening(finding: _Finding, commit: Commit, repeat_of: UUID | None) -> Draft:
    event = finding.event
    earlier = None if repeat_of is None else public_id("case", repeat_of)
    data = case_opening(finding.facts, finding.complaint, finding.kind, repeat_of=earlier)
    data["reported_by"] = event.source
    stated = Event(
        type=EventType.CASE_OPENED,
        id=f"case.opened:{event.event_id}",
        source=OWN_SOURCE,
        occurred_at=event.occurred_at,
        data=data,
        subject=finding.subject,
        day_precision=event.day_precision,
    )
    made = draft(
        stated, commit.config, received_at=commit.recorded_at, origin=event.origin, caused_by=event.event_id
    )
    return replace(made, customer_ref=event.customer_ref)
