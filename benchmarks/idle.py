"""What a process costs that has nothing to do: CPU of the role `all` beside very many open timers."""

from __future__ import annotations

import asyncio

import asyncpg

from benchmarks.plan import Plan
from benchmarks.processes import family_cpu_seconds, free_port, running
from benchmarks.report import Goal, Line
from benchmarks.stage import Place, Stage

_SETTLE_SECONDS = 4.0
_FILL = """
WITH made AS (
    INSERT INTO sla_timers (tenant_id, subject_id, timer, cycle, seq, subject_kind, policy, policy_version,
                            clock_kind, state, started_at, due_at, attributes, anomalies)
    SELECT $1, gen_random_uuid(), 'given_due', gen_random_uuid(), 1, 'case', 'bench', 1, 'internal', 'open',
           now(), now() + interval '1 day' + n * interval '1 second', '{}', '[]'
      FROM generate_series(1, $2::int) AS n
    RETURNING tenant_id, subject_id, due_at)
INSERT INTO sla_due (tenant_id, subject_id, next_at) SELECT * FROM made
"""


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """Shares of one core, of the process and of its PostgreSQL, over some quiet seconds."""
    what = f"idle CPU of `all`, {plan.open_timers:,} open timers"
    line = Line(what, "% of a core", "-", Goal("<= 1 %", at_most=1.0))
    async with place.superuser() as connection:
        await fill_timers(connection, place, plan.open_timers)
    server_pid = stage.server.pid
    assert server_pid is not None
    port = free_port()
    with running(["-m", "app", "all"], place.environment(port), port) as process:
        await asyncio.sleep(_SETTLE_SECONDS)
        used, served = process.cpu_seconds(), family_cpu_seconds(server_pid)
        await asyncio.sleep(plan.idle_seconds)
        line.add(100 * (process.cpu_seconds() - used) / plan.idle_seconds)
        share = 100 * (family_cpu_seconds(server_pid) - served) / plan.idle_seconds
        line.note = f"PostgreSQL beside it: {share:.1f} % of a core"
    return [line]


async def fill_timers(connection: asyncpg.Connection, place: Place, count: int) -> None:
    """Open timers that fall due from tomorrow on, one a second."""
    await connection.execute(_FILL, place.tenant_id, count)
    await connection.execute("VACUUM ANALYZE sla_timers, sla_due")
