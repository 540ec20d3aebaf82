"""The full webhook loop (outbox, fan-out, claim, send, settle) beside aiohttp that only posts."""

from __future__ import annotations

import asyncio
import sys

from benchmarks.endpoints import subscribe
from benchmarks.plan import Plan
from benchmarks.processes import ROOT, free_port, running
from benchmarks.report import Goal, Line
from benchmarks.sink import Deliveries, receiving
from benchmarks.stage import Place, Stage

IN_FLIGHT = 64
_ENDPOINTS = 4
_WAIT_SECONDS = 120.0
_FILL = """
INSERT INTO outbox (tenant_id, event_id, type, sequence, occurred_at, data, created_at)
SELECT $1, gen_random_uuid(), 'case.opened', n, now(),
       jsonb_build_object('case', jsonb_build_object('id', 'case_' || n, 'kind', 'complaint'),
                          'ref', 'crm-' || n, 'note', repeat('x', 400)), now()
  FROM generate_series(1, $2::int) AS n
"""


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """A full outbox is drained by one worker; then the same number of bodies is posted without a database."""
    line = Line(
        "webhook full loop, 1 worker", "deliveries/s", "aiohttp, 64 in flight", Goal(">= 0.5", at_least=0.5)
    )
    ours, theirs = Deliveries(), Deliveries()
    async with receiving(ours) as our_url, receiving(theirs) as their_url:
        await subscribe(place, our_url, ["case.*"], count=_ENDPOINTS)
        for _ in range(plan.repetitions):
            ours.times.clear()
            theirs.times.clear()
            async with place.superuser() as connection:
                await connection.execute(_FILL, place.tenant_id, plan.deliveries // _ENDPOINTS)
            with running(["-m", "app", "worker"], place.environment(free_port()), 0, listens=False):
                await ours.wait_for(plan.deliveries, _WAIT_SECONDS)
            await _post_all(their_url, plan.deliveries)
            line.add(ours.rate(), theirs.rate())
    line.note = f"{plan.deliveries} deliveries to {_ENDPOINTS} endpoints, the limits of the worker as shipped"
    return [line]


async def _post_all(url: str, count: int) -> None:
    words = ("-m", "benchmarks.peers.poster", url, str(count), str(IN_FLIGHT))
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)
    if await process.wait():
        raise RuntimeError("the aiohttp poster failed")
