"""Decides what one case teaches: whom to tell that it is better, whom to talk with, what recurs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.causes import STAFF
from app.domain.complaint import within
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.domain.improvement import debrief_progress, fold_debrief
from app.domain.playbook import Named
from app.improvement import lookups
from app.improvement.recurring import detected
from app.improvement.stated import follow
from app.journal.ports import Commit, Draft
from app.journal.subjects import find_subjects
from app.kit.ids import public_id

_TELLING: Final = (EventType.CASE_OPENED, EventType.CASE_ASSESSED)


class Lessons:
    """The decider of improvements."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """Obligations towards customers, debriefs and their progress, recurring failures."""
        return [
            *await _deployments(tx, commit),
            *await _debriefs(tx, commit),
            *await _praises(tx, commit),
            *await _progress(tx, commit),
            *await detected(tx, commit),
        ]


async def _deployments(tx: Tx, commit: Commit) -> list[Draft]:
    """ "Thanks to you it is better": due to each linked case when the action is in force, or linked later."""
    deployed = [event for event in commit.events if event.type is EventType.CORRECTIVE_ACTION_DEPLOYED]
    linked = [event for event in commit.events if event.type is EventType.CASE_ACTION_LINKED]
    if not deployed and not linked:
        return []
    by_ref = {event.personal.get("subject_ref"): event for event in deployed}
    named = {event.fact.get("action") for event in linked} | by_ref.keys()
    known = await lookups.find_actions(tx, commit.tenant_id, [ref for ref in named if ref])
    names = {ref: str(row["name"]) for ref, row in known.items() if row["name"]}
    drafts = []
    for event in linked:
        action, case_ref = event.fact.get("action"), event.personal["subject_ref"]
        row = known.get(str(action))
        if action in by_ref or (row is not None and row["deployed_at"] is not None):
            cause = by_ref.get(action, event)
            drafts.append(_better(commit, cause, event.subject_id, case_ref, str(action), names))
    untold = await lookups.list_untold(tx, commit.tenant_id, [ref for ref in by_ref if ref])
    new = {event.subject_id for event in linked}
    refs = await lookups.list_case_refs(tx, commit.tenant_id, [row["case_id"] for row in untold])
    drafts += [
        _better(commit, by_ref[row["action"]], row["case_id"], refs[row["case_id"]], row["action"], names)
        for row in untold
        if row["case_id"] in refs and row["case_id"] not in new
    ]
    return drafts


def _better(
    commit: Commit,
    cause: StoredEvent,
    case_id: UUID | None,
    case_ref: str,
    action: str,
    names: Mapping[str, str],
) -> Draft:
    """`names`: what became better, for whoever is to say it."""
    data = {"action": action} | ({"action_name": names[action]} if action in names else {})
    subject = Subject(SubjectKind.CASE, case_ref)
    return follow(commit, cause, EventType.CASE_IMPROVEMENT_DEPLOYED, subject, data, name=str(case_id))


async def _debriefs(tx: Tx, commit: Commit) -> list[Draft]:
    """A cause in the branch of staff calls for a talk; once for each case."""
    about = [
        event
        for event in commit.events
        if event.type in _TELLING
        and event.subject_id is not None
        and event.origin is Origin.LIVE
        and within(str(event.fact.get("cause") or ""), STAFF)
    ]
    if not about:
        return []
    ids = [event.subject_id for event in about if event.subject_id is not None]
    done = await lookups.list_debriefed(tx, commit.tenant_id, ids)
    rows = await lookups.find_cases(tx, commit.tenant_id, [public_id("case", item) for item in ids])
    drafts: list[Draft] = []
    for event in about:
        assert event.subject_id is not None
        if event.subject_id not in done:
            done.add(event.subject_id)
            row = rows.get(public_id("case", event.subject_id))
            drafts.append(_talk(commit, event, event.subject_id, row))
    return drafts


def _talk(commit: Commit, event: StoredEvent, case_id: UUID, row: Any) -> Draft:
    case, said = public_id("case", case_id), event.fact
    opened = event.type is EventType.CASE_OPENED
    employee = said.get("employee") if opened else None if row is None else row["employee"]
    data = {
        "checklist": Named.DEBRIEF_NEGATIVE.value,
        "case": case,
        "cause": said.get("cause"),
        "employee": employee,
        "severity": _severity(commit, case_id) or (None if row is None else row["severity"]),
        "location": said.get("location"),
    }
    subject = Subject(SubjectKind.DEBRIEF, f"case:{case}")
    return follow(commit, event, EventType.DEBRIEF_OPENED, subject, data)


def _severity(commit: Commit, case_id: UUID) -> str | None:
    """How severe this commit calls the case: what a rule raised at its opening counts for the talk too."""
    told = [
        event
        for event in commit.events
        if event.subject_id == case_id and event.type in _TELLING and event.fact.get("severity") is not None
    ]
    last = max(told, key=lambda event: (event.occurred_at, event.position), default=None)
    return None if last is None else last.fact["severity"]


async def _praises(tx: Tx, commit: Commit) -> list[Draft]:
    """Praise of somebody by name is shown to him, once however often it is edited."""
    praised = {
        Subject(SubjectKind.DEBRIEF, _praise_ref(event)): event
        for event in commit.events
        if event.type is EventType.FEEDBACK_RECEIVED
        and event.origin is Origin.LIVE
        and event.fact.get("kind") == "praise"
        and event.fact.get("employee") is not None
    }
    known = await find_subjects(tx, commit.tenant_id, praised)
    drafts = []
    for subject, event in praised.items():
        if subject not in known:
            data = {
                "checklist": Named.DEBRIEF_POSITIVE.value,
                "employee": event.fact["employee"],
                "location": event.fact.get("location"),
            }
            drafts.append(follow(commit, event, EventType.DEBRIEF_OPENED, subject, data))
    return drafts


def _praise_ref(event: StoredEvent) -> str:
    return f"praise:{event.source}:{event.object or event.external_id}"[:200]


async def _progress(tx: Tx, commit: Commit) -> list[Draft]:
    """When the steps of a talk are done, that it was held, and that it is complete."""
    steps: dict[UUID, StoredEvent] = {
        event.subject_id: event
        for event in commit.events
        if event.type is EventType.DEBRIEF_STEP_DONE
        and event.subject_kind is SubjectKind.DEBRIEF
        and event.subject_id is not None
    }
    drafts: list[Draft] = []
    playbooks = commit.config.care.playbooks_at(commit.recorded_at).value
    for subject_id, last in steps.items():
        before: Sequence[StoredEvent] = await lookups.history_of(tx, commit.tenant_id, subject_id)
        now = [event for event in commit.events if event.subject_id == subject_id]
        debrief = fold_debrief([*before, *now])
        if debrief is None or debrief.checklist not in playbooks.checklists:
            continue
        subject = Subject(SubjectKind.DEBRIEF, last.personal["subject_ref"])
        found = debrief_progress(debrief, playbooks.checklists[debrief.checklist])
        drafts += [follow(commit, last, kind, subject, {}, at=at) for kind, at in found]
    return drafts
