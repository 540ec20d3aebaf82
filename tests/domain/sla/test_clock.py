"""The clock: start, stop, pause, change, reopening, and each case that other systems got wrong."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from time import perf_counter

import pytest

from app.domain.sla import (
    ClockEvent,
    ClockState,
    IntervalKind,
    TimerPlan,
    TimerVersion,
    explain,
    intervals,
    read,
    read_plan,
)

from .builders import a_timer, an_event, around_the_clock, at, office, one

OPENED = an_event("case.opened", "2026-03-04 10:00")
KYIV = "Europe/Kyiv"
DAY = around_the_clock()


def reasons(reading: object) -> list[str]:
    return [anomaly.reason for anomaly in reading.anomalies]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("replied", "as_of", "state"),
    [
        (None, "2026-03-04 10:59", ClockState.RUNNING),
        (None, "2026-03-04 11:00", ClockState.RUNNING),
        (None, "2026-03-04 11:00:00.000001", ClockState.BREACHED),
        ("2026-03-04 11:00", "2026-03-04 12:00", ClockState.MET),
        ("2026-03-04 11:00:00.000001", "2026-03-04 12:00", ClockState.MET_LATE),
        ("2026-03-04 11:30", "2026-03-04 11:20", ClockState.BREACHED),
        ("2026-03-04 11:30", "2026-03-04 10:50", ClockState.RUNNING),
    ],
)
def test_a_breach_is_what_lies_after_the_due_time_and_equality_is_met(
    replied: str | None, as_of: str, state: ClockState
) -> None:
    events = [OPENED, *([an_event("case.replied", replied)] if replied else [])]
    reading = one(a_timer(), DAY, events, at(as_of))
    assert reading.state is state
    assert reading.due_at == at("2026-03-04 11:00")
    assert reading.is_breached == (state in (ClockState.BREACHED, ClockState.MET_LATE))


def test_a_breach_is_dated_by_the_deadline_and_a_late_stop_is_kept() -> None:
    replied = an_event("case.replied", "2026-03-04 13:30")
    reading = one(a_timer(), DAY, [OPENED, replied], at("2026-03-05 00:00"))
    assert reading.state is ClockState.MET_LATE
    assert reading.breached_at == reading.fell_due_at == at("2026-03-04 11:00")
    assert (reading.stopped_at, reading.stopped_by) == (replied.occurred_at, replied.event_id)
    assert reading.consumed_seconds == 3.5 * 3600
    assert reading.late_seconds == 2.5 * 3600
    assert reading.remaining_seconds == -2.5 * 3600


def test_without_a_start_there_is_no_reading() -> None:
    assert read(a_timer(), DAY, [an_event("case.replied", "2026-03-04 10:00")], at("2026-03-05 00:00")) == ()


def test_a_start_dated_ahead_is_pending_and_looked_at_when_it_comes() -> None:
    reading = one(a_timer(), DAY, [OPENED], at("2026-03-04 09:58"))
    assert reading.state is ClockState.PENDING
    assert reading.next_at == OPENED.occurred_at


def test_a_stop_before_its_start_is_met_with_nothing_consumed_and_noted() -> None:
    replied = an_event("case.replied", "2026-03-04 09:50")
    reading = one(a_timer(), DAY, [OPENED, replied], at("2026-03-09 00:00"))
    assert (reading.state, reading.consumed_seconds) == (ClockState.MET, 0)
    assert reasons(reading) == ["stop_before_start"]


def test_a_start_and_a_stop_at_one_instant_are_met_and_nothing_is_odd() -> None:
    replied = an_event("case.replied", OPENED.occurred_at)
    reading = one(a_timer(), DAY, [replied, OPENED], at("2026-03-09 00:00"))
    assert (reading.state, reading.consumed_seconds, reading.anomalies) == (ClockState.MET, 0, ())


def test_an_automatic_reply_does_not_satisfy_a_timer_that_wants_a_human() -> None:
    automatic = an_event("case.replied", "2026-03-04 10:01", human=False)
    personal = an_event("case.replied", "2026-03-04 10:40")
    as_of = at("2026-03-04 10:50")
    assert one(a_timer(human_only=True), DAY, [OPENED, automatic], as_of).state is ClockState.RUNNING
    assert (
        one(a_timer(human_only=True), DAY, [OPENED, automatic, personal], as_of).stopped_by
        == personal.event_id
    )
    assert one(a_timer(), DAY, [OPENED, automatic], as_of).state is ClockState.MET


@pytest.mark.parametrize("kind", ["withdrawn", "marked_duplicate", "marked_invalid", "merged", "closed"])
def test_what_ends_a_case_cancels_its_running_timers_but_not_its_breaches(kind: str) -> None:
    before = an_event(f"case.{kind}", "2026-03-04 10:30")
    after = an_event(f"case.{kind}", "2026-03-04 11:30")
    cancelled = one(a_timer(), DAY, [OPENED, before], at("2026-03-09 00:00"))
    assert (cancelled.state, cancelled.cancelled_by) == (ClockState.CANCELLED, f"case.{kind}")
    assert cancelled.next_at is None
    assert not cancelled.is_breached
    breached = one(a_timer(), DAY, [OPENED, after], at("2026-03-09 00:00"))
    assert (breached.state, breached.cancelled_at) == (ClockState.BREACHED, after.occurred_at)
    assert not breached.is_open


def test_closing_a_case_does_not_end_a_statutory_clock() -> None:
    closed = an_event("case.closed", "2026-03-04 10:30")
    reading = one(a_timer(clock_kind="statutory"), DAY, [OPENED, closed], at("2026-03-04 12:00"))
    assert (reading.state, reading.is_open) == (ClockState.BREACHED, True)


def test_a_statutory_clock_counts_from_the_earliest_receipt_of_merged_cases() -> None:
    earlier = at("2026-03-04 09:30")
    as_of = at("2026-03-04 10:45")
    (statutory,) = read(a_timer(clock_kind="statutory"), DAY, [OPENED], as_of, received_at=earlier)
    (internal,) = read(a_timer(), DAY, [OPENED], as_of, received_at=earlier)
    assert (statutory.state, statutory.started_at) == (ClockState.BREACHED, earlier)
    assert (internal.state, internal.started_at) == (ClockState.RUNNING, OPENED.occurred_at)


# --- pauses -----------------------------------------------------------------------------------------

PAUSABLE = a_timer(stop=["case.remedied"], pause=["waiting_customer"])
WAITS = an_event("case.waiting_customer", "2026-03-04 10:20")
RESUMES = an_event("case.resumed", "2026-03-04 12:20")


def test_a_pause_holds_the_due_time_open_and_a_resumption_moves_it() -> None:
    paused = one(PAUSABLE, DAY, [OPENED, WAITS], at("2026-03-09 00:00"))
    assert (paused.state, paused.due_at, paused.next_at) == (ClockState.PAUSED, None, None)
    assert (paused.consumed_seconds, paused.remaining_seconds) == (20 * 60, 40 * 60)
    resumed = one(PAUSABLE, DAY, [OPENED, WAITS, RESUMES], at("2026-03-04 12:30"))
    assert (resumed.state, resumed.due_at) == (ClockState.RUNNING, at("2026-03-04 13:00"))
    assert resumed.paused_seconds == 2 * 3600


def test_a_pause_after_the_due_time_undoes_nothing() -> None:
    late = an_event("case.waiting_customer", "2026-03-04 11:00:01")
    reading = one(PAUSABLE, DAY, [OPENED, late], at("2026-03-09 00:00"))
    assert (reading.state, reading.breached_at) == (ClockState.BREACHED, at("2026-03-04 11:00"))


def test_a_pause_at_the_due_instant_comes_too_late_to_move_it() -> None:
    on_time = an_event("case.waiting_customer", "2026-03-04 11:00")
    assert one(PAUSABLE, DAY, [OPENED, on_time], at("2026-03-09 00:00")).state is ClockState.BREACHED


def test_a_remedy_during_a_pause_is_met() -> None:
    remedied = an_event("case.remedied", "2026-03-06 10:00")
    reading = one(PAUSABLE, DAY, [OPENED, WAITS, remedied], at("2026-03-09 00:00"))
    assert (reading.state, reading.consumed_seconds) == (ClockState.MET, 20 * 60)
    assert reading.due_at is not None


def test_unbalanced_pauses_are_counted_once_and_noted() -> None:
    again = an_event("case.waiting_customer", "2026-03-04 10:40")
    twice = an_event("case.resumed", "2026-03-04 12:40")
    reading = one(PAUSABLE, DAY, [OPENED, WAITS, again, RESUMES, twice], at("2026-03-04 12:50"))
    assert reading.paused_seconds == 2 * 3600
    assert reasons(reading) == ["pause_while_paused", "resume_without_pause"]


def test_two_kinds_of_pause_that_overlap_are_one_stretch() -> None:
    timer = a_timer(
        stop=["case.remedied"],
        pause=["waiting_customer", {"start": ["case.escalated"], "stop": ["case.assigned"]}],
    )
    events = [
        OPENED,
        an_event("case.waiting_customer", "2026-03-04 10:10"),
        an_event("case.escalated", "2026-03-04 10:20"),
        an_event("case.resumed", "2026-03-04 10:30"),
        an_event("case.assigned", "2026-03-04 10:40"),
    ]
    reading = one(timer, DAY, events, at("2026-03-04 10:50"))
    assert reading.paused_seconds == 30 * 60
    assert reading.due_at == at("2026-03-04 11:30")


def test_a_pause_that_began_before_the_start_counts_from_the_start() -> None:
    early = an_event("case.waiting_customer", "2026-03-04 09:00")
    reading = one(PAUSABLE, DAY, [early, OPENED], at("2026-03-04 12:00"))
    assert (reading.state, reading.consumed_seconds) == (ClockState.PAUSED, 0)


# --- other due times --------------------------------------------------------------------------------


def test_a_due_time_given_by_the_event_is_taken_and_without_one_there_is_no_timer() -> None:
    timer = a_timer(due={"from_event": "due_at"})
    given = an_event("case.opened", "2026-03-04 10:00", due_at="2026-03-05T08:00:00+02:00")
    reading = one(timer, DAY, [given], at("2026-03-04 12:00"))
    assert reading.due_at == at("2026-03-05 06:00")
    assert reading.target_seconds == 20 * 3600
    assert read(timer, DAY, [OPENED], at("2026-03-04 12:00")) == ()
    rubbish = an_event("case.opened", "2026-03-04 10:00", due_at="soon")
    assert read(timer, DAY, [rubbish], at("2026-03-04 12:00")) == ()


def test_a_due_date_without_a_time_means_the_end_of_that_local_day() -> None:
    given = an_event("case.opened", "2026-03-04 10:00", due_at="2026-03-05")
    reading = one(a_timer(due={"from_event": "due_at"}), office(KYIV), [given], at("2026-03-04 12:00"))
    assert reading.due_at == at("2026-03-06 00:00", KYIV)


def test_a_due_time_before_the_start_is_breached_from_the_start() -> None:
    given = an_event("case.opened", "2026-03-04 10:00", due_at="2026-03-03T00:00:00Z")
    timer = a_timer(
        due={"from_event": "due_at"}, warnings=[75], escalation=[{"percent": 100, "to": "manager"}]
    )
    reading = one(timer, DAY, [given], at("2026-03-04 10:00"))
    assert (reading.state, reading.breach_reason) == (ClockState.BREACHED, "due_before_start")
    assert (reading.breached_at, reading.fell_due_at) == (at("2026-03-03 00:00"), OPENED.occurred_at)
    assert [mark.at for mark in reading.escalations] == [OPENED.occurred_at]


def test_the_close_of_the_third_business_day_is_a_due_time() -> None:
    timer = a_timer(due={"calendar_rule": {"close_of_business_day": 3}})
    reading = one(timer, office(KYIV, ("2026-03-09",)), [OPENED], at("2026-03-05 00:00"))
    assert reading.due_at == at("2026-03-10 18:00", KYIV)


def test_the_end_of_the_thirtieth_day_is_a_local_midnight_over_a_clock_change() -> None:
    timer = a_timer(due={"calendar_rule": {"end_of_day": 30}})
    reading = one(timer, office(KYIV), [OPENED], at("2026-03-05 00:00"))
    assert reading.due_at == at("2026-04-04 00:00", KYIV)


def test_the_earliest_of_several_due_times_holds() -> None:
    timer = a_timer(
        subject="order",
        start=["order.delay_predicted"],
        stop=["customer.notified"],
        due={"min_of": [{"duration": "PT1H"}, {"from_event": "promised_at"}]},
    )
    soon = an_event("order.delay_predicted", "2026-03-04 10:00", promised_at="2026-03-04T10:20:00Z")
    far = an_event("order.delay_predicted", "2026-03-04 10:00", promised_at="2026-03-04T20:20:00Z")
    none = an_event("order.delay_predicted", "2026-03-04 10:00")
    dues = [one(timer, DAY, [event], at("2026-03-04 10:01")).due_at for event in (soon, far, none)]
    assert dues == [at("2026-03-04 10:20"), at("2026-03-04 11:00"), at("2026-03-04 11:00")]


def test_a_holding_response_moves_the_deadline_only_while_it_is_not_missed() -> None:
    timer = a_timer(
        stop=["case.closed"],
        due={"duration": {"business_days": 15}},
        clock_kind="statutory",
        alternatives=[
            {
                "event": "case.replied",
                "when": {"holding": True},
                "moves_to": {"duration": {"business_days": 35}},
            }
        ],
    )
    holding = an_event("case.replied", "2026-03-20 10:00", holding=True)
    other = an_event("case.replied", "2026-03-20 10:00")
    late = an_event("case.replied", "2026-03-26 10:00", holding=True)
    as_of = at("2026-03-27 00:00")
    assert one(timer, office(), [OPENED, holding], as_of).due_at == at("2026-04-22 10:00")
    assert one(timer, office(), [OPENED, other], as_of).due_at == at("2026-03-25 10:00")
    missed = one(timer, office(), [OPENED, late], as_of)
    assert (missed.state, missed.due_at) == (ClockState.BREACHED, at("2026-03-25 10:00"))


def test_an_alternative_without_a_move_stops_the_timer() -> None:
    timer = a_timer(alternatives=[{"event": "case.apologised"}])
    reading = one(
        timer, DAY, [OPENED, an_event("case.apologised", "2026-03-04 10:30")], at("2026-03-05 00:00")
    )
    assert reading.state is ClockState.MET


def test_a_window_is_met_inside_and_not_by_what_comes_too_early() -> None:
    timer = a_timer(
        start=["case.remedied"],
        stop=["survey.started"],
        due=None,
        window={"not_before": "PT24H", "not_after": "PT48H"},
    )
    remedied = an_event("case.remedied", "2026-03-04 10:00")
    early = an_event("survey.started", "2026-03-05 09:59")
    right = an_event("survey.started", "2026-03-05 10:00")
    as_of = at("2026-03-06 10:00:01")
    missed = one(timer, DAY, [remedied, early], as_of)
    assert (missed.state, reasons(missed)) == (ClockState.BREACHED, ["stopped_too_early"])
    assert one(timer, DAY, [remedied, early, right], as_of).state is ClockState.MET


def test_a_day_precise_stop_is_judged_by_its_local_date() -> None:
    due_three_pm = a_timer(due={"duration": "PT5H"})
    that_day = an_event("case.replied", "2026-03-04 23:00", day_precision=True)
    next_day = an_event("case.replied", "2026-03-05 00:00", day_precision=True)
    as_of = at("2026-03-09 00:00")
    assert one(due_three_pm, DAY, [OPENED, that_day], as_of).state is ClockState.MET
    assert one(due_three_pm, DAY, [OPENED, next_day], as_of).state is ClockState.MET_LATE


def test_a_case_whose_opening_is_known_by_its_day_is_not_breached_within_the_day_it_is_due() -> None:
    opened = an_event("case.opened", "2026-03-04 00:00", day_precision=True)
    timer = a_timer(due={"duration": "P2D"})
    assert one(timer, DAY, [opened], at("2026-03-06 23:59")).state is ClockState.RUNNING
    breached = one(timer, DAY, [opened], at("2026-03-07 00:00:01"))
    assert (breached.breached_at, breached.fell_due_at) == (at("2026-03-06 00:00"), at("2026-03-07 00:00"))


# --- cycles -----------------------------------------------------------------------------------------

REMEDIED = an_event("case.remedied", "2026-03-04 10:40")
REOPENED = an_event("case.reopened", "2026-03-05 10:00")


def test_a_reopening_starts_a_cycle_with_half_the_target() -> None:
    timer = a_timer(stop=["case.remedied"], reopen={"mode": "new_cycle", "target_factor": 0.5})
    first, second = read(timer, DAY, [OPENED, REMEDIED, REOPENED], at("2026-03-05 10:10"))
    assert (first.state, first.cycle) == (ClockState.MET, OPENED.event_id)
    assert (second.state, second.cycle, second.number) == (ClockState.RUNNING, REOPENED.event_id, 2)
    assert second.due_at == at("2026-03-05 10:30")


def test_in_first_resolution_mode_a_reopening_changes_nothing() -> None:
    timer = a_timer(stop=["case.remedied"], reopen={"mode": "first_resolution"})
    reading = one(timer, DAY, [OPENED, REMEDIED, REOPENED], at("2026-03-05 10:10"))
    assert reading.state is ClockState.MET


def test_in_total_resolution_mode_a_reopening_takes_the_stop_back() -> None:
    timer = a_timer(stop=["case.remedied"], due={"duration": "PT12H"}, reopen={"mode": "total_resolution"})
    reading = one(timer, DAY, [OPENED, REMEDIED, REOPENED], at("2026-03-05 10:10"))
    assert (reading.state, reading.cycle) == (ClockState.BREACHED, OPENED.event_id)
    assert (reading.breach_reason, reading.fell_due_at) == ("reopened", REOPENED.occurred_at)


def test_a_repeating_timer_runs_from_each_word_to_the_next_while_the_case_is_open() -> None:
    timer = a_timer(start=["case.opened", "case.replied"], stop=["case.replied"], repeat="while_open")
    events = [
        OPENED,
        an_event("case.replied", "2026-03-04 10:30"),
        an_event("case.replied", "2026-03-04 12:00"),
        an_event("case.closed", "2026-03-04 12:10"),
        an_event("case.replied", "2026-03-04 14:00"),
    ]
    states = [reading.state for reading in read(timer, DAY, events, at("2026-03-09 00:00"))]
    assert states == [ClockState.MET, ClockState.MET_LATE, ClockState.CANCELLED]


def test_each_customer_of_one_subject_has_a_cycle_of_their_own() -> None:
    timer = a_timer(
        subject="action",
        start=["corrective_action.deployed"],
        stop=["customer.notified"],
        correlate_by="customer",
    )
    deployed = [an_event("corrective_action.deployed", "2026-03-04 10:00", customer=name) for name in "ab"]
    told = an_event("customer.notified", "2026-03-04 10:30", customer="b")
    readings = read(timer, DAY, [*deployed, told], at("2026-03-04 10:40"))
    states = {reading.cycle: reading.state for reading in readings}
    assert states == {deployed[0].event_id: ClockState.RUNNING, deployed[1].event_id: ClockState.MET}


# --- changes of definition --------------------------------------------------------------------------


def changed(after_hours: float, since: str, first_hours: float = 8) -> TimerPlan:
    slow, fast = (
        a_timer(
            stop=["case.remedied"],
            due={"duration": {"hours": hours}, "clock": "elapsed"},
            pause=["waiting_customer"],
        )
        for hours in (first_hours, after_hours)
    )
    return TimerPlan(
        "reply", (TimerVersion(slow, DAY), TimerVersion(fast, DAY, at(since), "severity_change"))
    )


def test_a_change_counts_from_the_original_start() -> None:
    (reading,) = read_plan(changed(4, "2026-03-04 11:00"), [OPENED], at("2026-03-04 12:00"))
    assert (reading.due_at, reading.breach_reason) == (at("2026-03-04 14:00"), "")


def test_a_change_that_puts_the_due_time_into_the_past_breaches_by_the_change() -> None:
    plan = changed(1, "2026-03-04 13:00")
    (before,) = read_plan(plan, [OPENED], at("2026-03-04 12:59"))
    (after,) = read_plan(plan, [OPENED], at("2026-03-04 13:00"))
    assert before.state is ClockState.RUNNING
    assert (after.state, after.breach_reason) == (ClockState.BREACHED, "severity_change")
    assert (after.breached_at, after.fell_due_at) == (at("2026-03-04 11:00"), at("2026-03-04 13:00"))


def test_a_breach_that_stands_before_a_change_stays() -> None:
    (reading,) = read_plan(changed(24, "2026-03-04 12:00", first_hours=1), [OPENED], at("2026-03-04 12:30"))
    assert (reading.state, reading.due_at) == (ClockState.BREACHED, at("2026-03-04 11:00"))
    remedied = an_event("case.remedied", "2026-03-04 14:00")
    (stopped,) = read_plan(
        changed(24, "2026-03-04 12:00", first_hours=1), [OPENED, remedied], at("2026-03-05 00:00")
    )
    assert stopped.state is ClockState.MET_LATE


def test_a_change_at_the_very_due_time_acts_since_equality_is_no_breach() -> None:
    (reading,) = read_plan(changed(24, "2026-03-04 11:00", first_hours=1), [OPENED], at("2026-03-04 12:30"))
    assert (reading.state, reading.due_at) == (ClockState.RUNNING, at("2026-03-05 10:00"))


def test_a_cycle_that_had_ended_keeps_its_verdict() -> None:
    remedied = an_event("case.remedied", "2026-03-04 12:00")
    (reading,) = read_plan(changed(1, "2026-03-04 13:00"), [OPENED, remedied], at("2026-03-05 00:00"))
    assert (reading.state, reading.due_at) == (ClockState.MET, at("2026-03-04 18:00"))


def test_a_timer_that_a_change_takes_away_is_cancelled() -> None:
    plan = TimerPlan(
        "reply",
        (TimerVersion(a_timer(), DAY), TimerVersion(None, DAY, at("2026-03-04 10:30"), "severity_change")),
    )
    (reading,) = read_plan(plan, [OPENED], at("2026-03-05 00:00"))
    assert (reading.state, reading.cancelled_by) == (ClockState.CANCELLED, "severity_change")


def test_a_timer_that_a_change_brings_counts_from_the_opening_unless_it_was_done_by_then() -> None:
    plan = TimerPlan(
        "reply",
        (TimerVersion(None, DAY), TimerVersion(a_timer(), DAY, at("2026-03-04 10:30"), "severity_change")),
    )
    (reading,) = read_plan(plan, [OPENED], at("2026-03-04 10:40"))
    assert (reading.state, reading.due_at) == (ClockState.RUNNING, at("2026-03-04 11:00"))
    replied = an_event("case.replied", "2026-03-04 10:20")
    assert read_plan(plan, [OPENED, replied], at("2026-03-04 10:40")) == ()


# --- marks ------------------------------------------------------------------------------------------

LADDER = [
    {"percent": 100, "to": "assignee"},
    {"percent": 150, "to": "manager"},
    {"percent": 200, "to": "feedback_owner"},
]


def test_warnings_and_rungs_lie_on_the_timers_own_clock() -> None:
    timer = a_timer(
        due={"duration": {"business_hours": 4}}, warnings=[75, {"before": "PT30M"}], escalation=LADDER
    )
    friday = an_event("case.opened", "2026-03-06 15:00")
    reading = one(timer, office(), [friday], at("2026-03-06 15:00"))
    assert reading.due_at == at("2026-03-09 10:00")
    assert [(mark.at, mark.percent, mark.level) for mark in reading.warnings] == [
        (at("2026-03-06 18:00"), 75, 75),
        (at("2026-03-09 09:30"), 88, -1800),
    ]
    assert [(mark.at, mark.level, mark.to) for mark in reading.escalations] == [
        (at("2026-03-09 10:00"), 1, "assignee"),
        (at("2026-03-09 12:00"), 2, "manager"),
        (at("2026-03-09 14:00"), 3, "feedback_owner"),
    ]


def test_the_next_look_is_the_warning_then_the_breach_then_each_rung() -> None:
    timer = a_timer(warnings=[75], escalation=LADDER)
    looks = []
    now = OPENED.occurred_at
    while (following := one(timer, DAY, [OPENED], now).next_at) is not None:
        looks.append(following)
        now = following
    tick = timedelta(microseconds=1)
    assert looks == [
        at("2026-03-04 10:45"),
        at("2026-03-04 11:00"),
        at("2026-03-04 11:00") + tick,
        at("2026-03-04 11:30"),
        at("2026-03-04 12:00"),
    ]


def test_a_fact_dated_ahead_is_a_reason_to_look_again() -> None:
    ahead = an_event("case.replied", "2026-03-04 10:04")
    assert one(a_timer(), DAY, [OPENED, ahead], at("2026-03-04 10:01")).next_at == ahead.occurred_at


# --- what every implementation got wrong (anchors/mission.md, 5c) -----------------------------------


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


# --- numbers ----------------------------------------------------------------------------------------


def cohort(answers: list[float | None], ages: list[float], target: str, stop: str) -> list[ClockState]:
    """States of cases opened at one instant whose stop came after some minutes, or whose age is given."""
    states = []
    for answer, age in zip(answers, ages, strict=True):
        events = [OPENED]
        if answer is not None:
            events.append(an_event(stop, OPENED.occurred_at + timedelta(minutes=answer)))
        as_of = OPENED.occurred_at + timedelta(minutes=age)
        states.append(one(a_timer(stop=[stop], due={"duration": target}), DAY, events, as_of).state)
    return states


def attainment(states: list[ClockState]) -> float:
    met = states.count(ClockState.MET)
    return met / (met + states.count(ClockState.BREACHED) + states.count(ClockState.MET_LATE))


def test_vector_r_attainment_of_first_response_and_resolution() -> None:
    day = 24 * 60.0
    first = cohort(
        [10, 30, 70, 15, 200, 45, 20, None, 300, None],
        [5 * day] * 6 + [600.0, day, 2400.0, 3600.0],
        "PT1H",
        "case.replied",
    )
    assert attainment(first) == 5 / 10
    hours = [2, 5, 5, 8, 20, 30]
    resolved = cohort(
        [*(hour * 60.0 for hour in hours), None, None, None, None],
        [5 * day] * 6 + [600.0, day, 2400.0, 3600.0],
        "P1D",
        "case.remedied",
    )
    assert resolved.count(ClockState.MET) == 5
    assert resolved.count(ClockState.RUNNING) == 2  # C07, and C08 exactly at its due time
    assert attainment(resolved) == 0.625


def test_the_counted_intervals_make_what_was_consumed() -> None:
    timer = a_timer(
        stop=["case.remedied"], due={"duration": {"business_days": 5}}, pause=["waiting_customer"]
    )
    reading = one(timer, office(KYIV, ("2026-03-09",)), [OPENED, WAITS, RESUMES], at("2026-03-11 11:00"))
    stretches = intervals(reading)
    counted = sum((i.to_at - i.from_at).total_seconds() for i in stretches if i.kind is IntervalKind.COUNTED)
    paused = sum((i.to_at - i.from_at).total_seconds() for i in stretches if i.kind is IntervalKind.PAUSED)
    assert (counted, paused) == (reading.consumed_seconds, reading.paused_seconds)
    assert all(before.to_at == after.from_at for before, after in pairwise(stretches))


def test_an_explanation_names_the_calendar_the_due_time_and_the_pauses() -> None:
    timer = a_timer(
        stop=["case.remedied"], due={"duration": {"business_hours": 4}}, pause=["waiting_customer"]
    )
    reading = one(timer, office(KYIV), [OPENED, WAITS, RESUMES], at("2026-03-04 12:50"))
    assert explain(reading) == (
        "reply runs from Wed 2026-03-04 12:00:00 Europe/Kyiv. "
        "It is due Wed 2026-03-04 18:00:00 Europe/Kyiv: 4 h of working time of calendar 9x5 version 1, "
        "2 h of pauses left out. It is running: 50 min used, 3 h 10 min left."
    )


def test_a_case_open_for_ten_years_is_read_in_no_time() -> None:
    opened = an_event("case.opened", "2016-03-04 10:00")
    timer = a_timer(due={"duration": {"business_days": 5}}, warnings=[75], escalation=LADDER)
    events: list[ClockEvent] = [opened]
    one(timer, office(), events, at("2026-03-04 10:00"))
    calendar = office()
    began = perf_counter()
    for _ in range(100):
        one(timer, calendar, events, at("2026-03-04 10:00"))
    assert perf_counter() - began < 1
