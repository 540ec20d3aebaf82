"""What the facts of a case say of it: judgements, attribution, side facts, corrections and retractions."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.domain.case import CaseState, fold, moment_of
from app.domain.complaint import CaseKind, Severity
from app.domain.errors import NotFoundError
from app.domain.playbook import Step

from .builders import at, fact, reasons


def test_only_the_opening_and_the_assessment_judge_and_the_latest_of_them_wins():
    events = [
        fact("opened", 0, {"severity": "sev3", "kind": "question", "cause": "staff"}),
        fact("assessed", 5, {"severity": "sev1"}),
        fact("assessed", 2, {"severity": "sev2", "kind": "complaint", "cause": "staff.rudeness"}),
        fact("replied", 9, {"severity": "sev4", "kind": "praise"}),
    ]
    case = fold(events)
    assert (case.severity, case.kind, case.cause) == (Severity.SEV1, CaseKind.COMPLAINT, "staff.rudeness")
    assert fold(events[:1]).severity is Severity.SEV3


def test_an_assessment_before_the_opening_is_not_overruled_by_the_first_guess():
    case = fold([fact("assessed", -1, {"severity": "sev1"}), fact("opened", 0, {"severity": "sev3"})])
    assert case.severity is Severity.SEV1


def test_attribution_is_frozen_by_who_states_it_first_and_filled_where_nobody_did():
    case = fold(
        [
            fact("opened", 0, {"channel": "call", "location": "kyiv", "employee": "e1"}),
            fact("replied", 1, {"channel": "email", "employee": "agent", "location": "lviv", "product": "p"}),
            fact("assessed", 2, {"channel": "call", "employee": "e2", "segment": "vip"}),
        ]
    )
    assert (case.channel, case.location, case.employee) == ("call", "kyiv", "e1")
    assert (case.product, case.segment) == ("p", "vip")
    assert [(a.reason, a.field) for a in case.anomalies] == [
        ("stated_differently", "location"),
        ("stated_differently", "employee"),
    ]


def test_the_channel_and_the_employee_of_an_answer_are_not_those_of_the_case():
    case = fold([fact("opened", 0), fact("replied", 1, {"channel": "email", "employee": "agent"})])
    assert (case.channel, case.employee) == (None, None)


def test_what_the_opening_says_of_the_case_is_kept():
    opening = {
        "due_at": "2026-11-22T12:00:00+02:00",
        "customer_facing": False,
        "initiative": "proactive",
        "detection": {"decided_by": "rule"},
        "repeat_of": "case_1",
        "attributes": {"agency": "A", "borough": "B"},
    }
    case = fold([fact("opened", 0, opening), fact("assessed", 1, {"attributes": {"borough": "C"}})])
    assert case.due_given_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert (case.customer_facing, case.initiative, case.repeat_of) == (False, "proactive", "case_1")
    assert case.detection == {"decided_by": "rule"}
    assert case.attributes == {"agency": "A", "borough": "C"}
    assert case.contacts == 0


def test_side_facts_are_kept_and_the_latest_word_counts():
    case = fold(
        [
            fact("opened", 0),
            fact("assigned", 1, {"assignee": "a"}),
            fact("assigned", 3, {"assignee": "c"}),
            fact("assigned", 2, {"assignee": "b"}),
            fact("promised", 4, {"due_at": "2026-11-20T10:00:00Z"}),
            fact("promised", 5, {"due_at": "2026-11-21T10:00:00Z"}),
            fact("escalated", 6),
            fact("escalated", 7),
            fact("linked", 8, {"ref": "t2"}),
            fact("linked", 9, {"ref": "t1"}),
            fact("customer_contacted", 10),
            fact("marked_duplicate", 11, {"of": "t1"}),
            fact("merged", 12, {"into": "t0"}),
            fact("closed", 13, {"outcome": "upheld"}),
        ]
    )
    assert (case.assignee, case.outcome, case.contacts) == ("c", "upheld", 2)
    assert case.promised_due_at == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert case.current.escalated_at == at(6)
    assert case.linked == ("t1", "t2")
    assert (case.duplicate_of, case.merged_into, case.ended_at) == ("t1", "t0", at(11))
    assert reasons(case) == []


@pytest.mark.parametrize(
    ("name", "said", "field"),
    [
        ("opened", {"severity": "urgent"}, "severity"),
        ("opened", {"kind": "review"}, "kind"),
        ("opened", {"due_at": "tomorrow"}, "due_at"),
        ("promised", {"due_at": "2026-11-22T10:00:00"}, "due_at"),
    ],
)
def test_a_word_that_cannot_be_read_is_listed_and_changes_nothing(name, said, field):
    case = fold([fact(name, 1, said, id="x"), *([] if name == "opened" else [fact("opened", 0)])])
    assert [(a.reason, a.field) for a in case.anomalies] == [("unreadable_fact", field)]
    assert (case.severity, case.kind, case.due_given_at) == (Severity.SEV3, CaseKind.COMPLAINT, None)
    assert case.promised_due_at is None


def test_a_retracted_fact_never_was():
    events = [fact("opened", 0), fact("closed", 5), fact("event.retracted", 6, {"event": "closed@5"})]
    assert fold(events).state is CaseState.OPEN
    elsewhere = fact("event.retracted", 6, {"event": "closed@5", "source": "chat"})
    assert fold([*events[:2], elsewhere]).state is CaseState.CLOSED
    by_operator = fact("event.retracted", 6, {"event": "closed@5", "source": "crm"}, source="operator")
    assert fold([*events[:2], by_operator]).state is CaseState.OPEN


def test_a_retracted_opening_leaves_the_case_waiting_for_the_true_one():
    gone = fact("event.retracted", 6, {"event": "wrong"})
    wrong, replied, right = fact("opened", 0, id="wrong"), fact("replied", 3), fact("opened", 2)
    assert fold([wrong, replied, gone]).state is CaseState.AWAITING_OPENING
    assert fold([wrong, replied, gone, right]).opened_at == at(2)


def test_a_case_all_of_whose_facts_were_taken_back_is_invalid():
    case = fold([fact("opened", 0, id="x"), fact("event.retracted", 1, {"event": "x"})])
    assert (case.state, case.opened_at, reasons(case)) == (CaseState.INVALID, at(0), ["retracted"])
    assert case.contacts == 0


def test_a_newer_state_of_one_object_replaces_the_older_and_other_objects_stay():
    def promise(hours, day, version, thing="promise-1"):
        said = {"due_at": f"2026-11-{day}T10:00:00Z"}
        return fact("promised", hours, said, id=f"{thing}@{version}", object=thing, version=Decimal(version))

    corrected = fold([fact("opened", 0), promise(2, 25, 10), promise(8, 24, 9)])
    assert corrected.steps[Step.PROMISED] == at(2)
    assert corrected.promised_due_at.day == 25
    other = fold([fact("opened", 0), promise(2, 25, 10), promise(8, 24, 9, "promise-2")])
    assert other.promised_due_at.day == 24


def test_what_is_not_about_handling_leaves_the_case_alone():
    events = [fact("opened", 0), fact("closed", 1)]
    noise = [fact("feedback.received", -5), fact("sla.breached", 3), fact("order.delivered", 4)]
    assert fold([*noise, *events]) == fold(events)


def test_a_subject_of_which_only_feedback_is_known_awaits_its_opening():
    case = fold([fact("feedback.received", 3)])
    assert (case.state, case.opened_at) == (CaseState.AWAITING_OPENING, at(3))


def test_no_events_make_no_case():
    with pytest.raises(NotFoundError) as refused:
        fold([])
    assert refused.value.reason == "no_events"


def test_a_time_kept_in_a_fact_is_read_only_with_its_zone():
    assert moment_of("2026-11-22T12:00:00+02:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert moment_of(datetime(2026, 11, 22, tzinfo=UTC)) == datetime(2026, 11, 22, tzinfo=UTC)
    for unreadable in (None, "", "soon", "2026-11-22T12:00:00", 1790000000, datetime(2026, 11, 22)):
        assert moment_of(unreadable) is None
