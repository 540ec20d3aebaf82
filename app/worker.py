"""The background loops of one process: SLA clock, fan-out, delivery, cuboids; drained on SIGTERM."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from app.asking.acts.loop import SilenceLoop
from app.asking.plans.loop import MomentLoop
from app.cases.upkeep import CaseUpkeep
from app.ingest.pulling.client import PullClient
from app.ingest.pulling.loop import PullLoop
from app.ingest.retention import RawRetention
from app.kit.loops import Loop, run_loops
from app.metrics.alerts.watch import AlertWatch
from app.metrics.folder import Folder
from app.operations.gauges import Gauges
from app.privacy.erasure import ErasureLoop
from app.privacy.retention import TenantRetention
from app.sla.loop import SlaLoop, SlaSweep
from app.sla.recomputations.loop import Recomputer
from app.sla.rehearsal import Rehearsals
from app.sla.silence import SourceWatch
from app.webhooks.dispatcher import Dispatcher, Limits
from app.webhooks.fanout import Fanout
from app.webhooks.ordering import OrderSweep
from app.webhooks.replay_loop import Replayer
from app.webhooks.retention import MessageRetention
from app.webhooks.sender import Sender
from app.webhooks.transport import VettedTransport
from app.wiring import Services

DRAIN_SECONDS = 10.0
"""How long attempts in flight may go on after the end was asked for."""


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Run the loops until `stop`; attempts in flight are finished or given back."""
    dispatcher = build_dispatcher(services)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(services.bell.run(stop), name="bell")
            group.create_task(run_loops(build_loops(services, dispatcher), stop), name="loops")
    finally:
        await dispatcher.close(DRAIN_SECONDS)


def build_dispatcher(services: Services) -> Dispatcher:
    """The deliveries of this process."""
    settings = services.settings
    transport = VettedTransport(services.egress)
    return Dispatcher(
        services.database,
        Sender(transport, deadline_seconds=settings.attempt_deadline_seconds),
        services.sealer,
        services.bell.wakeups["deliver"],
        Limits(lease_seconds=settings.lease_seconds, poll_seconds=settings.poll_seconds),
    )


def build_pulls(services: Services, hosts: Mapping[str, str] | None = None) -> PullLoop:
    """The pulls of this process, behind the same guard as deliveries (`hosts`: see PullClient)."""
    client = PullClient(services.egress.vetted_url, hosts)
    return PullLoop(services.database, services.sealer, services.ingest, services.clock, client)


def build_loops(services: Services, dispatcher: Dispatcher) -> list[Loop]:
    """The loops that a worker runs, in the order in which a fact travels through them."""
    settings, bell, database = services.settings, services.bell, services.database
    rehearsals = Rehearsals(services.journal, services.timers)
    sla = SlaLoop(database, services.journal, bell, poll_seconds=settings.poll_seconds, rehearsals=rehearsals)
    fanout = Fanout(
        database,
        lambda: bell.ring("deliver"),
        poll_seconds=settings.poll_seconds,
        gives_way=sla.is_rushed,
    )
    silence = SilenceLoop(services.journal, services.asking_policies, bell)
    return [
        Loop("asking", silence.step, bell.wakeups["asking"]),
        Loop(
            "erasure",
            ErasureLoop(services.journal, services.sealer, bell).step,
            bell.wakeups["erasure"],
        ),
        Loop("moments", MomentLoop(services.journal, services.asking_policies, bell).step),
        Loop("sla", sla.step, bell.wakeups["sla"]),
        Loop("sla_rehearsal", rehearsals.step),
        Loop("fanout", fanout.step, bell.wakeups["fanout"]),
        *dispatcher.loops(),
        Loop(
            "order_sweep",
            OrderSweep(database, lambda: bell.ring("deliver"), poll_seconds=settings.poll_seconds).step,
        ),
        Loop(
            "replay",
            Replayer(database, lambda: bell.ring("deliver"), poll_seconds=settings.poll_seconds).step,
            bell.wakeups["replay"],
        ),
        Loop("alerts", AlertWatch(database, services.clock, lambda: bell.ring("fanout")).step),
        Loop("fold", Folder(database, services.clock).step, bell.wakeups["fold"]),
        Loop(
            "message_retention",
            MessageRetention(database, services.clock, days=settings.message_retention_days).step,
        ),
        Loop("pull", build_pulls(services).step),
        Loop("raw_retention", RawRetention(database, days=settings.raw_retention_days).step),
        Loop("tenant_retention", TenantRetention(services.journal).step),
        Loop("case_upkeep", CaseUpkeep(database, services.journal, lambda: bell.ring("fanout", "sla")).step),
        Loop("sla_sweep", SlaSweep(database, services.journal).step),
        Loop(
            "recompute",
            Recomputer(database, services.journal, services.timers).step,
            bell.wakeups["recompute"],
        ),
        Loop("source_watch", SourceWatch(database, services.journal, bell).step),
        Loop("gauges", Gauges(database).step),
    ]
