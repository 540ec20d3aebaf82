"""Questions that wait together share a round, and a fault reaches exactly those who asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from app.kit.coalescing import Coalescer

GROUP = UUID(int=1)


async def test_what_waits_while_a_round_is_on_its_way_shares_the_next_one() -> None:
    rounds: list[list[int]] = []

    async def double(group: UUID, asked: Sequence[int]) -> list[int]:
        assert group == GROUP
        rounds.append(list(asked))
        await asyncio.sleep(0.01)
        return [2 * number for number in asked]

    together: Coalescer[int, int] = Coalescer(double, most=6)
    answers = await asyncio.gather(*(together.ask(GROUP, number) for number in range(10)))
    assert answers == [2 * number for number in range(10)]
    assert [len(one) for one in rounds] == [6, 4]


async def test_a_round_carries_no_more_than_its_weight_but_always_something() -> None:
    rounds: list[int] = []

    async def weigh(_: UUID, asked: Sequence[int]) -> list[int]:
        rounds.append(len(asked))
        return list(asked)

    together: Coalescer[int, int] = Coalescer(weigh, most=100, weigh=lambda one: one, heaviest=10)
    await asyncio.gather(*(together.ask(GROUP, weight) for weight in (99, 4, 5, 2)))
    assert rounds == [1, 2, 1]


async def test_a_refusal_of_one_is_not_the_refusal_of_its_neighbours() -> None:
    async def judge(_: UUID, asked: Sequence[str]) -> list[str | Exception]:
        if "all" in asked:
            raise OSError("gone")
        return [ValueError(one) if one == "bad" else one for one in asked]

    together: Coalescer[str, str] = Coalescer(judge, most=10)
    good, bad = await asyncio.gather(
        together.ask(GROUP, "good"), together.ask(GROUP, "bad"), return_exceptions=True
    )
    assert good == "good" and isinstance(bad, ValueError)
    with pytest.raises(OSError):
        await together.ask(GROUP, "all")
    assert await together.ask(GROUP, "good") == "good"


async def test_groups_do_not_wait_for_each_other() -> None:
    slow = asyncio.Event()
    first = uuid4()

    async def wait(group: UUID, asked: Sequence[int]) -> list[int]:
        if group == first:
            await slow.wait()
        return list(asked)

    together: Coalescer[int, int] = Coalescer(wait, most=10)
    held = asyncio.create_task(together.ask(first, 1))
    assert await together.ask(uuid4(), 2) == 2
    assert not held.done()
    slow.set()
    assert await held == 1


async def test_who_gave_up_leaves_the_others_their_answers() -> None:
    going = asyncio.Event()

    async def wait(_: UUID, asked: Sequence[int]) -> list[int]:
        await going.wait()
        return list(asked)

    together: Coalescer[int, int] = Coalescer(wait, most=10)
    gone, stays = (asyncio.create_task(together.ask(GROUP, number)) for number in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    going.set()
    assert await stays == 2
