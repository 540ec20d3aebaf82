"""Rows, folded cases and events become what callers see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.cases.care_presentation import care_of
from app.cases.playbooks import bound_playbooks
from app.cases.schemas import (
    AnomalyOut,
    CaseDetail,
    CaseEventOut,
    CaseItem,
    CommandOut,
    CycleOut,
    DeadlineOut,
)
from app.domain.case import COMMANDS, Case, check, fold
from app.domain.errors import ConflictError
from app.domain.events import StoredEvent
from app.domain.playbook import Playbooks
from app.journal.config import TenantConfig
from app.journal.renames import NO_RENAMES, Renames
from app.journal.rows import reported_by
from app.kit.ids import public_id

ReadTimers = Callable[[UUID, Sequence[StoredEvent], Case, TenantConfig, datetime], list[dict[str, Any]]]
"""The live readings of a case's timers; the composition root hands it in."""

CARE_COLUMNS: Final = (
    "preferred_channel", "verification", "reply_completeness", "compensation_net", "compensation_currency",
    "is_double_deviation", "promise_missed", "recovered_at", "is_ambassador",
)  # fmt: skip
_SAME_NAME: Final = (
    "opened_at", "source", "channel", "touchpoint", "location", "employee", "product", "segment", "cause",
    "assignee", "customer_facing", "initiative", "due_given_at", "promised_due_at", "acknowledged_at",
    "first_response_at", "remedied_at", "closed_at", "ended_at", "reopened_count",
)  # fmt: skip
# Good enough for every command, so that only the state of the case can refuse it.
_ANY_DATA: Final = dict.fromkeys(
    ("assignee", "reason", "of", "ref", "into", "cause", "type", "amount", "currency", "action"), "x"
)
_CASES: Final = ("into_id", "linked_id", "continues_id")
_EVENTS: Final = ("event_id", "cycle", "opening")
_NAMED_BY_US: Final = (*((name, "case") for name in _CASES), *((name, "evt") for name in _EVENTS))
_ASKS_WHICH: Final = frozenset({"which_compensation", "which_action"})


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case with all that its presentation needs."""

    case_id: UUID
    history: Sequence[StoredEvent]
    config: TenantConfig
    refs: Sequence[str]
    version: int
    """the last commit that touched it: the number in its ETag"""
    renames: Renames = NO_RENAMES
    survivor_id: UUID | None = None
    """the case that goes on in its place"""


def case_item(row: Any, at: datetime) -> CaseItem:
    """One row of the list, its deadline judged at this instant."""
    next_due = None
    if row.timer is not None:
        next_due = DeadlineOut(timer=row.timer, due_at=row.due_at, is_overdue=row.breaches_at < at)
    return CaseItem(
        **{name: getattr(row, name) for name in (*_SAME_NAME, "state", "kind", "severity", "attributes")},
        id=public_id("case", row.case_id),
        version=row.seq,
        **{name: getattr(row, name) for name in CARE_COLUMNS},
        repeat_of=_public_case(row.repeat_of),
        merged_into=_public_case(row.merged_into),
        refs=row.refs,
        next_due=next_due,
    )


def case_detail(known: KnownCase, read_timers: ReadTimers, at: datetime) -> CaseDetail:
    """A case as all its events tell it, and as the clock reads it at this instant."""
    case = fold(known.history)
    playbooks = bound_playbooks(known.config, known.history, case).value
    renamed = {
        "touchpoint": known.renames.name_of(case.touchpoint),
        "source": reported_by(known.history, case.source),
    }
    return CaseDetail(
        **{**{name: getattr(case, name) for name in _SAME_NAME}, **renamed},
        id=public_id("case", known.case_id),
        version=known.version,
        state=case.state.value,
        kind=case.kind.value,
        severity=case.severity.value,
        repeat_of=case.repeat_of,
        merged_into=_public_case(known.survivor_id),
        attributes=dict(case.attributes),
        refs=list(known.refs),
        outcome=case.outcome,
        contacts=case.contacts,
        detection=dict(case.detection),
        cycles=_cycles(case),
        anomalies=_anomalies(case),
        required_steps=[step.value for step in playbooks.required_steps(case.kind, case.severity)],
        missing_to_close=[] if case.closed_at else list(playbooks.missing_to_close(case)),
        allowed_commands=allowed_commands(case, at, playbooks),
        **care_of(known.config, known.history, case, at),
        timers=read_timers(known.case_id, known.history, case, known.config, at),
    )


def allowed_commands(case: Case, at: datetime, playbooks: Playbooks) -> list[str]:
    """The commands that the case would take now."""
    owed = [link.action for link in case.links if link.is_owed]
    first = playbooks.reply_checklist(case.kind, case.severity).steps[0].key
    data: dict[str, Any] = {**_ANY_DATA, "due_at": at + timedelta(days=1), "ticked": [first]}
    allowed = []
    for command in COMMANDS:
        if command == "inform-of-improvement" and owed:
            data["action"] = owed[0]
        try:
            check(case, command, data, at, playbooks)
        except ConflictError as error:
            if error.reason not in _ASKS_WHICH:
                continue
        allowed.append(command)
    return allowed


def event_out(event: StoredEvent, *, with_personal: bool) -> CaseEventOut:
    """One event of a case's history."""
    personal = {name: value for name, value in event.personal.items() if name != "subject_ref"}
    return CaseEventOut(
        event_id=public_id("evt", event.event_id),
        sequence=event.position,
        type=event.type.value,
        source=event.source,
        id=event.external_id,
        occurred_at=event.occurred_at,
        precision="day" if event.day_precision else None,
        recorded_at=event.recorded_at,
        origin=event.origin.value,
        caused_by=None if event.caused_by is None else public_id("evt", event.caused_by),
        data=public_fact(event.fact),
        personal=personal if with_personal else None,
    )


def command_out(event: StoredEvent, known: KnownCase, read_timers: ReadTimers) -> CommandOut:
    """The answer to a command: made of nothing later than its own commit, so that a repeat gets it again."""
    return CommandOut(
        event_id=public_id("evt", event.event_id),
        type=event.type.value,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        sequence=event.position,
        case=case_detail(known, read_timers, event.recorded_at),
    )


def _cycles(case: Case) -> list[CycleOut]:
    return [
        CycleOut(
            number=number,
            started_at=cycle.started_at,
            started_by=public_id("evt", cycle.started_by),
            steps={step.value: at for step, at in cycle.steps.items()},
            promised_due_at=cycle.promised_due_at,
            waiting_since=cycle.waiting_since,
            escalated_at=cycle.escalated_at,
        )
        for number, cycle in enumerate(case.cycles, start=1)
    ]


def _anomalies(case: Case) -> list[AnomalyOut]:
    return [
        AnomalyOut(
            reason=item.reason,
            event_id=public_id("evt", item.event_id),
            occurred_at=item.occurred_at,
            field=item.field,
        )
        for item in case.anomalies
    ]


def _public_case(case_id: UUID | None) -> str | None:
    return None if case_id is None else public_id("case", case_id)


def public_fact(fact: Mapping[str, Any]) -> dict[str, Any]:
    """The fact with the ids that the journal added written as callers know them."""
    shown = dict(fact)
    for name, prefix in _NAMED_BY_US:
        if name in shown:
            shown[name] = public_id(prefix, UUID(str(shown[name])))
    return shown
