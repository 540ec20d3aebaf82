"""A case folded from its events: its state, its cycles, and the facts that do not fit."""

import pytest

from app.domain.case import CaseState, fold
from app.domain.playbook import Step

from .builders import FULL, at, case_of, fact, reasons


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
