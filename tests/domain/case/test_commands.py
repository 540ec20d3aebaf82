"""The commands that a case allows, and those that it refuses, saying why."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.case import COMMANDS, check, fold
from app.domain.errors import ConflictError, InvalidError
from app.domain.events import EventType
from app.domain.playbook_preset import DEFAULT_PLAYBOOKS

from .builders import CASE_EVENTS, at, case_of, fact

DUE = {"due_at": "2026-12-01T10:00:00Z"}
READY = "opened 0, acknowledged 1, apologised 2, promised 3, remedied 4, decision_communicated 5"


def run(told: str, command: str, data=None, now=None) -> EventType:
    return check(case_of(told), command, data or {}, now or at(50), DEFAULT_PLAYBOOKS)


@pytest.mark.parametrize(
    ("told", "command", "data", "event"),
    [
        ("opened 0", "acknowledge", {}, "case.acknowledged"),
        ("opened 0, acknowledged 1, closed 2, reopened 3", "acknowledge", {}, "case.acknowledged"),
        ("replied 0", "acknowledge", {}, "case.acknowledged"),
        ("opened 0", "assess", {"severity": "sev1"}, "case.assessed"),
        ("opened 0", "assess", {"cause": "staff.rudeness"}, "case.assessed"),
        ("opened 0", "assign", {"assignee": "e1"}, "case.assigned"),
        ("opened 0, replied 1", "reply", {}, "case.replied"),
        ("opened 0", "apologise", {}, "case.apologised"),
        ("opened 0, promised 1", "promise", DUE, "case.promised"),
        ("opened 0, declined 1", "promise", DUE, "case.promised"),
        ("opened 0, promised 1", "decline", {"reason": "out of our hands"}, "case.declined"),
        ("opened 0", "remedy", {}, "case.remedied"),
        ("opened 0", "communicate-decision", {}, "case.decision_communicated"),
        ("opened 0, remedied 1", "resurvey", {}, "case.resurveyed"),
        ("opened 0, replied 1", "resurvey", {}, "case.resurveyed"),
        ("opened 0, closed 1", "resurvey", {}, "case.resurveyed"),
        (READY, "close", {}, "case.closed"),
        ("opened 0, closed 1", "reopen", {}, "case.reopened"),
        ("opened 0, remedied 1", "reopen", {}, "case.reopened"),
        ("opened 0, withdrawn 1", "reopen", {}, "case.reopened"),
        ("opened 0", "wait-customer", {}, "case.waiting_customer"),
        ("opened 0, waiting_customer 1", "resume", {}, "case.resumed"),
        ("opened 0, escalated 1", "escalate", {}, "case.escalated"),
        ("opened 0", "withdraw", {}, "case.withdrawn"),
        ("opened 0", "mark-duplicate", {"of": "case_1"}, "case.marked_duplicate"),
        ("opened 0, closed 1", "mark-invalid", {"reason": "spam"}, "case.marked_invalid"),
        ("opened 0, merged 1", "link", {"ref": "t1"}, "case.linked"),
        ("opened 0, marked_duplicate 1", "merge", {"into": "case_1"}, "case.merged"),
        ("opened 0, withdrawn 1", "merge", {"into": "case_1"}, "case.merged"),
    ],
)
def test_a_command_that_the_case_allows_gives_its_event(told, command, data, event):
    assert run(told, command, data) == event


@pytest.mark.parametrize(
    ("told", "command", "data", "reason"),
    [
        ("opened 0, acknowledged 1", "acknowledge", {}, "already_thanked"),
        ("opened 0, closed 1", "assess", {"severity": "sev1"}, "case_closed"),
        ("opened 0, closed 1", "assign", {"assignee": "e1"}, "case_closed"),
        ("opened 0, closed 1", "reply", {}, "case_closed"),
        ("opened 0, withdrawn 1", "apologise", {}, "case_withdrawn"),
        ("opened 0, promised 1, remedied 2", "promise", DUE, "already_remedied"),
        ("opened 0, remedied 1", "decline", {"reason": "x"}, "already_remedied"),
        ("opened 0, declined 1", "decline", {"reason": "x"}, "already_declined"),
        ("opened 0, remedied 1", "remedy", {}, "already_remedied"),
        ("opened 0, merged 1", "communicate-decision", {}, "case_merged"),
        ("opened 0", "resurvey", {}, "not_answered"),
        ("opened 0, remedied 1, resurveyed 2", "resurvey", {}, "already_resurveyed"),
        ("opened 0", "close", {}, "close_incomplete"),
        ("opened 0, closed 1", "close", {}, "case_closed"),
        ("opened 0", "reopen", {}, "reopened_while_open"),
        ("opened 0, marked_invalid 1", "reopen", {}, "case_invalid"),
        ("opened 0, waiting_customer 1", "wait-customer", {}, "already_waiting"),
        ("opened 0", "resume", {}, "not_waiting"),
        ("opened 0, closed 1", "escalate", {}, "case_closed"),
        ("opened 0, closed 1", "withdraw", {}, "case_closed"),
        ("opened 0, withdrawn 1", "withdraw", {}, "case_withdrawn"),
        ("opened 0, marked_duplicate 1", "mark-duplicate", {"of": "case_1"}, "case_duplicate"),
        ("opened 0, merged 1", "mark-invalid", {"reason": "spam"}, "case_merged"),
        ("opened 0, merged 1", "merge", {"into": "case_1"}, "case_merged"),
    ],
)
def test_a_command_that_the_case_does_not_allow_conflicts_and_says_why(told, command, data, reason):
    with pytest.raises(ConflictError) as refused:
        run(told, command, data)
    assert refused.value.reason == reason
    assert refused.value.detail


@pytest.mark.parametrize(
    ("command", "data", "reason", "pointer"),
    [
        ("acknowlege", {}, "unknown_command", ""),
        ("assess", {}, "nothing_assessed", ""),
        ("assess", {"severity": "sev9"}, "unknown_severity", "/severity"),
        ("assess", {"kind": "review"}, "unknown_kind", "/kind"),
        ("assign", {"assignee": " "}, "missing_assignee", "/assignee"),
        ("promise", {}, "missing_due_at", "/due_at"),
        ("promise", {"due_at": "tomorrow"}, "unreadable_time", "/due_at"),
        ("promise", {"due_at": "2026-12-01T10:00:00"}, "unreadable_time", "/due_at"),
        ("promise", {"due_at": at(50)}, "due_in_the_past", "/due_at"),
        ("decline", {}, "missing_reason", "/reason"),
        ("mark-duplicate", {}, "missing_of", "/of"),
        ("mark-invalid", {"reason": None}, "missing_reason", "/reason"),
        ("link", {}, "missing_ref", "/ref"),
        ("merge", {"into": ""}, "missing_into", "/into"),
    ],
)
def test_a_command_that_can_never_be_right_is_refused_at_its_place(command, data, reason, pointer):
    with pytest.raises(InvalidError) as refused:
        run("opened 0", command, data)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


def test_what_was_remedied_on_the_spot_can_still_be_promised_and_then_closed():
    told = "opened 0, acknowledged 1, apologised 2, remedied 3, decision_communicated 4"
    with pytest.raises(ConflictError, match="promised, or declined"):
        run(told, "close")
    assert run(told, "promise", {}) is EventType.CASE_PROMISED
    assert run(f"{told}, promised 5", "close") is EventType.CASE_CLOSED


@pytest.mark.parametrize(
    ("told", "command"),
    [
        ("opened 0, promised 1, remedied 2", "promise"),
        ("opened 0, remedied 1", "decline"),
        ("opened 0", "resurvey"),
        ("opened 0", "reopen"),
        ("opened 0", "resume"),
        ("opened 0, waiting_customer 1", "wait-customer"),
    ],
)
def test_a_refused_step_says_what_to_do_instead(told, command):
    with pytest.raises(ConflictError) as refused:
        run(told, command, {**DUE, "reason": "x"})
    assert refused.value.cure


def test_closing_says_everything_that_is_missing():
    with pytest.raises(ConflictError) as refused:
        run("opened 0, acknowledged 1, promised 2", "close")
    assert "apologised; decision_communicated; remedied, or declined" in refused.value.detail


def test_a_reopened_complaint_owes_its_steps_again_before_it_closes():
    with pytest.raises(ConflictError, match="thanked; apologised"):
        run(f"{READY}, closed 6, reopened 7", "close")


def test_the_command_to_reopen_ends_with_the_fourteenth_day():
    last = at(1) + timedelta(days=14)
    assert run("opened 0, closed 1", "reopen", now=last) is EventType.CASE_REOPENED
    with pytest.raises(ConflictError) as refused:
        run("opened 0, closed 1", "reopen", now=last + timedelta(microseconds=1))
    assert refused.value.reason == "reopened_too_late"
    assert "repeat_of" in refused.value.cure


def test_nobody_waits_for_a_customer_who_is_not_known():
    case = fold([fact("opened", 0, {"customer_facing": False})])
    with pytest.raises(ConflictError) as refused:
        check(case, "wait-customer", {}, at(1), DEFAULT_PLAYBOOKS)
    assert refused.value.reason == "no_customer"
    remedied = fold([fact("opened", 0, {"customer_facing": False}), fact("remedied", 1)])
    assert check(remedied, "close", {}, at(2), DEFAULT_PLAYBOOKS) is EventType.CASE_CLOSED


def test_a_refusal_on_a_merged_case_names_the_survivor():
    case = fold([fact("opened", 0), fact("merged", 1, {"into": "case_9"})])
    with pytest.raises(ConflictError) as refused:
        check(case, "reply", {}, at(2), DEFAULT_PLAYBOOKS)
    assert "case_9" in refused.value.cure


DATA = {
    "assess": {"severity": "sev2"},
    "assign": {"assignee": "e"},
    "promise": {"due_at": "2027-06-01T10:00:00Z"},
    "decline": {"reason": "r"},
    "mark-duplicate": {"of": "x"},
    "mark-invalid": {"reason": "r"},
    "link": {"ref": "x"},
    "merge": {"into": "x"},
    "tick": {"ticked": ["thank"]},
    "link-action": {"action": "A-1"},
    "action-not-needed": {"reason": "r"},
    "inform-of-improvement": {"action": "A-1"},
    "offer-compensation": {"type": "gift"},
    "reject-compensation": {"reason": "r"},
    "recover-compensation": {"amount": "1", "currency": "USD"},
}


@given(commands=st.lists(st.sampled_from(list(COMMANDS)), max_size=20))
def test_what_commands_let_through_never_leaves_an_anomaly(commands):
    events = [fact("opened", 0)]
    for number, command in enumerate(commands, start=1):
        data = DATA.get(command, {})
        try:
            kind = check(fold(events), command, data, at(number), DEFAULT_PLAYBOOKS)
        except ConflictError:
            continue
        events.append(fact(kind.value, number, data))
    assert fold(events).anomalies == ()


def test_every_handling_event_but_the_opening_and_the_customers_own_has_a_command():
    assert {kind for kind in CASE_EVENTS if not kind.is_derived} - set(COMMANDS.values()) == {
        EventType.CASE_OPENED,
        EventType.CASE_CUSTOMER_CONTACTED,
        EventType.CASE_REPEATED,
        EventType.CASE_VERIFICATION_EXPIRED,
        EventType.CASE_CLOSING_NOTIFIED,
        EventType.CASE_IMPROVEMENT_DEPLOYED,
    }
