"""The full webhook loop (outbox, fan-out, claim, send, settle): its rate, its delay and a long queue."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from app.kit.ids import parse_public_id
from benchmarks.bodies import post
from benchmarks.endpoints import subscribe
from benchmarks.load import Load
from benchmarks.plan import Plan
from benchmarks.processes import ROOT, free_port, running
from benchmarks.report import Goal, Line
from benchmarks.sink import Deliveries, receiving
from benchmarks.stage import Place, Stage

IN_FLIGHT = 64
_ENDPOINTS = 4
_RATE = 200
_CALLERS = 16
_WAIT_SECONDS = 240.0
_FILL = """
INSERT INTO outbox (tenant_id, event_id, type, sequence, occurred_at, data, created_at)
SELECT $1, gen_random_uuid(), 'case.opened', n, now(),
       jsonb_build_object('case', jsonb_build_object('id', 'case_' || n, 'kind', 'complaint'),
                          'ref', 'crm-' || n, 'note', repeat('x', 400)), now()
  FROM generate_series(1, $2::int) AS n
"""


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """Rate and queue by one worker, beside a poster without a database; then the delay at a steady rate."""
    loop = Line(
        "webhook full loop, 1 worker", "deliveries/s", "aiohttp, 64 in flight", Goal(">= 0.5", at_least=0.5)
    )
    core = Line("the same, per core of the worker", "deliveries/s", "-")
    ours, theirs = Deliveries(), Deliveries()
    async with receiving(ours) as our_url, receiving(theirs) as their_url:
        await subscribe(place, our_url, ["case.*"], count=_ENDPOINTS)
        for _ in range(plan.repetitions):
            theirs.clear()
            used = await _drain(place, ours, plan.deliveries)
            await _post_all(their_url, plan.deliveries)
            loop.add(ours.rate(), theirs.rate())
            core.add(plan.deliveries / used)
        queue = Line(f"a queue of {plan.queue:,} webhooks is empty after", "s", "-")
        await _drain(place, ours, plan.queue)
        queue.add(ours.times[-1] - ours.times[0])
        loop.note = f"{plan.deliveries} deliveries to {_ENDPOINTS} endpoints, the worker's limits as shipped"
        return [loop, core, queue, *await _delays(plan, place, ours)]


async def _drain(place: Place, heard: Deliveries, deliveries: int) -> float:
    """Fill the outbox and let one worker empty it; the CPU seconds that it took."""
    heard.clear()
    async with place.superuser() as connection:
        await connection.execute(_FILL, place.tenant_id, deliveries // _ENDPOINTS)
    with running(["-m", "app", "worker"], place.environment(free_port()), 0, listens=False) as worker:
        await heard.wait_for(deliveries, _WAIT_SECONDS)
        return worker.cpu_seconds()


async def _delays(plan: Plan, place: Place, heard: Deliveries) -> list[Line]:
    """From the journal's `recorded_at` to the receiver, while cases are opened over HTTP at a steady rate."""
    events = plan.delay_seconds * _RATE // _ENDPOINTS
    what = f"commit to receiver at {_RATE} webhooks/s"
    median, tail = Line(f"{what}, p50", "ms", "-"), Line(f"{what}, p99", "ms", "-")
    port, bodies = free_port(), _openings()
    heard.clear()
    with running(["-m", "app", "all"], place.environment(port), port):
        async with Load(port, _CALLERS) as load:
            measured = await load.paced(
                plan.delay_seconds,
                _RATE / _ENDPOINTS,
                lambda: post("/v1/events", next(bodies), key=place.key),
            )
            measured.check(201)
        await heard.wait_for(events * _ENDPOINTS, _WAIT_SECONDS)
    async with place.superuser() as connection:
        rows = await connection.fetch("SELECT event_id, recorded_at FROM events WHERE type = 'case.opened'")
    recorded = {row["event_id"]: row["recorded_at"].timestamp() for row in rows}
    delays = sorted(
        1000 * (at - recorded[event_id])
        for body, at in zip(heard.bodies, heard.times, strict=True)
        if (event_id := parse_public_id("evt", json.loads(body)["data"]["event_id"])) is not None
    )
    median.add(delays[len(delays) // 2])
    tail.add(delays[int(0.99 * len(delays))])
    return [median, tail]


def _openings() -> Iterator[bytes]:
    for number in count():
        event = {
            "type": "case.opened",
            "id": f"paced-{number}",
            "source": "crm",
            "occurred_at": datetime.now(UTC).isoformat(),
            "subject": {"kind": "case", "ref": f"paced-{number}"},
            "data": {"kind": "complaint", "severity": "sev3", "channel": "call"},
        }
        yield json.dumps(event).encode()


async def _post_all(url: str, count: int) -> None:
    words = ("-m", "benchmarks.peers.poster", url, str(count), str(IN_FLIGHT))
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)
    if await process.wait():
        raise RuntimeError("the aiohttp poster failed")
