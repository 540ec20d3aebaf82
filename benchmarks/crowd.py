"""The crowd again, in front of a million open timers: only `--large` takes it on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from app.sla.loop import CANDIDATES, DUE
from benchmarks.breach import crowd
from benchmarks.complaints import put_policy
from benchmarks.idle import fill_timers
from benchmarks.plan import Plan
from benchmarks.processes import Running, free_port, running
from benchmarks.report import Line
from benchmarks.stage import Place, Stage

_SIZES = """
SELECT relname, pg_relation_size(oid) / 1048576.0 AS mib FROM pg_class
 WHERE relkind IN ('r', 'i') AND relname IN ('sla_timers', 'pk_sla_timers', 'ix_sla_timers_due',
       'ix_sla_timers_started', 'sla_due', 'pk_sla_due', 'ix_sla_due_next_at')
 ORDER BY relname
"""


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """The latest announcement of the crowd, by one worker and by two, and what the look at it reads."""
    if not plan.crowd_among:
        return []
    async with place.superuser() as connection:
        await fill_timers(connection, place, plan.crowd_among)
        read = await _explained(connection)
        sizes = {row["relname"]: round(float(row["mib"]), 1) for row in await connection.fetch(_SIZES)}
    port = free_port()
    with running(["-m", "app", "all"], place.environment(port), port) as first:
        await put_policy(place, port)
        one = await _measured(stage, place, plan, [first], "one worker")
        # no port of its own: a worker answers nobody
        words = ["-m", "app", "worker"]
        with running(words, place.environment(free_port()), 0, listens=False) as second:
            two = await _measured(stage, place, plan, [first, second], "two workers")
    one.note = f"{one.note}; a look with nothing due: {read}; MiB: {sizes}"
    return [one, two]


async def _measured(stage: Stage, place: Place, plan: Plan, workers: Sequence[Running], by: str) -> Line:
    line = await crowd(stage, place, workers, plan.timers, by.replace(" ", "-"))
    line.what = f"{line.what}, among {plan.crowd_among:,} open ones, {by}"
    return line


async def _explained(connection: asyncpg.Connection) -> str:
    """Node, rows and pages of the look at what is due."""
    rows = await connection.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {DUE}", timedelta(0), CANDIDATES
    )
    node: dict[str, Any] = json.loads(rows)[0]["Plan"]
    while "Plans" in node:
        node = node["Plans"][0]
    pages = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    return f"{node['Node Type']} {node.get('Index Name', '')}, {node['Actual Rows']:.0f} rows, {pages} pages"
