"""A case folded from its events in any order, and the commands that it allows or refuses."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.case import COMMANDS, Case, CaseState, check, fold, moment_of
from app.domain.complaint import CaseKind, Severity
from app.domain.errors import ConflictError, InvalidError, NotFoundError
from app.domain.events import EventType, Origin, StoredEvent
from app.domain.playbook import DEFAULT_PLAYBOOKS, Step

T0 = datetime(2026, 11, 2, 9, tzinfo=UTC)
TENANT, SUBJECT = UUID(int=1), UUID(int=2)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def fact(name: str, hours: float, said=None, *, id=None, source="crm", **envelope) -> StoredEvent:
    """An event `hours` after T0; `name` without a dot is a case event."""
    kind = EventType(name if "." in name else f"case.{name}")
    external_id = id or f"{name}@{hours:g}"
    return StoredEvent(
        tenant_id=TENANT,
        position=1,
        event_id=uuid5(NAMESPACE_URL, f"{source} {external_id}"),
        type=kind,
        source=source,
        external_id=external_id,
        occurred_at=at(hours),
        recorded_at=at(hours),
        origin=Origin.LIVE,
        fact=said or {},
        personal={},
        subject_id=SUBJECT,
        **envelope,
    )


def case_of(told: str) -> Case:
    """`"opened 0, replied 2"` as a folded case."""
    return fold([fact(name, float(hours)) for name, hours in (item.split() for item in told.split(", "))])


def reasons(case: Case) -> list[str]:
    return [anomaly.reason for anomaly in case.anomalies]


FULL = (
    "opened 0, acknowledged 1, assessed 2, replied 3, apologised 4, promised 5, remedied 6, "
    "decision_communicated 7, resurveyed 30, closed 31"
)


def test_a_whole_complaint_has_every_step_at_its_first_time():
    case = case_of(FULL)
    assert case.state is CaseState.CLOSED
    assert case.steps == {
        Step.RECEIVED: at(0),
        Step.THANKED: at(1),
        Step.ASSESSED: at(2),
        Step.REPLIED: at(3),
        Step.APOLOGISED: at(4),
        Step.PROMISED: at(5),
        Step.REMEDIED: at(6),
        Step.DECISION_COMMUNICATED: at(7),
        Step.RESURVEYED: at(30),
        Step.CLOSED: at(31),
    }
    assert (case.opened_at, case.acknowledged_at, case.first_response_at) == (at(0), at(1), at(3))
    assert (case.remedied_at, case.closed_at, case.reopened_count) == (at(6), at(31), 0)
    assert case.cycles[0].started_by == fact("opened", 0).event_id
    assert case.anomalies == ()


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("opened 0", CaseState.OPEN),
        ("opened 0, promised 1", CaseState.OPEN),
        ("opened 0, waiting_customer 1", CaseState.WAITING_CUSTOMER),
        ("opened 0, waiting_customer 1, resumed 2", CaseState.OPEN),
        ("opened 0, waiting_customer 1, customer_contacted 2", CaseState.OPEN),
        ("opened 0, waiting_customer 1, remedied 2", CaseState.REMEDIED),
        ("opened 0, remedied 1, waiting_customer 2", CaseState.WAITING_CUSTOMER),
        ("opened 0, waiting_customer 1, resumed 2, waiting_customer 3", CaseState.WAITING_CUSTOMER),
        ("opened 0, waiting_customer 1, closed 2", CaseState.CLOSED),
        ("opened 0, remedied 1", CaseState.REMEDIED),
        ("opened 0, declined 1", CaseState.OPEN),
        ("opened 0, remedied 1, closed 2, resurveyed 26", CaseState.CLOSED),
        ("opened 0, withdrawn 1", CaseState.WITHDRAWN),
        ("opened 0, withdrawn 1, closed 1", CaseState.WITHDRAWN),
        ("opened 0, withdrawn 1, reopened 2", CaseState.OPEN),
        ("opened 0, marked_invalid 1", CaseState.INVALID),
        ("opened 0, marked_duplicate 1, merged 2", CaseState.MERGED),
        ("opened 0, merged 1, marked_duplicate 2, marked_invalid 3", CaseState.MERGED),
        ("opened 0, closed 1, marked_duplicate 2", CaseState.DUPLICATE),
        ("opened 0, closed 1, reopened 2", CaseState.OPEN),
        ("opened 0, closed 1, reopened 2, closed 3", CaseState.CLOSED),
        ("replied 0", CaseState.AWAITING_OPENING),
        ("closed 0", CaseState.AWAITING_OPENING),
        ("replied 0, marked_invalid 1", CaseState.INVALID),
    ],
)
def test_the_state_follows_from_the_facts_and_none_of_them_is_odd(told, state):
    case = case_of(told)
    assert case.state is state
    assert reasons(case) == (["awaiting_opening"] if "opened" not in told.split() else [])


@pytest.mark.parametrize(
    ("told", "reason", "state"),
    [
        ("replied -1, opened 0", "before_opening", CaseState.OPEN),
        ("closed -1, opened 0", "before_opening", CaseState.CLOSED),
        ("opened 0, opened 1", "second_opening", CaseState.OPEN),
        ("opened 0, closed 1, replied 2", "after_closing", CaseState.CLOSED),
        ("opened 0, closed 1, withdrawn 2", "after_closing", CaseState.CLOSED),
        ("opened 0, closed 1, waiting_customer 2", "after_closing", CaseState.CLOSED),
        ("opened 0, withdrawn 1, replied 2", "after_ending", CaseState.WITHDRAWN),
        ("opened 0, marked_duplicate 1, reopened 2", "after_ending", CaseState.DUPLICATE),
        ("opened 0, reopened 1", "reopened_while_open", CaseState.OPEN),
        ("opened 0, replied 1, reopened 2", "reopened_while_open", CaseState.OPEN),
        ("opened 0, resumed 1", "resumed_without_waiting", CaseState.OPEN),
    ],
)
def test_a_fact_that_does_not_fit_is_applied_as_far_as_it_can_be_and_listed(told, reason, state):
    case = case_of(told)
    assert (reasons(case), case.state) == ([reason], state)


def test_a_step_before_the_opening_keeps_its_own_time():
    case = case_of("replied -1, opened 0")
    assert case.first_response_at == at(-1)
    assert case.opened_at == at(0)
    assert case.anomalies[0].event_id == fact("replied", -1).event_id


def test_a_step_told_after_the_closing_still_counts_as_done():
    case = case_of("opened 0, closed 1, acknowledged 2")
    assert case.steps[Step.THANKED] == at(2)
    assert case.closed_at == at(1)


@pytest.mark.parametrize(("days", "reopened"), [(13.99, True), (14, True), (14.0001, False)])
@pytest.mark.parametrize("settled", ["closed", "remedied", "declined", "withdrawn"])
def test_a_reopening_counts_for_fourteen_days(days, reopened, settled):
    case = case_of(f"opened 0, {settled} 1, reopened {1 + days * 24}")
    assert case.reopened_count == int(reopened)
    assert reasons(case) == ([] if reopened else ["reopened_too_late"])


def test_the_fourteen_days_begin_at_the_closing_and_not_at_the_remedy_before_it():
    assert case_of(f"opened 0, remedied 1, closed 100, reopened {100 + 14 * 24}").reopened_count == 1
    assert case_of(f"opened 0, remedied 1, reopened {100 + 14 * 24}").reopened_count == 0


def test_a_reopening_starts_a_new_cycle_that_owes_every_step_again():
    case = case_of(f"{FULL}, reopened 40, replied 41")
    assert len(case.cycles) == 2
    assert case.steps == {Step.RECEIVED: at(40), Step.REPLIED: at(41)}
    assert case.cycles[1].started_by == fact("reopened", 40).event_id
    assert case.cycles[0].steps[Step.CLOSED] == at(31)
    assert (case.remedied_at, case.closed_at, case.promised_due_at) == (None, None, None)
    assert (case.acknowledged_at, case.first_response_at) == (at(1), at(3))


def test_a_fact_learned_late_belongs_to_the_cycle_in_which_it_happened():
    told = "opened 0, closed 10, reopened 20, closed 30"
    late = case_of(f"{told}, remedied 9")
    assert late.cycles[0].steps[Step.REMEDIED] == at(9)
    assert late.remedied_at is None
    assert case_of(f"{told}, remedied 29").remedied_at == at(29)
    assert reasons(late) == []


def test_an_automatic_reply_is_no_response():
    automatic = [fact("opened", 0), fact("replied", 1, {"human": False}), fact("replied", 2, {"auto": True})]
    assert fold(automatic).first_response_at is None
    assert fold([*automatic, fact("replied", 3, {"human": True})]).first_response_at == at(3)


def test_a_case_met_by_a_later_fact_waits_for_its_opening_and_keeps_what_it_was_told():
    replied, closed = fact("replied", 5, {"location": "kyiv"}), fact("closed", 7)
    case = fold([closed, replied])
    assert (case.state, case.opened_at, case.is_opened) == (CaseState.AWAITING_OPENING, at(5), False)
    assert Step.RECEIVED not in case.steps
    assert (case.first_response_at, case.closed_at, case.location) == (at(5), at(7), "kyiv")
    opened = fold([closed, replied, fact("opened", 1)])
    assert (opened.state, opened.opened_at, opened.anomalies) == (CaseState.CLOSED, at(1), ())


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
    noise = [fact("feedback.received", -5), fact("sla.breached", 3), fact("compensation.offered", 4)]
    assert fold([*noise, *events]) == fold(events)


def test_a_subject_of_which_only_feedback_is_known_awaits_its_opening():
    case = fold([fact("feedback.received", 3)])
    assert (case.state, case.opened_at) == (CaseState.AWAITING_OPENING, at(3))


def test_no_events_make_no_case():
    with pytest.raises(NotFoundError) as refused:
        fold([])
    assert refused.value.reason == "no_events"


def test_where_only_the_day_is_known_nothing_of_that_day_is_out_of_order():
    opened = fact("opened", 10)
    midnight = -9  # the day of T0 begins nine hours before it
    same_day = fold([opened, fact("replied", midnight, day_precision=True)])
    assert (reasons(same_day), same_day.first_response_at) == ([], at(midnight))
    day_before = fold([opened, fact("replied", midnight - 24, day_precision=True)])
    assert reasons(day_before) == ["before_opening"]
    closed_that_day = fact("closed", midnight, day_precision=True)
    assert reasons(fold([fact("opened", -1), closed_that_day, fact("replied", 14)])) == []
    assert reasons(fold([fact("opened", -1), closed_that_day, fact("replied", 16)])) == ["after_closing"]


def test_an_end_is_no_limit_for_a_fact_of_the_same_day():
    withdrawn = [fact("opened", 0), fact("withdrawn", 5)]
    assert reasons(fold([*withdrawn, fact("replied", -9, day_precision=True)])) == []
    assert reasons(fold([*withdrawn, fact("replied", 15, day_precision=True)])) == ["after_ending"]


def test_waiting_or_closing_twice_counts_from_the_first_time():
    assert case_of("opened 0, waiting_customer 1, waiting_customer 2").current.waiting_since == at(1)
    closed = case_of("opened 0, closed 1, closed 20, replied 10")
    assert (closed.closed_at, closed.settled_at) == (at(1), at(1))
    assert reasons(closed) == ["after_closing"]


def test_at_one_moment_the_order_of_handling_decides():
    names = ["reopened", "closed", "remedied", "replied", "acknowledged", "opened"]
    case = fold([fact(name, 0) for name in names])
    assert (case.reopened_count, case.state, case.anomalies) == (1, CaseState.OPEN, ())


CASE_EVENTS = [kind for kind in EventType if kind.startswith("case.")]
_said = st.fixed_dictionaries(
    {},
    optional={
        "severity": st.sampled_from(["sev1", "sev4", "bad"]),
        "location": st.sampled_from(["kyiv", "lviv"]),
        "channel": st.sampled_from(["call", "chat"]),
        "cause": st.sampled_from(["staff", "external"]),
        "human": st.booleans(),
        "due_at": st.sampled_from(["2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z", "soon"]),
        "attributes": st.dictionaries(st.sampled_from("ab"), st.integers(0, 3)),
    },
)


@st.composite
def histories(draw) -> list[StoredEvent]:
    """Up to twelve facts, some at one moment, some by day, some revised, some retracted."""
    events = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from([*CASE_EVENTS, EventType.CASE_OPENED, EventType.EVENT_RETRACTED]))
        said = draw(_said)
        if kind is EventType.EVENT_RETRACTED:
            said = {"event": f"e{draw(st.integers(0, 12))}"}
        thing = draw(st.sampled_from([None, None, None, "x", "y"]))
        envelope = {"object": thing, "version": Decimal(draw(st.integers(1, 3))) if thing else None}
        hours = draw(st.sampled_from([0, 1, 2, 24, 15 * 24, 16 * 24]))
        day = draw(st.sampled_from([False, False, True]))
        events.append(fact(kind.value, hours, said, id=f"e{number}", day_precision=day, **envelope))
    return events


@given(events=histories(), data=st.data())
def test_any_order_any_repetition_and_any_time_of_arrival_give_the_same_case(events, data):
    shuffled = data.draw(st.permutations(events + events[:3]))
    arrived = [replace(e, position=n, recorded_at=at(1000 + n)) for n, e in enumerate(shuffled)]
    assert fold(arrived) == fold(events)


def test_every_order_of_one_journey_gives_the_same_case():
    journey = "opened 0, acknowledged 1, promised 2, remedied 3, closed 4, reopened 5"
    events = [fact(*item.split()[:1], float(item.split()[1])) for item in journey.split(", ")]
    assert {repr(fold(order)) for order in itertools.permutations(events)} == {repr(fold(events))}


@given(events=histories())
def test_whatever_is_told_the_parts_of_a_case_agree(events):
    case = fold(events)
    assert (case.ended_as is None) is (case.ended_at is None)
    assert case.is_opened is not ("awaiting_opening" in reasons(case) or "retracted" in reasons(case))
    assert (case.state is CaseState.AWAITING_OPENING) <= (not case.is_opened)
    for before, after in itertools.pairwise(case.cycles):
        assert after.steps[Step.RECEIVED] == after.started_at
        assert {Step.CLOSED, Step.REMEDIED, Step.DECLINED} & set(
            before.steps
        ) or EventType.CASE_WITHDRAWN in {event.type for event in events}


@given(
    hours=st.lists(st.tuples(st.sampled_from(["acknowledged", "replied", "remedied"]), st.integers(-5, 5)))
)
def test_each_step_has_its_earliest_time(hours):
    case = fold([fact("opened", 0), *(fact(name, hour) for name, hour in hours)])
    steps = {"acknowledged": Step.THANKED, "replied": Step.REPLIED, "remedied": Step.REMEDIED}
    for name, step in steps.items():
        times = [at(hour) for told, hour in hours if told == name]
        assert case.steps.get(step) == min(times, default=None)
    early = {(name, hour) for name, hour in hours if hour < 0}
    assert reasons(case) == ["before_opening"] * len(early)


def test_a_time_kept_in_a_fact_is_read_only_with_its_zone():
    assert moment_of("2026-11-22T12:00:00+02:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert moment_of(datetime(2026, 11, 22, tzinfo=UTC)) == datetime(2026, 11, 22, tzinfo=UTC)
    for unreadable in (None, "", "soon", "2026-11-22T12:00:00", 1790000000, datetime(2026, 11, 22)):
        assert moment_of(unreadable) is None


# Commands ---------------------------------------------------------------------------------------------------

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
        ("opened 0, remedied 1", "promise", DUE, "already_remedied"),
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
    assert set(CASE_EVENTS) - set(COMMANDS.values()) == {
        EventType.CASE_OPENED,
        EventType.CASE_CUSTOMER_CONTACTED,
    }
