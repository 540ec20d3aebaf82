"""Warnings, escalations and the next instant to look."""

from __future__ import annotations

from datetime import timedelta

from .builders import (
    DAY,
    LADDER,
    OPENED,
    a_timer,
    an_event,
    at,
    office,
    one,
)


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
        at("2026-03-04 11:00") + tick,
        at("2026-03-04 11:30"),
        at("2026-03-04 12:00"),
    ]


def test_a_fact_dated_ahead_is_a_reason_to_look_again() -> None:
    ahead = an_event("case.replied", "2026-03-04 10:04")
    assert one(a_timer(), DAY, [OPENED, ahead], at("2026-03-04 10:01")).next_at == ahead.occurred_at
