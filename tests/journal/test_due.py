"""Work that has come due: nobody's items mixed, and one that cannot be done holds up no other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from uuid import UUID, uuid4

import pytest

from app.db.engine import DatabaseUnavailableError
from app.journal.due import in_chunks, in_halves

TENANT = uuid4()


class Desk:
    """Takes items, unless one of them is poison; remembers each commit and what was put off."""

    def __init__(self, *poison: UUID, fault: Exception | None = None) -> None:
        self.poison, self.fault = set(poison), fault or ValueError("poison")
        self.commits: list[list[UUID]] = []
        self.left: list[tuple[UUID, UUID, Exception]] = []

    async def work(self, tenant_id: UUID, items: Sequence[UUID]) -> int:
        assert tenant_id == TENANT
        if self.poison & set(items):
            raise self.fault
        self.commits.append(list(items))
        return len(items)

    async def put_off(self, tenant_id: UUID, item: UUID, error: Exception) -> None:
        self.left.append((tenant_id, item, error))


@pytest.mark.parametrize("places", [(), (0,), (6,), (2, 3), tuple(range(7))])
async def test_all_but_the_poison_is_done_once_and_only_the_poison_is_put_off(
    places: tuple[int, ...],
) -> None:
    items = [uuid4() for _ in range(7)]
    desk = Desk(*(items[place] for place in places))
    assert await in_halves(TENANT, items, desk.work, desk.put_off) == 7 - len(places)
    assert list(chain.from_iterable(desk.commits)) == [item for item in items if item not in desk.poison]
    assert [left[:2] for left in desk.left] == [(TENANT, items[place]) for place in places]
    assert all(left[2] is desk.fault for left in desk.left)


async def test_what_can_be_done_at_all_is_done_in_one_commit() -> None:
    items, desk = [uuid4() for _ in range(7)], Desk()
    await in_halves(TENANT, items, desk.work, desk.put_off)
    assert desk.commits == [items]


async def test_a_fault_of_the_moment_is_nobodys_poison() -> None:
    items = [uuid4() for _ in range(4)]
    desk = Desk(items[1], fault=DatabaseUnavailableError("away"))
    with pytest.raises(DatabaseUnavailableError):
        await in_halves(TENANT, items, desk.work, desk.put_off)
    assert (desk.commits, desk.left) == ([], [])


def test_chunks_hold_one_tenants_items_in_their_order_and_no_more_than_asked() -> None:
    mine, other = uuid4(), uuid4()
    items = [uuid4() for _ in range(5)]
    owners = (mine, other, mine, mine, other)
    rows = [{"tenant_id": owner, "it": item} for owner, item in zip(owners, items, strict=True)]
    assert list(in_chunks(rows, "it", 2)) == [
        (mine, [items[0], items[2]]),
        (mine, [items[3]]),
        (other, [items[1], items[4]]),
    ]
