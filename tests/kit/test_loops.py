"""Loops outlive their faults, wake when rung, stop when told."""

from __future__ import annotations

import asyncio
import time

from app.kit.loops import Loop, Wakeup, run_loops


async def test_a_loop_goes_on_after_a_fault_and_counts_it() -> None:
    calls, stop = 0, asyncio.Event()

    async def step() -> float:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("once")
        stop.set()
        return 0.0

    loop = Loop("test", step)
    async with asyncio.timeout(5):
        await loop.run(stop)
    assert (calls, loop.failures, loop.last_error) == (2, 1, None)


async def test_a_ring_before_the_wait_is_not_lost_and_serves_one_wait() -> None:
    bell = Wakeup()
    bell.ring()
    started = time.monotonic()
    await bell.wait(5)
    assert time.monotonic() - started < 1
    started = time.monotonic()
    await bell.wait(0.05)
    assert time.monotonic() - started >= 0.04


async def test_stopping_wakes_a_sleeping_loop_at_once() -> None:
    stop = asyncio.Event()

    async def sleepy() -> float:
        return 60.0

    running = asyncio.create_task(run_loops([Loop("a", sleepy), Loop("b", sleepy)], stop))
    await asyncio.sleep(0.05)
    stop.set()
    async with asyncio.timeout(2):
        await running
