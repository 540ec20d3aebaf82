"""What every implementation got wrong: one named test for each row of the list."""

from __future__ import annotations

import pytest

from app.domain.sla import (
    ClockState,
    IntervalKind,
    intervals,
    read_plan,
)

from .builders import (
    DAY,
    KYIV,
    LADDER,
    OPENED,
    PAUSABLE,
    RESUMES,
    WAITS,
    a_timer,
    an_event,
    at,
    changed,
    office,
    one,
)


def test_5c_1_opened_on_a_holiday_with_a_pause_the_due_time_counts_from_the_next_opening() -> None:
    kyiv = office(KYIV, ("2026-03-09",))
    timer = a_timer(
        stop=["case.remedied"], due={"duration": {"business_hours": 4}}, pause=["waiting_customer"]
    )
    events = [
        an_event("case.opened", "2026-03-09 11:00", KYIV),
        an_event("case.waiting_customer", "2026-03-09 12:00", KYIV),
        an_event("case.resumed", "2026-03-10 10:00", KYIV),
    ]
    # Holiday hours were never counted, so only 09:00-10:00 of the pause is left out.
    assert one(timer, kyiv, events, at("2026-03-10 10:00", KYIV)).due_at == at("2026-03-10 14:00", KYIV)


def test_5c_2_a_pending_state_does_not_breach() -> None:
    assert one(PAUSABLE, DAY, [OPENED, WAITS], at("2027-03-04 00:00")).state is ClockState.PAUSED


@pytest.mark.parametrize("since", ["2026-03-04 10:30", "2026-03-04 12:30"])
def test_5c_3_a_severity_change_during_or_after_a_pause_keeps_the_pause(since: str) -> None:
    (reading,) = read_plan(changed(4, since), [OPENED, WAITS, RESUMES], at("2026-03-04 12:40"))
    assert (reading.due_at, reading.paused_seconds) == (at("2026-03-04 16:00"), 2 * 3600)


def test_5c_4_a_change_of_group_does_not_touch_the_clock() -> None:
    assigned = an_event("case.assigned", "2026-03-04 10:59", assignee="team-b")
    as_of = at("2026-03-04 10:59")
    with_change = one(a_timer(), DAY, [OPENED, assigned], as_of)
    assert with_change.due_at == one(a_timer(), DAY, [OPENED], as_of).due_at


def test_5c_5_a_warning_before_the_deadline_falls_into_working_time_of_a_split_day() -> None:
    timer = a_timer(due={"duration": {"business_hours": 1}}, warnings=[{"before": "PT40M"}])
    friday = an_event("case.opened", "2026-03-06 17:30")
    reading = one(timer, office(), [friday], at("2026-03-06 17:30"))
    assert [mark.at for mark in reading.warnings] == [at("2026-03-06 17:50")]


def test_5c_6_a_reminder_waits_for_working_hours_or_is_left_out_after_the_due_time() -> None:
    night = an_event("case.opened", "2026-03-05 20:00")
    timer = a_timer(due={"duration": "PT16H"}, warnings=[50, 90], notice_hours="working")
    reading = one(timer, office(), [night], at("2026-03-05 20:00"))
    assert [(mark.at, mark.notice_at) for mark in reading.warnings] == [
        (at("2026-03-06 04:00"), at("2026-03-06 09:00")),
        (at("2026-03-06 10:24"), at("2026-03-06 10:24")),
    ]
    over_night = a_timer(due={"duration": "PT8H"}, warnings=[50], notice_hours="working")
    assert one(over_night, office(), [night], at("2026-03-05 20:00")).warnings == ()


@pytest.mark.parametrize(
    ("opened", "due"),
    [("2026-03-27 17:00", "2026-03-30 12:00"), ("2026-10-23 17:00", "2026-10-26 12:00")],
)
def test_5c_8_business_time_over_a_clock_change_is_right_to_the_minute(opened: str, due: str) -> None:
    timer = a_timer(due={"duration": {"business_hours": 4}})
    event = an_event("case.opened", opened, "Europe/Berlin")
    reading = one(timer, office("Europe/Berlin"), [event], event.occurred_at)
    assert reading.due_at == at(due, "Europe/Berlin")


