"""A lane: slots of its own, so that first tries never wait for the retries of endpoints that are down."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID


class Lane:
    """`slots` attempts run at once and twice as many may wait here; of one endpoint `per_endpoint` run.

    A delivery is `held` from its claim until it is settled, which bounds what one process can
    have in hand, and what a slow endpoint can take of it. Claims wait until there is room for a
    batch; `is_hungry` says that such room has come to be after a claim was cut short for want of it.
    """

    def __init__(self, slots: int, per_endpoint: int) -> None:
        self.slots = slots
        self.per_endpoint = per_endpoint
        self.most_held = 2 * per_endpoint
        self.held: Counter[UUID] = Counter()
        self.is_hungry = False
        self._was_full = False
        self._at_look: dict[UUID, int] = {}
        self._sated: set[UUID] = set()
        self._free = asyncio.Semaphore(slots)
        self._gates: dict[UUID, asyncio.Semaphore] = {}

    @property
    def room(self) -> int:
        """How many more are worth a claim now."""
        room = 3 * self.slots - self.held.total()
        return room if room >= self.slots else 0

    def look(self) -> int:
        """The room for a claim that begins now; what limits it is remembered."""
        self.is_hungry = False
        self._was_full = self.room == 0
        self._at_look = dict(self.held)
        self._sated = {endpoint_id for endpoint_id, count in self.held.items() if count >= self.most_held}
        return self.room

    def hold(self, endpoint_ids: Iterable[UUID]) -> None:
        """A claim has ended with deliveries to these. Meanwhile others may have been settled."""
        for endpoint_id, count in Counter(endpoint_ids).items():
            self.held[endpoint_id] += count
            if self._at_look.get(endpoint_id, 0) + count < self.most_held:
                continue
            if self.held[endpoint_id] > self.most_held // 2:
                self._sated.add(endpoint_id)
            else:
                self.is_hungry = True

    def let_go(self, endpoint_id: UUID) -> None:
        """A delivery was settled or given back."""
        self.held[endpoint_id] -= 1
        left = self.held[endpoint_id]
        if left <= 0:
            del self.held[endpoint_id]
            self._gates.pop(endpoint_id, None)
        if endpoint_id in self._sated and left <= self.most_held // 2:
            self._sated.discard(endpoint_id)
            self.is_hungry = True
        if self._was_full and self.room:
            self._was_full = False
            self.is_hungry = True

    @asynccontextmanager
    async def slot(self, endpoint_id: UUID) -> AsyncIterator[None]:
        """Wait for a turn: first among the endpoint's own, then among all."""
        gate = self._gates.setdefault(endpoint_id, asyncio.Semaphore(self.per_endpoint))
        async with gate, self._free:
            yield
