"""The default policy against the table of domain.md 6.2: every timer by severity, on every subject."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.events import EventType
from app.domain.sla import ClockEvent, ClockReading, ClockState, announcements, plan_timers, read_plan

from .builders import OFFICE, PRESET, an_event, at

BEGIN = "2026-03-04 10:00"  # a Wednesday, one hour after the office opens
DUE_BY_SEVERITY = [
    ("acknowledge", "03-04 10:15", "03-04 11:00", "03-04 14:00", "03-05 10:00"),
    ("first_response", "03-04 11:00", "03-04 14:00", "03-05 10:00", "03-06 10:00"),
    ("review_reply", "03-04 11:00", "03-04 14:00", "03-05 10:00", "03-07 10:00"),
    ("apology", "03-04 11:00", "03-04 14:00", "03-05 10:00", None),
    ("promise", "03-04 14:00", "03-05 10:00", "03-06 10:00", "03-09 10:00"),
    ("remedy", "03-05 10:00", "03-09 10:00", "03-11 10:00", "03-18 10:00"),
    ("progress_update", "03-04 14:00", "03-05 10:00", "03-06 10:00", "03-11 10:00"),
    ("compensation", "03-06 10:00", "03-11 10:00", "03-18 10:00", "03-18 10:00"),
    ("systemic_fix", "03-11 10:00", "03-18 10:00", "04-03 10:00", "06-02 10:00"),
    ("inform_improvement", "03-05 10:00", "03-06 10:00", "03-09 10:00", "03-11 10:00"),
    ("resurvey", "03-06 10:00", "03-06 10:00", "03-06 10:00", "03-06 10:00"),
    ("staff_debrief", "03-06 10:00", "03-09 10:00", "03-11 10:00", "03-18 10:00"),
    ("debrief_check", "03-18 10:00", "03-18 10:00", "03-18 10:00", "03-18 10:00"),
    ("review_verification", "03-11 10:00", "03-11 10:00", "03-11 10:00", "03-11 10:00"),
    ("feedback_offer", "03-04 10:20", "03-04 10:20", "03-04 10:20", "03-04 10:20"),
    ("delay_notice", "03-04 11:00", "03-04 11:00", "03-04 11:00", "03-04 11:00"),
    ("order_silence", "03-07 10:00", "03-07 10:00", "03-07 10:00", "03-07 10:00"),
]
STARTS = {
    "review_reply": ("review", "review.published"),
    "compensation": ("case", "compensation.approved"),
    "systemic_fix": ("action", "corrective_action.opened"),
    "inform_improvement": ("case", "case.improvement_deployed"),
    "resurvey": ("case", "case.remedied"),
    "staff_debrief": ("debrief", "debrief.opened"),
    "debrief_check": ("debrief", "debrief.held"),
    "review_verification": ("case", "case.verification_requested"),
    "feedback_offer": ("interaction", "interaction.ended"),
    "delay_notice": ("order", "order.delay_predicted"),
    "order_silence": ("order", "order.status_changed"),
}


def readings(
    subject: str, events: list[ClockEvent], as_of: datetime, **facts: Any
) -> dict[str, tuple[ClockReading, ...]]:
    """Every timer of the preset that these events give a subject."""
    plans = plan_timers(PRESET, {"subject": subject, **facts}, events, OFFICE)
    return {plan.key: read_plan(plan, events, as_of) for plan in plans}


@pytest.mark.parametrize("row", DUE_BY_SEVERITY, ids=lambda row: str(row[0]))
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_each_timer_of_the_table_is_due_when_it_says(row: tuple[str | None, ...], number: int) -> None:
    key, due = str(row[0]), row[number]
    subject, start = STARTS.get(key, ("case", "case.opened"))
    began = an_event(start, BEGIN, action="a-1", compensation="c-1")
    known = readings(subject, [began], began.occurred_at, severity=f"sev{number}", customer_facing=True)
    assert [reading.due_at for reading in known.get(key, ())] == ([at(f"2026-{due}")] if due else [])


def test_the_table_has_no_timer_that_the_test_leaves_out() -> None:
    tested = {str(row[0]) for row in DUE_BY_SEVERITY} | {"promise_kept", "given_due", "customer_silence"}
    assert {timer.key for timer in PRESET.timers()} == tested


def test_a_delay_is_told_within_the_hour_but_before_the_promised_time() -> None:
    promised = an_event("order.promised", "2026-03-01 09:00", promised_at="2026-03-04T10:25:00+00:00")
    predicted = an_event("order.delay_predicted", BEGIN)
    (reading,) = readings("order", [promised, predicted], at(BEGIN))["delay_notice"]
    assert reading.due_at == at("2026-03-04 10:25")
    (told,) = announcements(reading, [], at(BEGIN))
    assert (told.event_type, told.at) == (EventType.DELAY_NOTICE_DUE, at(BEGIN))
    told_customer = an_event("customer.notified", "2026-03-04 10:20")
    (met,) = readings("order", [promised, predicted, told_customer], at("2026-03-05 10:00"))["delay_notice"]
    assert met.state is ClockState.MET


def test_a_delay_of_less_than_two_hours_is_no_reason_for_a_notice() -> None:
    promised = an_event("order.promised", "2026-03-01 09:00", promised_at="2026-03-04T12:00:00+02:00")
    times = ("2026-03-04T13:59:59+02:00", "2026-03-04T14:00:00+02:00", "2026-03-04", "soon", None)
    known = []
    for due_at in times:
        predicted = an_event("order.delay_predicted", "2026-03-04 09:00", due_at=due_at)
        known.append(
            bool(readings("order", [promised, predicted], at("2026-03-04 09:30")).get("delay_notice"))
        )
    assert known == [False, True, True, True, True]
    unpromised = an_event("order.delay_predicted", "2026-03-04 09:00", due_at=times[0])
    assert readings("order", [unpromised], at("2026-03-04 09:30"))["delay_notice"]


def test_a_delay_that_grows_is_told_from_when_it_is_two_hours() -> None:
    promised = an_event("order.promised", "2026-03-01 09:00", promised_at="2026-03-04T15:00:00Z")
    short = an_event("order.delay_predicted", "2026-03-04 09:00", due_at="2026-03-04T16:00:00Z")
    longer = an_event("order.delay_predicted", "2026-03-04 11:00", due_at="2026-03-04T18:00:00Z")
    (reading,) = readings("order", [promised, short, longer], at("2026-03-04 11:30"))["delay_notice"]
    assert (reading.started_at, reading.due_at) == (at("2026-03-04 11:00"), at("2026-03-04 12:00"))


def test_an_order_that_says_nothing_for_three_days_is_silent_until_it_is_delivered() -> None:
    events = [
        an_event("order.promised", "2026-03-01 10:00"),
        an_event("order.status_changed", "2026-03-03 10:00"),
        an_event("order.delivered", "2026-03-08 10:00"),
    ]
    first, second = readings("order", events, at("2026-03-30 10:00"))["order_silence"]
    assert (first.state, second.breached_at) == (ClockState.MET, at("2026-03-06 10:00"))


def test_each_compensation_of_a_case_has_its_own_time() -> None:
    events = [
        an_event("case.opened", BEGIN),
        an_event("compensation.approved", BEGIN, compensation="voucher"),
        an_event("compensation.approved", "2026-03-05 10:00", compensation="refund"),
        an_event("compensation.delivered", "2026-03-05 12:00", compensation="refund"),
    ]
    states = [reading.state for reading in readings("case", events, at("2026-04-30 10:00"))["compensation"]]
    assert states == [ClockState.BREACHED, ClockState.MET]


def test_every_customer_is_told_of_each_improvement_that_he_caused() -> None:
    events = [an_event("case.opened", BEGIN)]
    events += [an_event("case.improvement_deployed", BEGIN, action=name) for name in ("a-1", "a-2")]
    events.append(an_event("case.improvement_informed", "2026-03-04 12:00", action="a-2"))
    known = readings("case", events, at("2026-03-05 10:00"))["inform_improvement"]
    assert sorted(reading.state.value for reading in known) == ["met", "running"]


def test_six_steps_of_a_debrief_in_any_order_hold_it_and_a_repeated_one_counts_once() -> None:
    names = ["discuss", "show", "show", "support", "point_out", "ask_why", "make_sure"]
    steps = [
        an_event("debrief.step_done", at(BEGIN) + timedelta(minutes=number), step=name)
        for number, name in enumerate(names)
    ]
    opened = an_event("debrief.opened", BEGIN)
    (five,) = readings("debrief", [opened, *steps[:-1]], at("2026-03-04 12:00"))["staff_debrief"]
    (six,) = readings("debrief", [opened, *steps], at("2026-03-04 12:00"))["staff_debrief"]
    assert (five.state, six.state) == (ClockState.RUNNING, ClockState.MET)


def test_a_customer_is_asked_again_between_one_and_two_days_after_each_remedy() -> None:
    events = [
        an_event("case.opened", "2026-03-01 10:00"),
        an_event("case.remedied", "2026-03-02 10:00"),
        an_event("survey.started", "2026-03-02 12:00"),
        an_event("case.reopened", "2026-03-03 09:00"),
        an_event("case.remedied", "2026-03-05 10:00"),
        an_event("survey.started", "2026-03-06 12:00"),
    ]
    first, second = readings("case", events, at("2026-03-30 10:00"))["resurvey"]
    assert (first.state, [a.reason for a in first.anomalies]) == (ClockState.CANCELLED, ["stopped_too_early"])
    assert (second.started_at, second.state) == (at("2026-03-05 10:00"), ClockState.MET)


def test_ten_working_days_of_waiting_for_the_customer_run_out_with_a_notice_before() -> None:
    events = [an_event("case.opened", BEGIN), an_event("case.waiting_customer", BEGIN)]
    (silent,) = readings("case", events, at("2026-03-19 10:00"))["customer_silence"]
    assert (silent.breached_at, [mark.percent for mark in silent.warnings]) == (at("2026-03-18 10:00"), [80])
    events.append(an_event("case.customer_contacted", "2026-03-10 10:00"))
    (answered,) = readings("case", events, at("2026-03-19 10:00"))["customer_silence"]
    assert answered.state is ClockState.MET


def test_an_unanswered_review_and_a_removed_one() -> None:
    published = an_event("review.published", BEGIN)
    (reading,) = readings("review", [published], at("2026-03-06 10:00"))["review_reply"]
    assert EventType.REVIEW_UNANSWERED in {
        told.event_type for told in announcements(reading, [], reading.as_of)
    }
    removed = an_event("review.removed", "2026-03-04 11:00")
    (gone,) = readings("review", [published, removed], at("2026-03-06 10:00"))["review_reply"]
    assert gone.state is ClockState.CANCELLED