def test_5c_9_a_holiday_is_not_working_time_and_is_called_so() -> None:
    timer = a_timer(due={"duration": {"business_hours": 4}})
    friday = an_event("case.opened", "2026-03-06 17:00", KYIV)
    reading = one(timer, office(KYIV, ("2026-03-09",)), [friday], at("2026-03-10 10:00", KYIV))
    assert [(i.kind, i.to_at) for i in intervals(reading)] == [
        (IntervalKind.COUNTED, at("2026-03-06 18:00", KYIV)),
        (IntervalKind.OUT_OF_HOURS, at("2026-03-09 00:00", KYIV)),
        (IntervalKind.HOLIDAY, at("2026-03-10 00:00", KYIV)),
        (IntervalKind.OUT_OF_HOURS, at("2026-03-10 09:00", KYIV)),
        (IntervalKind.COUNTED, at("2026-03-10 10:00", KYIV)),
    ]


def test_5c_10_a_reply_outside_the_schedule_stops_the_clock_with_what_was_counted() -> None:
    timer = a_timer(due={"duration": {"business_hours": 4}})
    replied = an_event("case.replied", "2026-03-07 12:00")
    reading = one(
        timer, office(), [an_event("case.opened", "2026-03-06 17:00"), replied], at("2026-03-09 00:00")
    )
    assert (reading.state, reading.consumed_seconds) == (ClockState.MET, 3600)


def test_5c_11_the_breach_is_the_first_instant_that_fits_not_a_later_window() -> None:
    timer = a_timer(due={"duration": {"business_hours": 4}})
    reading = one(timer, office(), [an_event("case.opened", "2026-03-06 14:00")], at("2026-03-12 00:00"))
    assert reading.breached_at == at("2026-03-06 18:00")


def test_5c_13_a_merged_case_does_not_escalate() -> None:
    merged = an_event("case.merged", "2026-03-04 10:30", into="other")
    reading = one(a_timer(escalation=LADDER), DAY, [OPENED, merged], at("2026-03-09 00:00"))
    assert (reading.state, reading.escalations, reading.next_at) == (ClockState.CANCELLED, (), None)


def test_5c_13_a_merged_case_does_not_escalate_under_a_policy_that_lists_its_own_endings() -> None:
    timer = a_timer(cancel=["case.closed"], escalation=LADDER, clock_kind="statutory")
    merged = an_event("case.merged", "2026-03-04 10:30", into="other")
    reading = one(timer, DAY, [OPENED, merged], at("2026-03-09 00:00"))
    assert (reading.state, reading.cancelled_by) == ("cancelled", "case.merged")
    assert not reading.escalations


def test_5c_14_the_time_used_until_the_close_is_always_known() -> None:
    timer = a_timer(stop=["case.closed"])
    reading = one(timer, DAY, [OPENED, an_event("case.closed", "2026-03-04 10:25")], at("2026-03-09 00:00"))
    assert reading.consumed_seconds == 25 * 60


def test_5c_15_a_case_opened_from_another_has_its_whole_time() -> None:
    copy = an_event("case.opened", "2026-03-04 10:50", of="first")
    assert one(a_timer(), DAY, [copy], at("2026-03-04 10:55")).remaining_seconds == 55 * 60


def test_5c_16_the_zone_of_the_writer_does_not_fail_a_new_case() -> None:
    local = an_event("case.opened", "2026-03-04 10:00", "America/New_York")
    timer = a_timer(due={"duration": {"business_hours": 4}})
    reading = one(timer, office("America/New_York"), [local], local.occurred_at)
    assert (reading.state, reading.remaining_seconds) == (ClockState.RUNNING, 4 * 3600)


def test_5c_17_a_customer_who_answers_ends_the_waiting_though_nobody_resumed() -> None:
    answered = an_event("case.customer_contacted", "2026-03-04 10:30")
    reading = one(PAUSABLE, DAY, [OPENED, WAITS, answered], at("2026-03-04 12:00"))
    assert (reading.paused_seconds, reading.state) == (10 * 60, ClockState.BREACHED)
    unasked = one(PAUSABLE, DAY, [OPENED, answered], at("2026-03-04 10:40"))
    assert unasked.anomalies == ()
