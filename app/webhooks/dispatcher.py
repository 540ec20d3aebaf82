"""The dispatcher: claims (commit), sends, settles (commit); no transaction ever spans a network call."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from app.db.engine import Database, is_retryable
from app.domain.delivery import MAX_FAULTS, Broken, next_step
from app.domain.errors import DomainError
from app.kit.clock import utc_now
from app.kit.crypto import Sealer, SealError
from app.kit.ids import public_id
from app.kit.loops import Loop, Wakeup
from app.webhooks.attempt_log import note_attempts
from app.webhooks.health import move_health
from app.webhooks.horizon import Horizon
from app.webhooks.lane import Lane
from app.webhooks.ordering import promote
from app.webhooks.packing import Packer
from app.webhooks.queue import MAX_LOSSES, Claimed, release
from app.webhooks.queue import claim as claim_deliveries
from app.webhooks.reply import printable
from app.webhooks.sender import DETAIL_LETTERS, Receipt, Sender
from app.webhooks.settlement import Settlement
from app.webhooks.settlement import settle as settle_attempts

log = structlog.get_logger()

BATCH = 100
CONTENDED_SECONDS = 0.02
HELD_BACK_LOOK_SECONDS = 0.1
RETRY_LOOK_SECONDS = 0.2
MAX_LEASE_MARGIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one process takes on. The lease must outlast an attempt; the rest is taste."""

    lease_seconds: float = 90.0
    poll_seconds: float = 1.0
    first_slots: int = 64
    first_per_endpoint: int = 32
    retry_slots: int = 16
    retry_per_endpoint: int = 4


@dataclass(slots=True)
class _Ended:
    """A delivery that leaves our hands: with what came of it, or (None) untouched."""

    lane: Lane
    claimed: Claimed
    settlement: Settlement | None
    is_written: bool = False


