"""Commands on actions, failures and debriefs: checked under the tenant's lock, then facts like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.errors import ConflictError, InvalidError, NotFoundError
from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.domain.improvement import Action, Debrief, Failure, fold_action, fold_debrief, fold_failure
from app.domain.playbook import completeness
from app.improvement import lookups
from app.journal.orders import Build
from app.journal.ports import OWN_SOURCE, Commit
from app.kit.ids import new_id, public_id


def _event(kind: EventType, subject: Subject, at: datetime, data: dict[str, Any]) -> Event:
    kept = {name: value for name, value in data.items() if value is not None}
    return Event(type=kind, id="", source=OWN_SOURCE, occurred_at=at, data=kept, subject=subject)


def open_action(ref: str | None, data: dict[str, Any], cases: Sequence[str], by: str) -> Build:
    """A new corrective action, with the cases that call for it."""

    async def build(tx: Tx, commit: Commit) -> list[Event]:
        named = ref or public_id("fix", new_id())
        if named in await lookups.find_actions(tx, commit.tenant_id, [named]):
            detail = f"there is a corrective action {named!r} already"
            raise ConflictError("action_exists", detail, pointer="/ref", cure="use another reference")
        at, subject = commit.recorded_at, Subject(SubjectKind.ACTION, named)
        rows = await _cases(tx, commit, cases)
        said = {**data, "by": by}
        grave = min((row["severity"] for row in rows.values()), default=None)
        said["severity"] = said.get("severity") or grave
        opened = _event(EventType.CORRECTIVE_ACTION_OPENED, subject, at, said)
        return [opened, *await _links(tx, commit, named, rows, by)]

    return build


def link_cases(action_id: UUID, cases: Sequence[str], by: str) -> Build:
    """More cases that the action is for. Those that are linked already stay so."""

    async def build(tx: Tx, commit: Commit) -> list[Event]:
        ref, action = await _action(tx, commit, action_id)
        if action.state == "cancelled":
            raise ConflictError("action_cancelled", "the action was cancelled", cure="open another one")
        links = await _links(tx, commit, ref, await _cases(tx, commit, cases), by)
        if not links:
            raise ConflictError("already_linked", "all of these cases are linked already", pointer="/cases")
        return links

    return build


def deploy_action(action_id: UUID, by: str) -> Build:
    """The fix is in force: from here each linked customer is owed a word."""

    async def build(tx: Tx, commit: Commit) -> list[Event]:
        ref, action = await _action(tx, commit, action_id)
        if action.state != "open":
            cure = "open another action, if something else is to be done"
            raise ConflictError(f"action_{action.state}", f"the action is {action.state} already", cure=cure)
        subject = Subject(SubjectKind.ACTION, ref)
        return [_event(EventType.CORRECTIVE_ACTION_DEPLOYED, subject, commit.recorded_at, {"by": by})]

    return build


def cancel_action(action_id: UUID, reason: str, by: str) -> Build:
    """The fix is given up."""

    async def build(tx: Tx, commit: Commit) -> list[Event]:
        ref, action = await _action(tx, commit, action_id)
        if action.state != "open":
            cure = "open another action, if something else is to be done"
            raise ConflictError(f"action_{action.state}", f"the action is {action.state} already", cure=cure)
        subject, data = Subject(SubjectKind.ACTION, ref), {"by": by, "reason": reason}
        return [_event(EventType.CORRECTIVE_ACTION_CANCELLED, subject, commit.recorded_at, data)]

    return build


def take_failure(failure_id: UUID, data: dict[str, Any], by: str) -> Build:
    """Somebody answers for the failure, or an action is to end it."""

    async def build(tx: Tx, commit: Commit) -> list[Event]:
        cause, failure = await _failure(tx, commit, failure_id)
        if failure.state == "closed":
            raise ConflictError("failure_closed", "the failure is over", cure="it opens when it comes back")
        action = data.get("action")
        if action is not None and action not in await lookups.find_actions(tx, commit.tenant_id, [action]):
            detail = f"there is no corrective action {action!r}"
            raise InvalidError("unknown_action", detail, pointer="/action", cure="open it first")
        subject = Subject(SubjectKind.FAILURE, cause)
        return [_event(EventType.RECURRING_FAILURE_TAKEN, subject, commit.recorded_at, {**data, "by": by})]

    return build


def close_failure(failure_id: UUID, reason: str, by: str) -> Build:
    """The failure is over; its cases count no more for the next."""

    async def build(tx: Tx, commit: Commit) -> list[Event]:
        cause, failure = await _failure(tx, commit, failure_id)
        if failure.state == "closed":
            raise ConflictError("failure_closed", "the failure is over already")
        subject, data = Subject(SubjectKind.FAILURE, cause), {"by": by, "reason": reason}
        return [_event(EventType.RECURRING_FAILURE_CLOSED, subject, commit.recorded_at, data)]

    return build


def do_step(debrief_id: UUID, step: str, said: Mapping[str, Any], occurred_at: datetime | None) -> Build:
    """A step of a talk with an employee, taken now or at that time; `said`: who led it, and a note."""

    async def build(tx: Tx, commit: Commit) -> list[Event]:
        ref, debrief = await _debrief(tx, commit, debrief_id)
        known = commit.config.care.playbooks_at(commit.recorded_at).value.checklists
        checklist = known.get(debrief.checklist)
        if checklist is None:
            detail = f"the playbooks have no checklist {debrief.checklist!r}"
            raise ConflictError("unknown_checklist", detail, cure="add it to the playbooks")
        try:
            completeness([step], checklist)
        except InvalidError as error:
            raise InvalidError(error.reason, error.detail, pointer="/step", cure=error.cure) from None
        if step in debrief.steps:
            raise ConflictError("already_done", f"the step {step!r} was done already", pointer="/step")
        at, opened_at = occurred_at or commit.recorded_at, debrief.opened_at
        if opened_at is not None and at < opened_at:
            detail = f"occurred_at lies before the debrief was opened, {opened_at.isoformat()}"
            raise InvalidError("before_opening", detail, pointer="/occurred_at", cure="mend the time")
        subject = Subject(SubjectKind.DEBRIEF, ref)
        return [_event(EventType.DEBRIEF_STEP_DONE, subject, at, {"step": step, **said})]

    return build


async def _cases(tx: Tx, commit: Commit, named: Sequence[str]) -> dict[UUID, Any]:
    found = await lookups.find_cases(tx, commit.tenant_id, named)
    for number, name in enumerate(named):
        if name not in found:
            cure = "send its id or a reference"
            raise InvalidError(
                "unknown_case", f"there is no case {name!r}", pointer=f"/cases/{number}", cure=cure
            )
    return {row["case_id"]: row for row in found.values()}


async def _links(tx: Tx, commit: Commit, action: str, rows: dict[UUID, Any], by: str) -> list[Event]:
    linked = await lookups.list_linked(tx, commit.tenant_id, action)
    refs = await lookups.list_case_refs(tx, commit.tenant_id, list(rows))
    return [
        _event(
            EventType.CASE_ACTION_LINKED,
            Subject(SubjectKind.CASE, refs[case_id]),
            commit.recorded_at,
            {"action": action, "by": by},
        )
        for case_id in rows
        if case_id not in linked and case_id in refs
    ]


async def _action(tx: Tx, commit: Commit, action_id: UUID) -> tuple[str, Action]:
    history = await lookups.history_of(tx, commit.tenant_id, action_id)
    action = fold_action(history)
    if action is None:
        raise NotFoundError("not_found", "there is no such corrective action")
    return _ref(history), action


async def _failure(tx: Tx, commit: Commit, failure_id: UUID) -> tuple[str, Failure]:
    history = await lookups.history_of(tx, commit.tenant_id, failure_id)
    failure = fold_failure(history)
    if failure is None:
        raise NotFoundError("not_found", "there is no such failure")
    return _ref(history), failure


async def _debrief(tx: Tx, commit: Commit, debrief_id: UUID) -> tuple[str, Debrief]:
    history = await lookups.history_of(tx, commit.tenant_id, debrief_id)
    debrief = fold_debrief(history)
    if debrief is None:
        raise NotFoundError("not_found", "there is no such debrief")
    return _ref(history), debrief


def _ref(history: Sequence[StoredEvent]) -> str:
    refs = (event.personal.get("subject_ref") for event in history)
    return next((str(ref) for ref in refs if ref), str(history[0].subject_id))
