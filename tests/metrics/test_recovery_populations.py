"""Vectors I and R through the query: rows in, published digits out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.metrics.conftest import Ask
from tests.metrics.world import NOON, Answer, World, several

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


async def test_vector_i_through_the_query(world: World, ask: Ask) -> None:
    for measure in ("staff", "office", "recommend"):
        act = Answer(1, scale="button_3", measure=measure, mode="staff_prompted", location="kyiv")
        counts = {1: (122, 2), -1: (16, 6), 0: (8, 0), None: (40, 2)}
        rows = []
        for value, (plain, excused) in counts.items():
            one = Answer(**{**vars_of(act), "value": value, "silent": value is None})
            rows += several(plain, one)
            rows += several(excused, Answer(**{**vars_of(one), "force_majeure": "confirmed"}))
        rows += several(4, Answer(**{**vars_of(act), "qualification": "invalid"}))
        await world.commit(*rows)
    await world.count("visitors", 500, location="kyiv")
    await world.count("transactions", 90, location="kyiv")
    staff = [{"dimension": "question", "values": ["staff"]}]
    [row] = (await ask("ink_personal", group_by=["location"])).rows
    digits = [row[f"ink_personal{part}"] for part in ("", "_ci_low", "_ci_high", "_n", "_k")]
    assert digits == [19.35, 14.76, 23.95, 186, 0.5]
    assert (row["ink_personal_at_k0"], row["ink_personal_at_k1"]) == (8.6, 30.11)
    assert (row["location"], row["collection_mode"]) == ("kyiv", "staff_prompted")
    # none of the four answers that the expert checked was credible
    assert row["ink_personal_status"] == "unreliable"
    assert row["ink_personal_reasons"][0] == "no_coverage_threshold"
    assert "reliability_positive_below_90" in row["ink_personal_reasons"]
    audited = (await ask("ink_office", "iel", "iel_2013", report_type="audit")).rows
    assert [row["fm_level"] for row in audited] == [5.1]  # nobody asked for it
    [row] = (await ask("ink_office", "iel", "iel_2013")).rows
    assert "fm_level" not in row
    assert (row["ink_office"], row["iel"], row["iel_2013"]) == (19.35, 41.33, 66.23)
    beside = ("fm_level", "negative_per_contact")
    [row] = (await ask(*beside)).rows
    assert [row[name] for name in beside] == [5.1, 11.22]
    beside = ("negative_per_visitor", "negative_per_transaction")
    [row] = (await ask(*beside, group_by=["location"])).rows
    assert [row[name] for name in beside] == [4.4, 24.44]
    conversions = ("coverage", "precise_conversion", "surveys_per_transaction", "raw_conversion")
    [row] = (await ask(*conversions)).rows
    assert row["coverage_survey_acts"] == 3 * 196  # one act asks one key question; here three were asked
    [row] = (await ask("survey_acts", "silent")).rows
    assert (row["survey_acts"], row["silent"]) == (588, 126)
    [row] = (await ask("iel", filters=staff)).rows
    assert row["iel"] is None


def vars_of(answer: Answer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in Answer.__dataclass_fields__ if name != "answer_id"}


async def test_a_customer_whose_complaint_was_solved_is_compared_with_the_untroubled(
    world: World, ask: Ask
) -> None:
    solved, waiting, calm = (bytes([n]) for n in range(3))
    await world.case(OPENED, customer_ref=solved, remedied_at=OPENED + HOUR)
    await world.case(OPENED, customer_ref=waiting)
    csat = {"scale": "csat_1_5", "at": NOON}
    await world.commit(
        *several(40, Answer(5, customer=solved, **csat)),
        *several(40, Answer(2, customer=waiting, **csat)),
        *several(20, Answer(5, customer=calm, **csat)),
        *several(20, Answer(3, customer=calm, **csat)),
        Answer(1, scale="csat_1_5", at=OPENED - HOUR, customer=solved),  # before the complaint: untroubled
        Answer(1, scale="csat_1_5", at=NOON),  # who said it is unknown
    )
    [row] = (await ask("paradox_delta", "resolved_delta")).rows
    assert row["paradox_delta"] == round(100 * (1 - 20 / 41), 2)
    assert (row["paradox_delta_n"], row["paradox_delta_other_n"], row["paradox_delta_reasons"]) == (
        40,
        41,
        ["shown"],
    )
    assert (row["resolved_delta"], row["resolved_delta_other_n"]) == (100.0, 40)


async def test_the_paradox_is_asked_of_nps_and_of_who_comes_back(world: World, ask: Ask) -> None:
    # business: solved 9 9 9 0, calm 9 0; private: solved 9, calm 9 9 9 9 0 0 -> NPS 60 and 25
    solved, calm = ([bytes([side, n]) for n in range(8)] for side in (1, 2))
    for customer in solved:
        await world.case(OPENED - HOUR, customer_ref=customer, remedied_at=OPENED)
    told = [
        *((solved[n], "business", value) for n, value in enumerate((9, 9, 9, 0))),
        (solved[4], "private", 9),
        *((calm[n], "business", value) for n, value in enumerate((9, 0))),
        *((calm[n + 2], "private", value) for n, value in enumerate((9, 9, 9, 9, 0, 0))),
    ]
    await world.commit(*(Answer(value, NOON, customer=who, segment=part) for who, part, value in told))
    for customer in (*solved[:3], *calm[:2]):
        await world.event("transaction.completed", NOON + HOUR, customer=customer)
    await world.event("customer.returned", NOON + timedelta(days=91), customer=calm[2])  # too late
    gone = await world.event("customer.returned", NOON + HOUR, customer=calm[3])
    await world.event("event.retracted", NOON + HOUR, event_id=str(gone))
    later = NOON + timedelta(days=100)
    nps, back = "paradox_delta_nps", "paradox_delta_return"
    [by_nps], [by_return] = [(await ask(name, now=later)).rows for name in (nps, back)]
    row = {**by_nps, **by_return}
    assert (row[nps], row[f"{nps}_n"], row[f"{nps}_other_nps"], row[f"{nps}_other_n"]) == (35.0, 5, 25.0, 8)
    # within segments: business 50 - 0 (weight 4*2/6), private 100 - 33.33 (weight 1*6/7)
    weighed = (50 * 8 / 6 + 200 / 3 * 6 / 7) / (8 / 6 + 6 / 7)
    assert (row[f"{nps}_stratified"], row[f"{nps}_strata"]) == (round(weighed, 2), 2)
    assert (row[back], row[f"{back}_top"], row[f"{back}_other_share"]) == (35.0, 3, 25.0)
    [early] = (await ask(back, now=NOON + timedelta(days=89))).rows
    assert early[f"{back}_n"] == 0  # the 90 days are not over


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


async def test_loyal_are_those_who_recommend_or_come_back(world: World, ask: Ask) -> None:
    promoter, buyer, member, gone = (bytes([n]) for n in range(4))
    for customer in (promoter, buyer, member, gone):
        await world.case(OPENED, customer_ref=customer, remedied_at=OPENED + HOUR)
    await world.case(OPENED, remedied_at=OPENED + HOUR)  # nobody known
    await world.commit(Answer(9, customer=promoter), Answer(8, customer=gone))
    await world.event("transaction.completed", NOON, customer=buyer)
    await world.event("transaction.completed", OPENED, customer=gone)  # before the resolution
    await world.event("customer.enrolled", NOON, customer=member)
    await world.event("customer.enrolled", OPENED, customer=gone)
    [row] = (await ask("loyalty_conversion")).rows
    names = ("_n", "_promoters", "_repurchased", "_joined")
    assert [row[f"loyalty_conversion{name}"] for name in names] == [4, 1, 1, 1]


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


async def test_answered_customers_speak_again(world: World, ask: Ask) -> None:
    long_ago = NOON - timedelta(days=250)
    period = {"from": "2025-01-01", "to": "2026-04-01"}
    for number in range(10):
        customer = bytes([number])
        answered = long_ago + HOUR if number < 5 else None
        await world.case(long_ago, customer_ref=customer, first_response_at=answered)
        if number in (0, 1, 2, 3, 7, 8):
            await world.commit(Answer(9, at=long_ago + timedelta(days=30), customer=customer))
    await world.case(NOON, customer_ref=b"young")
    [row] = (await ask("repeat_feedback_ratio", period=period)).rows
    assert (row["repeat_feedback_ratio"], row["repeat_feedback_ratio_n"]) == (2.0, 10)


async def test_channels_weigh_the_same_and_silence_is_no_channel(world: World, ask: Ask) -> None:
    await world.commit(
        *several(90, Answer(10, channel="kiosk")),
        *several(10, Answer(0, channel="kiosk")),
        *several(5, Answer(10, channel="chat")),
        *several(5, Answer(0, channel="chat")),
        *several(2, Answer(0, channel="app")),
    )
    [row] = (await ask("happiness_equal_channels")).rows
    assert (row["happiness_equal_channels"], row["happiness_equal_channels_channels"]) == (70.0, 2)
    assert row["happiness_equal_channels_reasons"] == ["channels_left_out"]
    [row] = (await ask("happiness", "happiness_net")).rows
    assert (row["happiness"], row["happiness_net"]) == (84.82, 69.64)


async def test_latent_dissatisfaction_counts_only_what_nobody_asked_for(world: World, ask: Ask) -> None:
    await world.commit(
        *several(12, Answer(1, mode="passive")),
        *several(9, Answer(1, mode="invited")),
        *several(3, Answer(9, mode="scraped")),
    )
    [row] = (await ask("latent_negatives")).rows
    shown = [row[f"latent_negatives{part}"] for part in ("", "_ci_low", "_ci_high", "_observed")]
    assert shown == [240, 24, 240, 12]