class Dispatcher:
    """One process's share of the deliveries.

    Run its `loops`, and call `close` at the end: what is in hand goes back at once.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        sealer: Sealer,
        wakeup: Wakeup,
        limits: Limits | None = None,
    ) -> None:
        self._database = database
        self._sender = sender
        self._packer = Packer(sealer)
        self._wakeup = wakeup
        self._limits = limits or Limits()
        lease = self._limits.lease_seconds
        self._usable_seconds = lease - min(MAX_LEASE_MARGIN_SECONDS, lease / 10)
        if self._usable_seconds <= sender.deadline_seconds:
            raise ValueError(
                f"a lease of {lease} s does not outlast an attempt of {sender.deadline_seconds} s"
            )
        self._longest_seconds = max(sender.deadline_seconds, self._usable_seconds - 1)
        # the database's clock is the only one that counts: what it said, and when that was
        self._told, self._told_at = utc_now(), time.monotonic()
        self._fast = Lane(self._limits.first_slots, self._limits.first_per_endpoint)
        self._slow = Lane(self._limits.retry_slots, self._limits.retry_per_endpoint)
        self._look_for_retries_at = 0.0
        self._is_held_back = False
        self._horizon = Horizon()
        self._ends = Wakeup()
        self._ended: list[_Ended] = []
        self._tasks: set[asyncio.Task[Settlement | None]] = set()
        self._sending: set[asyncio.Task[Any]] = set()
        self.outcomes: Counter[str] = Counter()

    @property
    def in_hand(self) -> int:
        """Deliveries under a lease of this process."""
        return self._fast.held.total() + self._slow.held.total()

    def loops(self) -> list[Loop]:
        """What to run until the end: one loop claims (rung by `wakeup`), one settles."""
        return [Loop("deliver", self.claim, self._wakeup), Loop("settle", self.settle, self._ends)]

    async def claim(self) -> float:
        """Claim what there is room for; the seconds until it is worth looking again (or until rung)."""
        held = self._fast.held.total()
        self._is_held_back = False
        delay = await self._fill(self._fast, fast=True)
        left = self._look_for_retries_at - time.monotonic()
        if left > 0 and self._fast.held.total() > held:
            return min(delay, left)  # in a rush of first tries retries are looked for less often
        self._look_for_retries_at = time.monotonic() + RETRY_LOOK_SECONDS
        return min(delay, await self._fill(self._slow, fast=False))

    async def settle(self) -> float:
        """Write down all that has ended, at most one attempt of a message at a time."""
        ended, self._ended = self._ended, []
        batch: dict[UUID, _Ended] = {}
        for item in ended:
            if batch.setdefault(item.claimed.message_id, item) is not item:
                self._ended.append(item)
        try:
            if batch:
                await self._write(list(batch.values()))
        except BaseException:
            self._ended += [item for item in batch.values() if not item.is_written]
            raise
        if self._fast.is_hungry or self._slow.is_hungry or (batch and self._is_held_back):
            self._wakeup.ring()
        return 0.0 if self._ended else self._limits.poll_seconds

    async def close(self, grace_seconds: float = 10.0) -> None:
        """Claim no more, give back what has not begun, let the rest end within the grace, then cut it short.

        An attempt cut short counts as none: it goes back to the queue at once, not when its lease ends.
        """
        for task in self._tasks - self._sending:
            task.cancel()
        until = time.monotonic() + grace_seconds
        while self._tasks and (left := until - time.monotonic()) > 0:
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            await self.settle()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._ended:
            await self.settle()
        await self._sender.close()

    async def _fill(self, lane: Lane, *, fast: bool) -> float:
        """Fill a lane; the seconds until the next look."""
        limit = min(BATCH, lane.look())
        if limit == 0:
            return self._limits.poll_seconds
        started = time.monotonic()
        async with self._database.worker() as tx:
            groups = await self._horizon.groups(tx)
            asked = time.monotonic()
            taken = await claim_deliveries(
                tx,
                fast=fast,
                limit=limit,
                per_endpoint=lane.most_held,
                held=lane.held,
                lease_seconds=self._limits.lease_seconds,
                groups=groups,
            )
            self._horizon.claimed(time.monotonic() - asked)
        self._told, self._told_at = taken.now, time.monotonic()
        self._is_held_back = self._is_held_back or taken.is_held_back
        until = started + self._usable_seconds
        lane.hold(item.endpoint_id for item in taken.items)
        for item in taken.items:
            task = asyncio.create_task(self._carry(lane, item, until))
            self._tasks.add(task)
            task.add_done_callback(partial(self._end, lane, item))
        if taken.is_contended:
            return CONTENDED_SECONDS
        if taken.is_held_back:
            return min(HELD_BACK_LOOK_SECONDS, self._limits.poll_seconds)
        return 0.0 if len(taken.items) == limit or lane.is_hungry else self._limits.poll_seconds

    async def _carry(self, lane: Lane, item: Claimed, until: float) -> Settlement | None:
        """Wait for a slot and make the attempt; None when the lease would not outlast it."""
        deadline = min(item.deadline_seconds or self._sender.deadline_seconds, self._longest_seconds)
        async with lane.slot(item.endpoint_id):
            return await self._attempt(item, deadline) if time.monotonic() + deadline < until else None

    def _end(self, lane: Lane, item: Claimed, task: asyncio.Task[Settlement | None]) -> None:
        """Called for every task, also for one that was cancelled before it began."""
        self._tasks.discard(task)
        self._sending.discard(task)
        self._ended.append(_Ended(lane, item, None if task.cancelled() else task.result()))
        self._ends.ring()

    async def _attempt(self, item: Claimed, deadline_seconds: float) -> Settlement:
        task = asyncio.current_task()
        assert task is not None
        self._sending.add(task)
        faults = item.faults
        try:
            if item.losses > MAX_LOSSES:
                faults = MAX_FAULTS
                raise DomainError(
                    "lost_repeatedly", f"{item.losses} leases of this delivery ended without a word"
                )
            receipt = await self._sender.send(self._packer.pack(item, deadline_seconds), self._now())
        except (DomainError, SealError) as error:
            receipt = Receipt(Broken(error.reason, str(error)), self._now(), 0)
        except Exception as error:
            log.error("delivery_unreadable", message=public_id("msg", item.message_id), exc_info=error)
            receipt = Receipt(Broken("unreadable", printable(repr(error), DETAIL_LETTERS)), self._now(), 0)
        jitter = random.random()  # noqa: S311 - spreads load, guards nothing
        step = next_step(
            receipt.outcome,
            tries=item.tries,
            faults=faults,
            now=self._now(),
            jitter=jitter,
            delays=item.delays,
        )
        return Settlement(item, receipt, step)

    def _now(self) -> datetime:
        """The database's time, as far as we know it; no step of this machine's clock moves it."""
        return self._told + timedelta(seconds=time.monotonic() - self._told_at)

    async def _write(self, batch: Sequence[_Ended]) -> None:
        """One transaction; a poison row is found by halving, so that its neighbours are settled."""
        made = [item.settlement for item in batch if item.settlement is not None]
        written: list[Settlement] = []
        moved = 0
        try:
            async with self._database.worker() as tx:
                if len(made) < len(batch):
                    await release(tx, [item.claimed for item in batch if item.settlement is None])
                if made:
                    written = await settle_attempts(tx, made)
                    await move_health(tx, written)
                    left = [item.claimed for item in written if item.claimed.order_key is not None]
                    moved = await promote(tx, [(item.endpoint_id, item.order_key or "") for item in left])
        except Exception as error:
            if is_retryable(error):
                raise
            if len(batch) > 1:
                await self._write(batch[: len(batch) // 2])
                await self._write(batch[len(batch) // 2 :])
                return
            # its lease ends, and after MAX_LOSSES of them it is quarantined
            log.error("attempt_not_settled", message=str(batch[0].claimed.message_id), exc_info=error)
        for item in batch:
            item.is_written = True
            item.lane.let_go(item.claimed.endpoint_id)
        if moved:
            self._wakeup.ring()
        self.outcomes += note_attempts(written)
