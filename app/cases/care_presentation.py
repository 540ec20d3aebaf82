"""What a case shows beside its steps: checklists, warnings, compensation, improvement, aftermath."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.cases.care_schemas import (
    ActionLinkOut,
    ChecklistOut,
    ChecklistStepOut,
    CompensationOut,
    DeviationOut,
)
from app.cases.playbooks import attention, bound_playbooks, reply_completeness
from app.domain.case import Case
from app.domain.case.outcome import BROKEN_PROMISES
from app.domain.complaint import CaseKind
from app.domain.events import EventType, StoredEvent
from app.domain.playbook import REPLY, Checklist, Named, Step
from app.journal.config import TenantConfig
from app.kit.ids import public_id


def care_of(config: TenantConfig, history: Sequence[StoredEvent], case: Case, at: datetime) -> dict[str, Any]:
    """The fields of a case's detail that tell how its customer is cared for."""
    bound, cost, pending = bound_playbooks(config, history, case), case.cost, attention(config, history, case)
    playbooks, after = bound.value, case.aftermath
    names = [REPLY, *sorted({*case.ticked, *_started(case)} - {REPLY})]
    lists = {name: playbooks.checklist_of(case, name) for name in names if _is_known(playbooks, name)}
    completeness = reply_completeness(case, playbooks)
    return {
        "playbook_version": bound.version,
        "preferred_channel": case.preferred_channel,
        "reply_channel": case.reply_channel,
        "reply_completeness": completeness,
        "checklists": [_checklist(name, item, case) for name, item in lists.items()],
        "warnings": _warnings(case, history, completeness, at),
        "verification": None if case.dialogue is None else case.dialogue.state.value,
        "compensations": [CompensationOut.of(item) for item in case.compensations],
        "compensation_gross": cost.gross,
        "compensation_recovered": cost.recovered,
        "compensation_net": cost.net,
        "compensation_currency": cost.currency,
        "actions": [ActionLinkOut.of(link) for link in case.links],
        "action_not_needed_at": case.action_not_needed_at,
        "deviations": [DeviationOut.of(item) for item in after.deviations],
        "is_double_deviation": any(item.trigger not in BROKEN_PROMISES for item in after.deviations),
        "promise_missed": any(item.trigger in BROKEN_PROMISES for item in after.deviations),
        "resurvey_class": after.resurvey_class,
        "recovered_at": after.recovered_at,
        "is_ambassador": after.is_ambassador,
        "next_attention_at": None if pending is None else pending.at,
        "next_attention": None if pending is None else pending.event.value,
    }


def _started(case: Case) -> set[str]:
    """Checklists that begin by themselves: every complaint is recovered, a settled one won back."""
    if not case.customer_facing or case.kind is not CaseKind.COMPLAINT:
        return set()
    settled = {Named.LOYALTY_CONVERSION.value} if case.settled_at is not None else set()
    return {Named.RECOVERY.value} | settled


def _recovered(case: Case) -> set[str]:
    """React, respond, plus one: what the facts say of it without anybody ticking."""
    facts = {
        "react": Step.REMEDIED in case.steps,
        "respond": Step.APOLOGISED in case.steps,
        "plus_one": any(item.is_granted for item in case.compensations),
    }
    return {step for step, done in facts.items() if done}


def _is_known(playbooks: Any, name: str) -> bool:
    return name == REPLY or name in playbooks.checklists


def _checklist(name: str, checklist: Checklist, case: Case) -> ChecklistOut:
    done = {*case.ticked.get(name, ()), *(_recovered(case) if name == Named.RECOVERY else ())}
    steps = [
        ChecklistStepOut(key=step.key, labels=dict(step.labels), done=step.key in done)
        for step in checklist.steps
    ]
    share = sum(step.done for step in steps) / len(steps)
    return ChecklistOut(name=name, checklist=checklist.key, completeness=share, steps=steps)


def _warnings(
    case: Case, history: Sequence[StoredEvent], completeness: float | None, at: datetime
) -> list[str]:
    """What is not as it should be, and blocks nothing."""
    found = []
    if Step.REPLIED in case.steps and completeness is not None and completeness < 1:
        found.append("reply_incomplete")
    channels = {event.fact.get("channel") for event in history if event.type is EventType.CASE_REPLIED}
    if case.reply_channel is not None and channels - {None, case.reply_channel}:
        found.append("replied_in_other_channel")
    due_at = case.promised_due_at
    if due_at is not None and case.settled_at is None and at > due_at:
        found.append("promise_overdue")
    if any(
        item.due_at and item.due_at < at and item.delivered_at is None
        for item in case.compensations
        if item.is_granted
    ):
        found.append("compensation_overdue")
    if any(item.delivered_at and not item.approved_at for item in case.compensations):
        found.append("compensation_not_approved")
    if any(link.is_owed for link in case.links) and case.customer_facing:
        found.append("improvement_not_told")
    return found


def ref_of(event_id: Any) -> str:
    """The public id of an event."""
    return public_id("evt", event_id)
