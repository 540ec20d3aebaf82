"""Work that has come due: by tenant, in chunks of one commit; a poison item is found by halves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from app.db.engine import is_retryable

Work = Callable[[UUID, Sequence[UUID]], Awaitable[int]]
"""One commit of a tenant for these items; how many things it stated."""
PutOff = Callable[[UUID, UUID, Exception], Awaitable[None]]
"""What becomes of the one item (of a tenant) that cannot be done."""


def in_chunks(rows: Iterable[Any], key: str, size: int) -> Iterator[tuple[UUID, list[UUID]]]:
    """The items of each tenant, in the order of the rows, at most `size` a commit."""
    by_tenant: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        by_tenant[row["tenant_id"]].append(row[key])
    for tenant_id, items in by_tenant.items():
        for first in range(0, len(items), size):
            yield tenant_id, items[first : first + size]


async def in_halves(tenant_id: UUID, items: Sequence[UUID], work: Work, put_off: PutOff) -> int:
    """Do the work in one commit, or in ever smaller ones until an item that cannot be done stands alone.

    Returns what the commits stated together. Raises faults of the moment: all of it is done again then.
    """
    try:
        return await work(tenant_id, items)
    except Exception as error:
        if is_retryable(error):
            raise
        if len(items) == 1:
            await put_off(tenant_id, items[0], error)
            return 0
    middle = len(items) // 2
    before = await in_halves(tenant_id, items[:middle], work, put_off)
    return before + await in_halves(tenant_id, items[middle:], work, put_off)
