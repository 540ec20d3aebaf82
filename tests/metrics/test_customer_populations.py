"""Customers after a complaint: whether they are content, come back, speak again."""

from __future__ import annotations

from datetime import timedelta

from tests.metrics.conftest import Ask
from tests.metrics.world import NOON, Answer, World, several

HOUR = timedelta(hours=1)


OPENED = NOON - timedelta(days=5)


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
