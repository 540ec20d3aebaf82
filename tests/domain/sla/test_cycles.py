"""Cycles: reopening in its three modes, repetition while open, one cycle per customer."""

from __future__ import annotations

from app.domain.sla import (
    ClockState,
    explain,
    read,
)

from .builders import (
    DAY,
    OPENED,
    a_timer,
    an_event,
    at,
    one,
)

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
    assert {reading.cycle: reading.concerns for reading in readings} == {
        deployed[0].event_id: "a", deployed[1].event_id: "b",
    }  # fmt: skip
    assert {explain(reading).split(" runs")[0] for reading in readings} == {
        "reply of customer a", "reply of customer b",
    }  # fmt: skip
