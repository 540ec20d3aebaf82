"""Runs a background step for ever: catches what it throws, counts it, backs off, stops when told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from app.kit import instruments

log = structlog.get_logger()

MAX_BACKOFF_SECONDS = 5.0


class Wakeup:
    """A bell that many may ring and one loop listens to; rings before the wait are not lost."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the listener now, or at its next wait."""
        self._event.set()

    async def wait(self, timeout_seconds: float) -> None:
        """Return when rung, or after `timeout_seconds`."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class Loop:
    """One named loop: `step` does what is due and returns the seconds until it is worth looking again."""

    def __init__(self, name: str, step: Callable[[], Awaitable[float]], wakeup: Wakeup | None = None) -> None:
        self.name = name
        self.wakeup = wakeup or Wakeup()
        self.failures = 0
        self.last_error: str | None = None
        self._step = step

    async def run(self, stop: asyncio.Event) -> None:
        """Step until `stop` is set. The one place that catches everything: a loop must outlive its faults."""
        consecutive = 0
        clock = asyncio.get_running_loop().time
        while not stop.is_set():
            began_at = clock()
            try:
                delay = await self._step()
                consecutive = 0
                self.last_error = None
                instruments.LOOP_STEPS.labels(self.name, "done").inc()
                instruments.LOOP_SUCCESS.labels(self.name).set_to_current_time()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                consecutive += 1
                self.failures += 1
                self.last_error = repr(error)
                instruments.LOOP_STEPS.labels(self.name, "failed").inc()
                delay = min(MAX_BACKOFF_SECONDS, 0.1 * 2 ** min(consecutive, 6))
                log.warning("loop_failed", loop=self.name, error=repr(error), exc_info=consecutive == 1)
            instruments.LOOP_SECONDS.labels(self.name).inc(clock() - began_at)
            if delay > 0 and not stop.is_set():
                await self.wakeup.wait(delay)


async def run_loops(loops: list[Loop], stop: asyncio.Event) -> None:
    """Run all loops until `stop`, waking every one so that none sleeps through the end."""

    async def wake_all() -> None:
        await stop.wait()
        for loop in loops:
            loop.wakeup.ring()

    async with asyncio.TaskGroup() as group:
        group.create_task(wake_all())
        for loop in loops:
            group.create_task(loop.run(stop), name=f"loop:{loop.name}")
