"""Every form of a due time: given, by calendar rule, earliest of several, moved, in a window, by day."""

from __future__ import annotations

from app.domain.sla import (
    ClockState,
    read,
)

from .builders import (
    DAY,
    KYIV,
    OPENED,
    a_timer,
    an_event,
    at,
    office,
    one,
    reasons,
)


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
