"""A lane by itself: its slots, its room, and when it wants another claim."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from app.webhooks.lane import Lane

A, B = uuid4(), uuid4()


async def most_at_once(lane: Lane, endpoint_ids: list[UUID]) -> dict[UUID, int]:
    """Run one task per delivery; the most that ran at once of each endpoint, and (nil id) of all."""
    nil = UUID(int=0)
    running: dict[UUID, int] = dict.fromkeys([*endpoint_ids, nil], 0)
    most = dict(running)

    async def run(endpoint_id: UUID) -> None:
        async with lane.slot(endpoint_id):
            for key in (endpoint_id, nil):
                running[key] += 1
                most[key] = max(most[key], running[key])
            await asyncio.sleep(0.01)
            for key in (endpoint_id, nil):
                running[key] -= 1

    await asyncio.gather(*map(run, endpoint_ids))
    return most


async def test_no_more_run_at_once_than_there_are_slots_nor_of_one_endpoint_than_its_share() -> None:
    most = await most_at_once(Lane(slots=4, per_endpoint=3), [A] * 10 + [B] * 10)
    assert (most[A], most[UUID(int=0)]) == (3, 4)
    assert most[B] <= 3


async def test_there_is_room_only_for_a_batch() -> None:
    lane = Lane(slots=4, per_endpoint=4)
    assert lane.look() == 12
    lane.hold([A] * 8)
    assert lane.room == 4
    lane.hold([A])
    assert lane.room == 0


async def test_a_full_lane_is_hungry_as_soon_as_there_is_room_again() -> None:
    lane = Lane(slots=4, per_endpoint=100)
    lane.look()
    lane.hold([A] * 12)
    assert lane.look() == 0
    for _ in range(3):
        lane.let_go(A)
        assert not lane.is_hungry
    lane.let_go(A)
    assert lane.is_hungry
    assert lane.look() == 4
    assert not lane.is_hungry


async def test_a_sated_endpoint_is_hungry_when_half_of_it_is_settled() -> None:
    lane = Lane(slots=100, per_endpoint=3)
    lane.look()
    lane.hold([A] * 6)
    for _ in range(2):
        lane.let_go(A)
        assert not lane.is_hungry
    lane.let_go(A)
    assert lane.is_hungry


async def test_what_was_settled_while_a_claim_was_under_way_is_not_forgotten() -> None:
    lane = Lane(slots=100, per_endpoint=3)
    lane.look()
    lane.hold([A] * 5)
    lane.look()  # a claim begins: one more of this endpoint may be held
    for _ in range(5):
        lane.let_go(A)
    lane.hold([A])  # it ends with that one, although by now there would be room for more
    assert lane.is_hungry


async def test_nothing_is_remembered_of_an_endpoint_that_has_nothing_here() -> None:
    lane = Lane(slots=4, per_endpoint=2)
    lane.hold([A])
    async with lane.slot(A):
        pass
    lane.let_go(A)
    assert not lane.held
    assert not lane._gates
