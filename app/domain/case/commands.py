"""The commands on a case: which event each would append, and what a case refuses, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from app.domain.case.care_checks import check_care, check_ticks
from app.domain.case.facts import FIT_A_CLOSED, JUDGEMENTS, MARKS, STEPS
from app.domain.case.gifts import GIFTS, check_gift
from app.domain.case.misfit import reopening_misfit
from app.domain.case.moments import moment_of
from app.domain.case.state import Case, CaseState
from app.domain.errors import ConflictError, InvalidError
from app.domain.events import EventType
from app.domain.playbook import Playbooks, Step
from app.domain.sla.document import nearest

COMMANDS: Final[Mapping[str, EventType]] = {
    "acknowledge": EventType.CASE_ACKNOWLEDGED,
    "assess": EventType.CASE_ASSESSED,
    "assign": EventType.CASE_ASSIGNED,
    "reply": EventType.CASE_REPLIED,
    "apologise": EventType.CASE_APOLOGISED,
    "promise": EventType.CASE_PROMISED,
    "decline": EventType.CASE_DECLINED,
    "remedy": EventType.CASE_REMEDIED,
    "communicate-decision": EventType.CASE_DECISION_COMMUNICATED,
    "resurvey": EventType.CASE_RESURVEYED,
    "close": EventType.CASE_CLOSED,
    "reopen": EventType.CASE_REOPENED,
    "wait-customer": EventType.CASE_WAITING_CUSTOMER,
    "resume": EventType.CASE_RESUMED,
    "escalate": EventType.CASE_ESCALATED,
    "withdraw": EventType.CASE_WITHDRAWN,
    "mark-duplicate": EventType.CASE_MARKED_DUPLICATE,
    "mark-invalid": EventType.CASE_MARKED_INVALID,
    "link": EventType.CASE_LINKED,
    "merge": EventType.CASE_MERGED,
    "tick": EventType.CASE_CHECKLIST_TICKED,
    "request-verification": EventType.CASE_VERIFICATION_REQUESTED,
    "verify": EventType.CASE_VERIFIED,
    "mark-unverified": EventType.CASE_UNVERIFIED,
    "link-action": EventType.CASE_ACTION_LINKED,
    "action-not-needed": EventType.CASE_ACTION_NOT_NEEDED,
    "inform-of-improvement": EventType.CASE_IMPROVEMENT_INFORMED,
    **GIFTS,
}
_NEEDS: Final = {
    EventType.CASE_ASSIGNED: "assignee",
    EventType.CASE_PROMISED: "due_at",
    EventType.CASE_DECLINED: "reason",
    EventType.CASE_MARKED_DUPLICATE: "of",
    EventType.CASE_MARKED_INVALID: "reason",
    EventType.CASE_LINKED: "ref",
    EventType.CASE_MERGED: "into",
    EventType.CASE_CHECKLIST_TICKED: "ticked",
    EventType.CASE_ACTION_LINKED: "action",
    EventType.CASE_ACTION_NOT_NEEDED: "reason",
    EventType.CASE_IMPROVEMENT_INFORMED: "action",
    EventType.COMPENSATION_OFFERED: "type",
    EventType.COMPENSATION_REJECTED: "reason",
    EventType.COMPENSATION_RECOVERED: "amount",
}
# What may be given, refused or got back after the case was closed as well.
_ANY_TIME: Final = frozenset(GIFTS.values())
# Said once in a cycle: a second time would only blur when it was done.
_ONCE: Final = frozenset({Step.THANKED, Step.DECLINED, Step.REMEDIED, Step.RESURVEYED})


def check(
    case: Case, command: str, data: Mapping[str, Any], now: datetime, playbooks: Playbooks
) -> EventType:
    """The event that a command would append now. `data` are the event's, times as datetime or ISO text.

    Raises `InvalidError`, with a pointer into `data`, for what can never be right (`unknown_command`,
    `missing_<field>`, `unreadable_time`, `due_in_the_past`, `unknown_<field>`, `nothing_assessed`) and
    `ConflictError` for what the case does not allow now, saying what is missing or stands in the way.
    """
    event = COMMANDS.get(command)
    if event is None:
        detail = f"There is no command {command!r}."
        raise InvalidError("unknown_command", detail, cure=nearest(command, COMMANDS))
    _check_data(event, data, now, is_remedied=Step.REMEDIED in case.steps)
    check_ticks(case, data, playbooks)
    if case.ended_as is not None:
        _check_ended(case, event, case.ended_as)
    elif case.closed_at is not None and event not in (FIT_A_CLOSED | _ANY_TIME) - {EventType.CASE_CLOSED}:
        cure = "Reopen it within 14 days of its closing; later, open a new case with `repeat_of`."
        raise ConflictError("case_closed", "The case is closed.", cure=cure)
    _check_steps(case, event, now)
    check_care(case, event, data)
    if event in _ANY_TIME:
        check_gift(case, event, data)
    missing = playbooks.missing_to_close(case) if event is EventType.CASE_CLOSED else ()
    if missing:
        detail = f"Before it closes, the case must still be: {'; '.join(missing)}."
        raise ConflictError("close_incomplete", detail, cure="Do what is missing, each by its own command.")
    return event


def _check_data(event: EventType, data: Mapping[str, Any], now: datetime, *, is_remedied: bool) -> None:
    # What was remedied on the spot was promised in the same breath: no time lies between the two.
    on_the_spot = is_remedied and event is EventType.CASE_PROMISED
    needed = None if on_the_spot else _NEEDS.get(event)
    if needed is not None and not str(data.get(needed) or "").strip():
        cure = f"Send `{needed}`."
        raise InvalidError(f"missing_{needed}", f"{event} needs `{needed}`.", pointer=f"/{needed}", cure=cure)
    for name, words in JUDGEMENTS.items():
        if data.get(name) is not None and data[name] not in list(words):
            detail = f"There is no {name} {data[name]!r}."
            raise InvalidError(
                f"unknown_{name}", detail, pointer=f"/{name}", cure=nearest(data[name], list(words))
            )
    if event is EventType.CASE_ASSESSED and not any(data.get(name) for name in ("cause", *JUDGEMENTS)):
        detail = "An assessment says at least one of severity, kind and cause."
        raise InvalidError("nothing_assessed", detail, cure="Send `severity`, `kind` or `cause`.")
    if data.get("due_at") is not None:
        due_at = moment_of(data["due_at"])
        if due_at is None:
            cure = 'Write it with its zone, as in "2026-11-22T10:00:00Z".'
            raise InvalidError("unreadable_time", "This is not a time.", pointer="/due_at", cure=cure)
        if due_at <= now:
            detail = "What is promised must still lie ahead."
            cure = "Send a later time; what was promised for an earlier one is a fact: POST /v1/events."
            raise InvalidError("due_in_the_past", detail, pointer="/due_at", cure=cure)


def _check_ended(case: Case, event: EventType, ended_as: CaseState) -> None:
    """A withdrawn case may be reopened, one that is no case of its own still linked or merged."""
    allowed = {EventType.CASE_LINKED, EventType.CASE_IMPROVEMENT_INFORMED}
    if ended_as is CaseState.WITHDRAWN:
        allowed |= {EventType.CASE_REOPENED, *MARKS}
    elif ended_as is not CaseState.MERGED:
        allowed.add(EventType.CASE_MERGED)
    if event not in allowed:
        words = {CaseState.DUPLICATE: "marked as a duplicate", CaseState.INVALID: "marked as invalid"}
        detail = f"The case is {words.get(ended_as, ended_as.value)}."
        survivor = case.merged_into or case.duplicate_of
        cure = f"Send it to {survivor}." if survivor else "Retract the event that ended it, if it was wrong."
        raise ConflictError(f"case_{ended_as}", detail, cure=cure)


def _check_steps(case: Case, event: EventType, now: datetime) -> None:
    step, waiting = STEPS.get(event), case.current.waiting_since is not None
    if step in _ONCE and step in case.steps:
        raise ConflictError(
            f"already_{step}", f"The case is {step} already.", cure="Reply instead, or close."
        )
    match event:
        case EventType.CASE_PROMISED if {Step.REMEDIED, Step.PROMISED} <= case.steps.keys():
            cure = "Communicate the decision, or close; reopen it if the remedy was none."
            raise ConflictError("already_remedied", "What was promised is done: nothing is left.", cure=cure)
        case EventType.CASE_DECLINED if Step.REMEDIED in case.steps:
            cure = "Communicate the decision, or close; reopen it if the remedy was none."
            raise ConflictError("already_remedied", "There is nothing left to refuse.", cure=cure)
        case EventType.CASE_RESURVEYED if case.settled_at is None and Step.REPLIED not in case.steps:
            cure = "Ask again after a remedy, a refusal or an answer."
            raise ConflictError("not_answered", "The customer got no answer yet.", cure=cure)
        case EventType.CASE_WAITING_CUSTOMER if waiting:
            cure = "Resume it first, if the waiting is to begin anew."
            raise ConflictError("already_waiting", "The case waits for the customer already.", cure=cure)
        case EventType.CASE_WAITING_CUSTOMER if not case.customer_facing:
            cure = "Work on it, or mark it invalid with a reason."
            raise ConflictError("no_customer", "Nobody can be waited for: no author is known.", cure=cure)
        case EventType.CASE_RESUMED if not waiting:
            cure = "Nothing is to be done: its clocks run."
            raise ConflictError("not_waiting", "The case does not wait for the customer.", cure=cure)
        case EventType.CASE_REOPENED:
            _check_reopening(case, now)
        case _:
            pass


def _check_reopening(case: Case, now: datetime) -> None:
    misfit = reopening_misfit(case, now)
    if misfit == "reopened_while_open":
        detail = "The case is open: nothing was remedied, refused or closed yet."
        raise ConflictError(misfit, detail, cure="Go on with it; nothing is to be reopened.")
    if misfit == "reopened_too_late":
        cure = "Open a new case with `repeat_of`."
        raise ConflictError(misfit, "More than 14 days have passed since it was settled.", cure=cure)
