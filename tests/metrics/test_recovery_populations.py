"""Vectors I and R through the query: rows in, published digits out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.metrics.conftest import Ask
from tests.metrics.world import NOON, Answer, World

HOUR = timedelta(hours=1)
OPENED = NOON - timedelta(days=5)


def steps(*cycles: tuple[datetime, dict[str, datetime]]) -> list[dict[str, Any]]:
    """The cycles of a case as its projection writes them."""
    return [
        {"started_at": at.isoformat(), "steps": {name: when.isoformat() for name, when in done.items()}}
        for at, done in cycles
    ]


async def vector_r(world: World) -> None:
    """C01-C10 of domain.md 5, each opened so that as_of = NOON sees the stated ages."""
    # first response minutes, resolved hours, contacts, reopened, re-survey csat, net compensation
    closed = [
        (10, 2, 1, False, 5, 0),
        (30, 5, 2, False, 4, 20),
        (70, 5, 1, False, 4, 0),
        (15, 8, 3, True, 2, 50),
        (200, 20, 2, False, None, 0),
        (45, 30, 4, False, 3, 100),
    ]
    for minutes, hours, contacts, reopened, csat, paid in closed:
        resolved = OPENED + hours * HOUR
        first, again = OPENED + 3 * HOUR, OPENED + 4 * HOUR
        case_id = await world.case(
            OPENED,
            first_response_at=OPENED + timedelta(minutes=minutes),
            remedied_at=resolved,
            reopened_count=int(reopened),
            steps=steps((OPENED, {"remedied": first}), (again, {"remedied": resolved})) if reopened else [],
        )
        await world.timer(OPENED + 24 * HOUR, subject_id=case_id, started_at=OPENED, stopped_at=resolved)
        for _ in range(contacts - 1):
            await world.event("case.customer_contacted", OPENED + HOUR, ("case", case_id))
        answer = Answer(csat, resolved + HOUR, "csat_1_5", "resurvey", case_id=case_id, silent=csat is None)
        await world.commit(answer)
        if paid:
            await world.event("compensation.offered", OPENED, ("case", case_id), amount=str(paid))
            await world.event("compensation.approved", OPENED + HOUR, ("case", case_id))
    for age, minutes in ((10, 20), (24, None), (40, 300), (60, None)):
        opened = NOON - age * HOUR
        answered = None if minutes is None else opened + timedelta(minutes=minutes)
        case_id = await world.case(opened, first_response_at=answered)
        await world.timer(opened + 24 * HOUR, subject_id=case_id, started_at=opened)


R_METRICS = (
    "resolution_median", "resolution_p90", "first_response_median", "first_response_p90", "unanswered_share",
    "backlog_age_median", "backlog_age_p90", "cases_outstanding", "reopen_rate", "fcr", "recovery_rate",
    "double_deviation_rate", "cost_per_resolved", "cost_per_compensated", "sla_attainment_cases",
    "fcr_confirmed", "unanswered_overdue_share",
)  # fmt: skip


async def test_vector_r_through_the_query(world: World, ask: Ask) -> None:
    await vector_r(world)
    [row] = (await ask(*R_METRICS, as_of=NOON.isoformat())).rows
    shown = {name: row[name] for name in R_METRICS}
    assert shown == {
        "resolution_median": 20.0,
        "resolution_p90": None,
        "first_response_median": 45.0,
        "first_response_p90": None,
        "unanswered_share": 20.0,
        "backlog_age_median": 32.0,
        "backlog_age_p90": 54.0,
        "cases_outstanding": 4,
        "reopen_rate": 16.67,
        "fcr": 33.33,
        "recovery_rate": 60.0,
        "double_deviation_rate": 20.0,
        "cost_per_resolved": 28.33,
        "cost_per_compensated": 56.67,
        "sla_attainment_cases": 62.5,
        "fcr_confirmed": 40.0,  # C01 and C03 of the five who answered
        "unanswered_overdue_share": 10.0,  # C10; C08 stands exactly at its deadline
    }
    assert (row["resolution_median_naive"], row["resolution_p90_naive"]) == (6.5, 25.0)
    assert (row["first_response_median_naive"], row["first_response_p90_naive"]) == (37.5, 230.0)
    assert row["resolution_p90_reasons"] == ["not_reached"]
    assert (row["backlog_age_median_overdue"], row["backlog_age_median_max_age"]) == (2, 60.0)
    assert (row["recovery_rate_ci_low"], row["recovery_rate_ci_high"]) == (23.07, 88.24)
    assert (row["recovery_rate_bound_low"], row["recovery_rate_bound_high"]) == (50.0, 66.67)
    assert row["sla_attainment_cases_pending"] == 2
    assert row["reopen_rate_reasons"] == ["provisional"]


def deviation(trigger: str, at: datetime) -> dict[str, str]:
    return {"trigger": trigger, "cycle": str(uuid4()), "at": at.isoformat()}


async def test_a_complaint_about_the_handling_is_a_failed_remedy_without_any_answer(
    world: World, ask: Ask
) -> None:
    for _ in range(6):
        again = [deviation("second_complaint", OPENED + 5 * HOUR)]
        await world.case(OPENED, remedied_at=OPENED + HOUR, deviations=again)
    for _ in range(2):
        case_id = await world.case(OPENED, remedied_at=OPENED + HOUR)
        await world.commit(Answer(5, OPENED + 2 * HOUR, "csat_1_5", "resurvey", case_id=case_id))
    [row] = (await ask("double_deviation_rate", as_of=NOON.isoformat())).rows
    shown = [row[f"double_deviation_rate{part}"] for part in ("", "_n", "_failed")]
    assert shown == [75.0, 8, 6]
    # nobody had complained of it by then
    [row] = (await ask("double_deviation_rate", as_of=(OPENED + 4 * HOUR).isoformat())).rows
    assert (row["double_deviation_rate_n"], row["double_deviation_rate_failed"]) == (2, 0)


async def test_a_missed_promise_is_told_apart_from_a_failed_remedy(world: World, ask: Ask) -> None:
    for trigger in ("promise_missed", "compensation_late"):
        broken = [deviation(trigger, OPENED + 2 * HOUR)]
        promised = OPENED + HOUR if trigger == "promise_missed" else None
        case_id = await world.case(
            OPENED, remedied_at=OPENED + 2 * HOUR, promised_due_at=promised, deviations=broken
        )
        # what subscribers were told of it is no second count
        await world.event("case.double_deviation", OPENED + 2 * HOUR, ("case", case_id), triggers=[trigger])
        await world.commit(Answer(5, NOON, "csat_1_5", "resurvey", case_id=case_id))
    [row] = (await ask("double_deviation_rate", as_of=NOON.isoformat())).rows
    names = ("_n", "_failed", "_promise_missed")
    assert [row[f"double_deviation_rate{name}"] for name in names] == [2, 0, 2]


async def test_a_case_stands_as_it_stood_then(world: World, ask: Ask) -> None:
    # resolved at +3 h, reopened at +4 h, resolved for good at +8 h
    await world.case(
        OPENED,
        remedied_at=OPENED + 8 * HOUR,
        reopened_count=1,
        steps=steps(
            (OPENED, {"remedied": OPENED + 3 * HOUR}), (OPENED + 4 * HOUR, {"remedied": OPENED + 8 * HOUR})
        ),
    )
    for hours, outstanding, reopened in ((2, 1, None), (3.5, None, 0), (5, 1, 1), (9, None, 1)):
        as_of = (OPENED + hours * HOUR).isoformat()
        [row] = (await ask("cases_outstanding", "reopen_rate", as_of=as_of)).rows
        assert (row["cases_outstanding"], row["reopen_rate_reopened"]) == (outstanding, reopened), hours


async def test_a_case_that_a_bad_answer_reopened_is_no_recovery(world: World, ask: Ask) -> None:
    for number, said in enumerate((5, 5, 4, 4, 2, 1)):
        again = said < 3
        cycles = [(OPENED, {"remedied": OPENED + HOUR}), *([(OPENED + 3 * HOUR, {})] if again else [])]
        case_id = await world.case(
            OPENED + timedelta(seconds=number),
            remedied_at=None if again else OPENED + HOUR,
            reopened_count=int(again),
            steps=steps(*cycles),
        )
        await world.commit(Answer(said, OPENED + 2 * HOUR, "csat_1_5", "resurvey", case_id=case_id))
    [row] = (await ask("recovery_rate", "double_deviation_rate", as_of=NOON.isoformat())).rows
    assert (row["recovery_rate"], row["recovery_rate_n"]) == (66.67, 6)
    assert (row["double_deviation_rate"], row["double_deviation_rate_n"]) == (33.33, 6)


async def test_who_complains_of_the_handling_was_failed_again_without_a_survey(
    world: World, ask: Ask
) -> None:
    def deviation(trigger: str, hours: int) -> dict[str, Any]:
        return {"trigger": trigger, "at": (OPENED + hours * HOUR).isoformat()}

    for told in (
        [deviation("second_complaint", 2)],
        [deviation("repeat_negative", 2), deviation("promise_missed", 3)],
        [deviation("second_complaint", 24 * 4)],
        [deviation("compensation_late", 3)],
        [],
    ):
        await world.case(OPENED, remedied_at=OPENED + HOUR, deviations=told)
    name = "double_deviation_rate"
    parts = (f"{name}_n", f"{name}_failed", f"{name}_promise_missed")
    [row] = (await ask(name, as_of=NOON.isoformat())).rows
    assert [row[part] for part in parts] == [3, 3, 2]  # a promise alone is told apart
    [early] = (await ask(name, as_of=(OPENED + 5 * HOUR).isoformat())).rows
    assert [early[part] for part in parts] == [2, 2, 2]


async def test_orders_are_late_and_told(world: World, ask: Ask) -> None:
    def order() -> tuple[str, Any]:
        return "order", uuid4()

    early, punctual, late, later, told = (order() for _ in range(5))
    silent = order()
    for subject in (early, punctual, late, later, told, silent):
        promised = NOON.isoformat()
        await world.event("order.promised", OPENED, subject, promised_at=promised, location="kyiv")
    for subject, hours in ((early, -2), (punctual, 0), (late, 1), (later, 3), (told, 5)):
        await world.event("order.delivered", NOON + hours * HOUR, subject)
    for subject in (later, told):
        await world.event("order.delay_predicted", NOON - 5 * HOUR, subject)
        await world.event("customer.notified", NOON - 4 * HOUR, subject)
    await world.event("interaction.ended", NOON - 6 * HOUR, later)  # asked before we told
    metrics = ("late_share", "expectation_gap_median", "proactive_notice_rate")
    [row] = (await ask(*metrics, group_by=["location"])).rows
    assert (row["late_share_late"], row["late_share_n"]) == (4, 6)
    assert (row["expectation_gap_median"], row["expectation_gap_median_n"]) == (1.0, 5)
    assert (row["proactive_notice_rate_told_first"], row["proactive_notice_rate_n"]) == (1, 4)


async def test_the_lines_of_a_regulators_return(world: World, ask: Ask) -> None:
    for days, outcome in ((10, "upheld"), (40, "rejected"), (80, "goodwill"), (28, None)):
        case_id = await world.case(NOON - timedelta(days=days), closed_at=NOON)
        if outcome:
            await world.event("case.decision_communicated", NOON, ("case", case_id), outcome=outcome)
        await world.event("compensation.delivered", NOON, ("case", case_id), amount=10, currency="UAH")
        await world.event("compensation.recovered", NOON, ("case", case_id), amount="2.5", currency="UAH")
    lines = ("cases_closed", "closed_within_4_weeks", "closed_within_8_weeks", "closed_after_8_weeks")
    [row] = (await ask(*lines, "upheld_share", "redress_paid")).rows
    assert [row[name] for name in lines] == [4, 2, 1, 1]
    assert (row["upheld_share_upheld"], row["upheld_share_n"], row["redress_paid"]) == (2, 3, 30.0)


async def test_rejected_and_retracted_compensation_costs_nothing(world: World, ask: Ask) -> None:
    case_id = await world.case(OPENED, remedied_at=NOON)
    subject = ("case", case_id)
    await world.event("compensation.offered", OPENED, subject, amount="70", compensation="a")
    await world.event("compensation.rejected", OPENED, subject, compensation="a")
    taken_back = await world.event("compensation.delivered", OPENED, subject, amount="50", compensation="b")
    await world.event("event.retracted", NOON, subject, event_id=str(taken_back))
    await world.event("compensation.delivered", OPENED, subject, amount="5", compensation="c")
    [row] = (await ask("cost_per_resolved")).rows
    assert row["cost_per_resolved_spent"] == 5.0
