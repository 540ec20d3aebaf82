"""A few days of cases, merges, orders, reviews and answers as chance makes them, for all readers alike."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from tests.metrics.world import Answer, World


def _a_tuesday() -> date:
    """In the middle of a month, more than 195 days ago: half a year is over, and the backlog reaches it."""
    day = datetime.now(UTC).date() - timedelta(days=200)
    while day.weekday() != 1 or not 8 <= day.day <= 20:
        day -= timedelta(days=1)
    return day


DAY = _a_tuesday()
FIRST = datetime.combine(DAY, time(0), UTC)
PLACE = ("channel", "touchpoint", "location")
HOUR = timedelta(hours=1)
HALF_YEAR = timedelta(days=190)


async def make_history(world: World, chance: Random) -> None:
    """All of it; times are long past, so that half years are over."""
    await world.terms({"voice_rates": {"low": 0.1, "high": 0.5}})
    await world.rename("till", "desk")
    await world.rename("desk", "checkout")
    for n in range(40):
        told = {"customer": bytes([200 + n]), "at": _at(chance) + 30 * HOUR, **_place(chance)}
        untroubled = Answer(chance.randint(3, 5), scale="csat_1_5", **told)
        await world.commit(untroubled, Answer(chance.randint(6, 10), **told))
    stars = (1, 2, 3, 4, 5) * 6
    whole = [
        Answer(score, FIRST, "csat_1_5", "journey_overall", **_place(Random(n)))
        for n, score in enumerate(stars)
    ]
    await world.commit(*whole)
    for kind, count in (("interactions", 7), ("transactions", 40)):
        await world.count(kind, count, FIRST, **_place(Random(1)))
    await _merges(world, chance, [await _case(world, chance) for _ in range(110)])
    for _ in range(20):
        await _order(world, chance)
    for _ in range(20):
        await _review(world, chance)
        await world.event(
            "rating.displayed",
            _at(chance),
            source="maps",
            count=chance.randint(1, 90),
            rating=chance.choice([3.9, 4.2, 4.5]),
            location=chance.choice(["kyiv", "kyiv", "lviv"]),
            channel="web",
            touchpoint=chance.choice(["checkout", "till"]),
        )


async def _merges(world: World, chance: Random, cases: list[UUID]) -> None:
    """Chains of three, of which the first went on in the second for some hours; and merges taken back."""
    for first, second, third in zip(cases[:12], cases[12:24], cases[24:36], strict=True):
        once = FIRST + chance.randint(1, 25) * HOUR
        again = once + chance.randint(1, 12) * HOUR
        await world.merge(first, second, after=once, until=again)
        await world.merge(first, third, after=again)
        await world.merge(second, third, after=again)
    for one, other in zip(cases[45:55], cases[55:65], strict=True):
        await world.merge(one, other, after=None)


def _at(chance: Random) -> datetime:
    return FIRST + timedelta(minutes=chance.randrange(20 * 60))


def _place(chance: Random) -> dict[str, str]:
    return {
        "channel": "web",
        "touchpoint": "checkout",
        "location": chance.choice(["kyiv", "lviv"]),
    }


async def _case(world: World, chance: Random) -> UUID:
    opened, place, customer = (
        _at(chance),
        _place(chance),
        chance.choice([None, *(bytes([n]) for n in range(40))]),
    )
    ended = [opened + chance.randint(1, 25) * HOUR for _ in range(3)]
    steps: list[dict[str, Any]] = []
    again = chance.random() < 0.2
    if again:
        first, second = sorted(ended[:2])
        steps = [
            {"started_at": opened.isoformat(), "steps": {"remedied": first.isoformat()}},
            {
                "started_at": (first + HOUR).isoformat(),
                "steps": {"closed": second.isoformat()} if second > first + HOUR else {},
            },
        ]
    case_id = await world.case(
        opened,
        state=chance.choice(["open", "closed", "closed", "awaiting_opening"]),
        customer_facing=chance.random() < 0.8,
        customer_ref=customer,
        cause=chance.choice([None, "staff", "price"]),
        first_response_at=chance.choice(
            [*[opened + chance.randint(1, 300) * timedelta(minutes=7)] * 15, *[opened + HALF_YEAR] * 4, None]
        ),
        remedied_at=None if again else chance.choice([None, *[ended[0]] * 24]),
        closed_at=chance.choice([None, ended[1]]),
        ended_at=chance.choice([None] * 5 + [ended[2]]),
        reopened_count=int(again),
        steps=steps,
        promised_due_at=chance.choice([None, ended[2]]),
        deviations=_deviations(chance, opened),
        **place,
    )
    about = ("case", case_id)
    for kind in ("customer_contacted", "escalated"):
        if chance.random() < 0.15:
            await world.event(f"case.{kind}", opened + HOUR, about)
    if chance.random() < 0.6:
        outcome = chance.choice(["upheld", "rejected", "goodwill"])
        told = await world.event("case.closed", ended[1], about, outcome=outcome)
        if chance.random() < 0.2:
            await world.event("event.retracted", ended[1], event_id=str(told))
    if chance.random() < 0.4:
        spent_abroad = "UAH" if place["location"] == "kyiv" else "EUR"
        money = {
            "amount": str(chance.randint(1, 90)),
            "currency": chance.choice(["UAH", "UAH", spent_abroad]),
        }
        for kind in chance.sample(["offered", "approved", "delivered", "rejected", "recovered"], 3):
            await world.event(f"compensation.{kind}", opened + HOUR, about, **money)
    for _ in range(chance.choice([0, 1, 1, 2])):
        scale, measure = chance.choice([("csat_1_7", "resurvey"), *[("csat_1_5", "csat")] * 3])
        heard = opened + chance.choice([4, 8, 22, 30, 40, 40]) * HOUR
        answer = Answer(
            chance.randint(1, 5), heard, scale, measure, customer=customer, silent=chance.random() < 0.2,
            case_id=chance.choice([None, case_id, case_id, case_id]),
            mode=chance.choice(["invited", "invited", "passive"]), **place,
        )  # fmt: skip
        await world.commit(answer, Answer(chance.randint(7, 10), heard, customer=customer, **place))
    if customer is not None and chance.random() < 0.3:
        told = await world.event("customer.returned", opened + 30 * HOUR, customer=customer)
        if chance.random() < 0.3:
            await world.event("event.retracted", ended[1], event_id=str(told))
    if customer is not None and chance.random() < 0.1:
        await world.event("customer.enrolled", opened + chance.choice([1, 30]) * HOUR, customer=customer)
    for _ in range(chance.randint(0, 2)):
        due = opened + chance.randint(1, 60) * HOUR
        await world.timer(
            due,
            timer=uuid4().hex,
            subject_id=case_id,
            started_at=opened,
            breaches_after=chance.choice([None, due + 9 * HOUR]),
            stopped_at=chance.choice([None, due, due + 5 * HOUR, due + 20 * HOUR]),
            state=chance.choice(["running", "running", "paused"]),
            **place,
        )
    return case_id


def _deviations(chance: Random, opened: datetime) -> list[dict[str, Any]]:
    """Some failed again, some missed a promise only, of some it is not yet so."""
    triggers = ("repeat_negative", "second_complaint", "promise_missed", "compensation_late", "reopened")
    failed = chance.choice([opened + 3 * HOUR] * 5 + [datetime(2999, 1, 1, tzinfo=UTC)])
    return [{"trigger": trigger, "at": failed.isoformat()} for trigger in triggers if chance.random() < 0.08]


async def _order(world: World, chance: Random) -> None:
    about, promised, place = ("order", uuid4()), _at(chance), _place(chance)
    place["touchpoint"] = chance.choice(["checkout", "till", "desk"])
    await world.event("order.promised", promised - 9 * HOUR, about, promised_at=promised.isoformat(), **place)
    for kind in ("order.delivered", "order.delay_predicted", "customer.notified", "interaction.ended"):
        if chance.random() < 0.6:
            await world.event(kind, promised + chance.randint(-8, 8) * HOUR, about, **place)
    visit = ("interaction", uuid4())
    await world.commit(Answer(chance.randint(0, 10), promised, subject=visit, **place))


async def _review(world: World, chance: Random) -> None:
    review = uuid4()
    await world.commit(
        Answer(
            chance.randint(1, 5), _at(chance), "stars_1_5", kind="review", mode="scraped",
            subject=("review", review), **_place(chance),
        )
    )  # fmt: skip
    if chance.random() < 0.6:
        human = chance.choice([{}, {"human": True}, {"human": False}])
        await world.event("review.replied", _at(chance), ("review", review), **human)
    if chance.random() < 0.6:
        due = _at(chance)
        stopped = chance.choice([None, None, due])
        await world.timer(due, subject_id=review, subject_kind="review", stopped_at=stopped)
