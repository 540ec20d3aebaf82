"""Presses on one device less than 15 s apart are one, in whatever order they arrive and whoever counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import make_tenant
from tests.metrics.conftest import Ask
from tests.metrics.test_cuboids import both, fold_all
from tests.metrics.world import NOON, Answer, World

DAY = "cuboid_day_touchpoint_channel"
SHOWN = ("happiness", "responses", "feedback_count", "complaints")


def press(value: int, second: float, device: str | None = "d1", **columns: Any) -> Answer:
    return Answer(
        value,
        NOON + timedelta(seconds=second),
        "button_3",
        mode=columns.pop("mode", "passive"),
        channel="kiosk",
        device=device,
        **columns,
    )


async def presses(world: World, ask: Ask) -> tuple[int, int]:
    """(answers, items) of the month, the same from rows and from wherever the query is answered."""
    rows, _ = await both(world, ask, "responses", "feedback_count")
    return rows[0]["responses"], rows[0]["feedback_count"]


async def test_presses_less_than_15_seconds_apart_collapse_to_the_first(world: World, ask: Ask) -> None:
    await world.commit(press(1, 0), press(-1, 14.999), press(0, 15), press(-1, 30), press(1, 29))
    # 14.999 follows 0; 15 follows 14.999; 29 comes 14 s after 15; 30 comes 1 s after 29: only the first
    assert await presses(world, ask) == (1, 1)
    await world.commit(press(-1, 45))
    assert await presses(world, ask) == (2, 2)


@pytest.mark.parametrize(
    "other",
    [
        press(-1, 5, device="d2"),
        press(-1, 5, device=None),
        press(-1, 5, mode="staff_prompted"),
        press(-1, 15),
    ],
    ids=["another device", "no device", "asked by staff", "15 seconds later"],
)
async def test_what_is_no_echo_counts(world: World, ask: Ask, other: Answer) -> None:
    await world.commit(press(1, 0), other)
    assert await presses(world, ask) == (2, 2)


async def test_an_invalid_press_hides_none_and_a_retracted_one_hides_no_more(world: World, ask: Ask) -> None:
    first, second = press(1, 0), press(-1, 10)
    await world.commit(first, second, press(0, 100, qualification="invalid"), press(-1, 105))
    assert await presses(world, ask) == (2, 2)
    await fold_all(world)
    await world.commit(ended=[first.answer_id])  # in the tail: the second one stands now
    rows, source = await both(world, ask, "happiness", "responses")
    assert (source, rows[0]["responses"], rows[0]["happiness_positive"]) == (DAY, 2, 0)
    await fold_all(world)
    assert await presses(world, ask) == (2, 2)


async def test_a_press_that_arrives_late_takes_out_the_folded_echo(world: World, ask: Ask) -> None:
    await world.commit(press(-1, 10), press(-1, 40))
    await fold_all(world)
    await world.commit(press(1, 0))
    for _ in range(2):
        rows, source = await both(world, ask, "happiness", "responses", "feedback_count")
        shown = (rows[0]["responses"], rows[0]["feedback_count"], rows[0]["happiness_positive"])
        assert (source, *shown) == (DAY, 2, 2, 1)
        await fold_all(world)


async def test_other_people_of_the_same_device_name_are_another_tenants(
    world: World, ask: Ask, services
) -> None:
    stranger = World(world.database, (await make_tenant(services, "stranger")).tenant_id)
    await stranger.commit(press(1, 0))
    await world.commit(press(-1, 5))
    assert await presses(world, ask) == (1, 1)


async def test_a_posted_press_names_its_device_and_its_echo_is_kept_but_not_counted(client) -> None:
    def posted(number: int, second: int, value: int) -> dict[str, Any]:
        answer = {"question": "mood", "scale": "button_3", "value": value}
        data = {"channel": "kiosk", "device": "hall-1", "collection_mode": "passive", "answers": [answer]}
        at = f"2026-03-10T12:00:{second:02}Z"
        envelope = {"type": "feedback.received", "id": f"p{number}", "source": "kiosk", "occurred_at": at}
        return {**envelope, "data": data}

    answer = await client.post("/v1/events", json=[posted(2, 9, -1), posted(1, 0, 1), posted(3, 30, 1)])
    assert [result["status"] for result in answer.json()["results"]] == ["created"] * 3, answer.text
    kept = (await client.get("/v1/feedback")).json()["items"]
    assert [(item["device"], item["value"]) for item in kept] == [
        ("hall-1", 1),
        ("hall-1", -1),
        ("hall-1", 1),
    ]
    asked = {"metrics": "happiness,responses", "from": "2026-03-01", "to": "2026-04-01"}
    [row] = (await client.get("/v1/metrics/query", params=asked)).json()["rows"]
    assert (row["responses"], row["happiness_positive"]) == (2, 2)


def a_flurry(random: Random) -> list[Answer]:
    return [
        press(
            random.choice([-1, 0, 1]),
            random.choice([random.randrange(90), random.uniform(0, 90)]),
            device=random.choice(["d1", "d1", "d2", None]),
            mode=random.choice(["passive", "passive", "passive", "staff_prompted"]),
            kind=random.choice(["rating", "complaint"]),
            question=random.choice(["mood", "queue"]),
            customer=random.choice([None, None, b"a" * 16]),
            qualification=random.choice([None, None, None, "invalid"]),
        )
        for _ in range(random.randint(10, 30))
    ]


def count_by_hand(answers: list[Answer]) -> int:
    """How many answers count, one pair at a time."""

    def said(answer: Answer) -> tuple[Any, ...]:
        return (answer.answer_class, answer.read().norm01, answer.answer_id.int)

    def hides(other: Answer, answer: Answer) -> bool:
        gap = (answer.at - other.at).total_seconds()
        sooner = 0 < gap < 15 or (
            gap == 0 and other.question == answer.question and said(other) < said(answer)
        )
        return sooner and other.device == answer.device and other.mode == "passive"

    valid = [answer for answer in answers if answer.qualification != "invalid"]
    free = [answer for answer in valid if answer.device is None or answer.mode != "passive"]
    pressed = [answer for answer in valid if answer.device is not None and answer.mode == "passive"]
    return len(free) + sum(not any(hides(other, answer) for other in valid) for answer in pressed)


async def arrive(world: World, ask: Ask, flurry: list[Answer], random: Random) -> list[Any]:
    """All of them in some order, some taken back and sent again, folded now and then; what is shown then."""
    # ids are made at arrival: what arrives in another order has other ones
    left = [replace(answer, answer_id=uuid4()) for answer in random.sample(flurry, len(flurry))]
    while left:
        size = random.randint(1, 6)
        arrived, left = left[:size], left[size:]
        taken = random.sample(list(world.live.values()), min(random.randint(0, 1), len(world.live)))
        await world.commit(*arrived, ended=[answer.answer_id for answer in taken])
        left += [replace(answer, answer_id=uuid4()) for answer in taken]
        if random.random() < 0.5:
            await fold_all(world, at_once=random.choice([1, 500]))
        await both(world, ask, *SHOWN, granularity="day")
    return (await both(world, ask, *SHOWN, granularity="day"))[0]


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_arrival_gives_the_same_counts(
    world: World, ask: Ask, services, seed: int
) -> None:
    random, shown = Random(seed), []
    flurry = a_flurry(random)
    for turn in range(3):
        world.tenant_id = (await make_tenant(services, f"turn-{turn}")).tenant_id
        world.seq, world.live = 0, {}
        if seed == 2:
            await world.relational("mood")
        shown.append(await arrive(world, ask, flurry, random))
    assert shown[0] == shown[1] == shown[2]
    if seed != 2:
        assert sum(row["responses"] for row in shown[0]) == count_by_hand(flurry) < len(flurry)
