"""The background loops of one process: SLA clock, fan-out, delivery, cuboids, partitions; drained on SIGTERM."""

from __future__ import annotations

import asyncio

from app.kit.loops import Loop, run_loops
from app.sla.loop import SlaLoop, SlaSweep
from app.wiring import Services


def build_loops(services: Services) -> list[Loop]:
    """The loops that a worker runs, in the order in which a fact travels through them."""
    settings, wakeups = services.settings, services.bell.wakeups
    sla = SlaLoop(services.database, services.journal, services.bell, poll_seconds=settings.poll_seconds)
    return [
        Loop("sla", sla.step, wakeups["sla"]),
        Loop("sla_sweep", SlaSweep(services.database, services.journal).step),
    ]


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Run the loops until `stop`; what is in flight is finished or given back."""
    async with asyncio.TaskGroup() as group:
        group.create_task(services.bell.run(stop), name="bell")
        group.create_task(run_loops(build_loops(services), stop), name="loops")
