"""Group commit: while one transaction of a tenant commits, the next one fills; no lingering."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from app.ingest.results import UNAVAILABLE, Item
from app.kit.turns import in_slices

log = structlog.get_logger()

MAX_CHUNK = 500
MAX_WAITING = 40_000


class OverloadedError(Exception):
    """More waits than this process should promise to store; the caller may come again."""

    reason = "overloaded"


Prepare = Callable[[UUID, Sequence[Item]], None]
StoreChunk = Callable[[UUID, Sequence[Item]], Awaitable[None]]


@dataclass(slots=True)
class _Queue:
    items: deque[Item] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Batcher:
    """One writer per tenant in this process; `submit` returns when every item has its result."""

    def __init__(self, prepare: Prepare, store: StoreChunk) -> None:
        self._prepare = prepare
        self._store = store
        self._queues: dict[UUID, _Queue] = {}
        self._waiting = 0

    async def submit(self, tenant_id: UUID, items: Sequence[Item]) -> None:
        """Store the items of one ticket; each gets its `result`. OverloadedError: none was queued."""
        if not items:
            return
        if self._waiting + len(items) > MAX_WAITING:
            raise OverloadedError
        self._waiting += len(items)
        unqueued = len(items)
        try:
            async for part in in_slices(items):
                self._prepare(tenant_id, part)
                self._put(tenant_id, part)
                unqueued -= len(part)
        finally:
            self._waiting -= unqueued
        await items[0].ticket.wait()

    def _put(self, tenant_id: UUID, items: Sequence[Item]) -> None:
        queue = self._queues.setdefault(tenant_id, _Queue())
        queue.items.extend(items)
        if queue.task is None:
            queue.task = asyncio.create_task(self._drain(tenant_id, queue), name=f"batcher:{tenant_id}")

    async def close(self) -> None:
        """Wait until everything that was accepted is stored."""
        tasks = [queue.task for queue in self._queues.values() if queue.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drain(self, tenant_id: UUID, queue: _Queue) -> None:
        try:
            while queue.items:
                chunk = [queue.items.popleft() for _ in range(min(MAX_CHUNK, len(queue.items)))]
                try:
                    await self._store(tenant_id, chunk)
                except Exception as error:
                    log.error("chunk_lost", tenant=str(tenant_id), error=repr(error), exc_info=error)
                finally:
                    self._waiting -= len(chunk)
                    # whatever happened, nobody may wait for ever
                    for item in chunk:
                        item.settle_if_open(UNAVAILABLE)
        finally:
            queue.task = None
            if not queue.items:
                self._queues.pop(tenant_id, None)
