"""From a deadline to the receiver that hears of it: one by one, and ten thousand at one instant."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from app.journal.ports import POSITION_BITS
from benchmarks.claim import claim_lateness
from benchmarks.complaints import post_complaints, put_policy
from benchmarks.endpoints import subscribe
from benchmarks.plan import Plan
from benchmarks.processes import Running, family_cpu_seconds, free_port, running
from benchmarks.report import Goal, Line
from benchmarks.sink import Deliveries, receiving
from benchmarks.stage import Place, Stage

_DUE_AT = re.compile(rb'"due_at":\s*"([^"]+)"')
_APART_SECONDS = 0.15
_LOOK_SECONDS = 0.005
_WAIT_SECONDS = 90.0
_KNOWN_SECONDS = 15.0
"""How long before its time the last of a crowd is known; most are for hours."""
_QUIET_SECONDS = 0.5
"""From when on CPU is counted: what was to be rehearsed is, and nothing is due yet."""
_CLAIMS = 3
"""Runs of the claim, of which the middle one counts: each takes but a tenth of a second."""
_ANNOUNCED = """
SELECT subject_id, position >> $1 AS seq, (fact->>'due_at')::timestamptz AS due_at
  FROM events WHERE type = 'sla.breached' AND position > $2
"""


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """Both, on the role `all`."""
    port, heard = free_port(), Deliveries()
    low = Line("breach at low load: due to accepted, p99", "ms", "-", Goal("<= 150 ms", at_most=150))
    with running(["-m", "app", "all"], place.environment(port), port) as worker:
        await put_policy(place, port)
        latest = await crowd(stage, place, [worker], plan.timers)
        async with receiving(heard) as url:
            await subscribe(place, url, ["sla.breached"])
            await _one_by_one(place, port, plan.complaints, heard, low)
    return [low, latest]


async def _one_by_one(place: Place, port: int, count: int, heard: Deliveries, line: Line) -> None:
    start = datetime.now(UTC) + timedelta(seconds=4)
    due = [start + timedelta(seconds=number * _APART_SECONDS) for number in range(count)]
    await post_complaints(place, port, "alone", due)
    await heard.wait_for(count, _WAIT_SECONDS)
    delays = sorted(
        1000 * (at - _due_of(body).timestamp()) for body, at in zip(heard.bodies, heard.times, strict=True)
    )
    line.add(delays[int(0.99 * len(delays))])
    line.note = f"{count} complaints, p50 {delays[len(delays) // 2]:.1f} ms, max {delays[-1]:.1f} ms"


async def crowd(
    stage: Stage, place: Place, workers: Sequence[Running], count: int, name: str = "crowd"
) -> Line:
    """Latest from due to commit when all fall due at one instant, beside a one-statement claim.

    The first of the workers serves the API too.
    """
    port = workers[0].port
    line = Line(
        f"{count:,} timers due at one instant: latest", "ms", "one-statement claim", Goal("<= 6x", at_most=6)
    )
    posting = count / await _posting_rate(place, port, f"{name}-far")
    start = datetime.now(UTC) + timedelta(seconds=_KNOWN_SECONDS + 1.5 * posting)
    await post_complaints(place, port, name, [start] * count)
    if (over := (datetime.now(UTC) - start).total_seconds()) > 0:
        raise RuntimeError(f"posting took {over:.0f} s longer than planned; the timers were due before")
    async with place.superuser() as connection:
        before = await connection.fetchval("SELECT max(position) FROM events")
        await asyncio.sleep((start - datetime.now(UTC)).total_seconds() - _QUIET_SECONDS)
        used = _weighed(stage, workers)
        seen = await _watch(connection, place, count)
        used = [1e6 * (now - then) / count for now, then in zip(_weighed(stage, workers), used, strict=True)]
        rows = await connection.fetch(_ANNOUNCED, POSITION_BITS, before)
        if len({row["subject_id"] for row in rows}) != count or len(rows) != count:
            raise RuntimeError(f"of {count} timers {len(rows)} breaches were announced")
        late = sorted(1000 * (seen[row["seq"]] - row["due_at"].timestamp()) for row in rows)
        limits = [1000 * await claim_lateness(connection, count) for _ in range(_CLAIMS)]
        line.add(late[-1], sorted(limits)[_CLAIMS // 2])
    line.note = (
        f"p50 {late[len(late) // 2]:.0f} ms, p99 {late[int(0.99 * len(late))]:.0f} ms; us of CPU a timer: "
        f"PostgreSQL {used[0]:.0f}, workers {' and '.join(f'{each:.0f}' for each in used[1:])}"
    )
    return line


def _weighed(stage: Stage, workers: Sequence[Running]) -> list[float]:
    """CPU seconds of PostgreSQL and of each worker."""
    assert stage.server.pid is not None
    return [family_cpu_seconds(stage.server.pid), *(worker.cpu_seconds() for worker in workers)]


async def _posting_rate(place: Place, port: int, name: str) -> float:
    far = datetime.now(UTC) + timedelta(days=30)
    started = time.monotonic()
    await post_complaints(place, port, name, [far] * 500)
    return 500 / (time.monotonic() - started)


async def _watch(connection: asyncpg.Connection, place: Place, count: int) -> dict[int, float]:
    """When each commit was first seen, until all timers were announced."""
    seen: dict[int, float] = {}
    known = await connection.fetchval("SELECT seq FROM tenant_head WHERE tenant_id = $1", place.tenant_id)
    waiting = "SELECT count(*) FROM sla_due WHERE next_at < now() + interval '1 day'"
    until = time.monotonic() + _WAIT_SECONDS + count / 100
    while time.monotonic() < until:
        seq = await connection.fetchval("SELECT seq FROM tenant_head WHERE tenant_id = $1", place.tenant_id)
        if seq != known:
            now = time.time()
            seen.update(dict.fromkeys(range(known + 1, seq + 1), now))
            known = seq
            if not await connection.fetchval(waiting):
                return seen
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError("the timers did not all fire")


def _due_of(body: bytes) -> datetime:
    found = _DUE_AT.search(body)
    assert found is not None, body[:300]
    return datetime.fromisoformat(found[1].decode())
