"""A lane: slots of its own, so that first tries never wait for the retries of endpoints that are down."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Lane:
    """`slots` attempts run at once and as many again may wait here; of one endpoint `per_endpoint` run.

    A delivery is `held` from its claim until it is settled, which bounds what one process can
    have in hand, and what a slow endpoint can take of it.
    """

    def __init__(self, slots: int, per_endpoint: int) -> None:
        self.slots = slots
        self.per_endpoint = per_endpoint
        self.held: Counter[UUID] = Counter()
        self._free = asyncio.Semaphore(slots)
        self._gates: dict[UUID, asyncio.Semaphore] = {}

    @property
    def room(self) -> int:
        """How many more may be claimed now."""
        return 0 if self._free.locked() else 2 * self.slots - self.held.total()

    @property
    def most_held(self) -> int:
        """How many of one endpoint may be held."""
        return 2 * self.per_endpoint

    def hold(self, endpoint_id: UUID) -> None:
        """A delivery was claimed."""
        self.held[endpoint_id] += 1

    def let_go(self, endpoint_id: UUID) -> None:
        """A delivery was settled or given back."""
        self.held[endpoint_id] -= 1
        if self.held[endpoint_id] <= 0:
            del self.held[endpoint_id]
            self._gates.pop(endpoint_id, None)

    @asynccontextmanager
    async def slot(self, endpoint_id: UUID) -> AsyncIterator[None]:
        """Wait for a turn: first among the endpoint's own, then among all."""
        gate = self._gates.setdefault(endpoint_id, asyncio.Semaphore(self.per_endpoint))
        async with gate, self._free:
            yield
