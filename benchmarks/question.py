"""A quarter of NPS by day and touchpoint over HTTP, beside SQL on the rows and SQL on the cuboid."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import perf_counter
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from app.metrics.buckets import midnight
from app.metrics.folder import fold
from app.wiring import Services
from benchmarks.plan import Plan
from benchmarks.processes import free_port, running
from benchmarks.report import Goal, Line
from benchmarks.stage import Place, Stage

_DAYS = 90
_COMMIT = 500
_ASKS = 7
_ZONE: Final = ZoneInfo("Europe/Kyiv")
_DAY: Final = timedelta(days=1)
_FILL = """
INSERT INTO feedback (tenant_id, feedback_id, seq_from, event_id, position, answer_index, occurred_at, source,
                      kind, channel, touchpoint, location, employee, question, measure, scale_id,
                      scale_version, raw_value, value, norm01, class, slot, collection_mode, incentivised,
                      attributes)
SELECT $1, gen_random_uuid(), 1 + n / $4, gen_random_uuid(), ((1 + n / $4)::bigint << 20) + n % $4, 0,
       $3::timestamptz + random() * $5 * interval '1 day', 'bench', 'rating',
       (ARRAY['call', 'chat', 'store', 'web'])[1 + n % 4], 'touch-' || n % 40, 'store-' || n % 200,
       'employee-' || n % 300, 'nps', 'nps', 'nps_0_10', 1, score::text, score, score / 10.0,
       CASE WHEN score >= 9 THEN 'positive' WHEN score >= 7 THEN 'neutral' ELSE 'negative' END,
       score, 'invited', false, '{}'
  FROM (SELECT n, floor(random() * 11)::int AS score FROM generate_series(0, $2::int - 1) AS n) AS made
"""
ON_ROWS = """
SELECT (occurred_at AT TIME ZONE 'Europe/Kyiv')::date AS day, touchpoint, count(*) AS n,
       100.0 * (count(*) FILTER (WHERE slot >= 9) - count(*) FILTER (WHERE slot <= 6)) / count(*) AS nps
  FROM feedback
 WHERE tenant_id = $1 AND seq_to IS NULL AND occurred_at >= $2 AND occurred_at < $3
   AND measure = 'nps' AND scale_id = 'nps_0_10' AND qualification IS DISTINCT FROM 'invalid'
 GROUP BY 1, 2 ORDER BY 1, 2
"""
ON_CUBOID = """
SELECT bucket, touchpoint, sum(v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7 + v8 + v9 + v10) AS n,
       100.0 * sum(v9 + v10 - v0 - v1 - v2 - v3 - v4 - v5 - v6)
             / sum(v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7 + v8 + v9 + v10) AS nps
  FROM cuboid_day_touchpoint_channel
 WHERE tenant_id = $1 AND bucket >= ($2::timestamptz AT TIME ZONE 'Europe/Kyiv')::date
   AND bucket < ($3::timestamptz AT TIME ZONE 'Europe/Kyiv')::date
   AND measure = 'nps' AND scale_id = 'nps_0_10'
 GROUP BY 1, 2 ORDER BY 1, 2
"""


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """The median of a few asks a repetition, each way in turn."""
    what = f"a quarter by day x touchpoint, {plan.answers:,} answers"
    rows = Line(what, "ms", "SQL on the rows", Goal("<= 1/100 (at 10 M)"))
    cuboid = Line("the same", "ms", "SQL on the cuboid", Goal("<= 2", at_most=2.0))
    again = Line("the same, asked again unchanged", "ms", "SQL on the cuboid", Goal("<= 2", at_most=2.0))
    last = datetime.now(_ZONE).date() - _DAY
    # Local midnights, also across a clock change: both sides then count the same whole days.
    span = (midnight(last - _DAYS * _DAY, _ZONE), midnight(last, _ZONE))
    await _fill(plan, place, span)
    port = free_port()
    with running(["-m", "app", "serve"], place.environment(port), port):
        headers = {"Authorization": f"Bearer {place.key}"}
        async with (
            place.superuser() as connection,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        ):
            await _ask(client, span, 10_000)
            for repetition in range(plan.repetitions):
                took = [
                    [
                        await timed_rows(connection, ON_ROWS, place, span),
                        await timed_rows(connection, ON_CUBOID, place, span),
                        # another page size is another question: nothing is remembered of it
                        await _ask(client, span, 10_001 + repetition * _ASKS + number),
                        await _ask(client, span, 10_000),
                    ]
                    for number in range(_ASKS)
                ]
                on_rows, on_cuboid, asked, repeated = (
                    sorted(column)[_ASKS // 2] for column in zip(*took, strict=True)
                )
                rows.add(asked, on_rows)
                cuboid.add(asked, on_cuboid)
                again.add(repeated, on_cuboid)
    rows.note = f"{_DAYS * 40} cells with intervals as JSON; SQL gives bare numbers to the driver"
    return [rows, cuboid, again]


async def _fill(plan: Plan, place: Place, span: tuple[datetime, datetime]) -> None:
    async with place.superuser() as connection:
        days = (span[1] - span[0]) / _DAY
        await connection.execute(_FILL, place.tenant_id, plan.answers, span[0], _COMMIT, days)
        last = 1 + (plan.answers - 1) // _COMMIT
        await connection.execute(
            "UPDATE tenant_head SET seq = $2 WHERE tenant_id = $1", place.tenant_id, last
        )
        await connection.execute("VACUUM ANALYZE feedback")

    async def fold_all(services: Services) -> None:
        while await fold(services.database, place.tenant_id, services.clock()):
            pass

    await place.with_services(fold_all)
    async with place.superuser() as connection:
        await connection.execute("VACUUM ANALYZE cuboid_day_touchpoint_channel")


async def timed_rows(
    connection: asyncpg.Connection, sql: str, place: Place, span: tuple[datetime, datetime]
) -> float:
    """Milliseconds of SQL by hand for the same days."""
    started = perf_counter()
    await connection.fetch(sql, place.tenant_id, *span)
    return 1000 * (perf_counter() - started)


async def _ask(client: httpx.AsyncClient, span: tuple[datetime, datetime], limit: int) -> float:
    """Milliseconds of one question over HTTP."""
    question = {
        "metrics": ["nps"],
        "group_by": ["touchpoint"],
        "granularity": "day",
        "period": {"from": span[0].isoformat(), "to": span[1].isoformat()},
        "limit": limit,
    }
    started = perf_counter()
    answer = await client.post("/v1/metrics/query", json=question)
    took = 1000 * (perf_counter() - started)
    answer.raise_for_status()
    assert len(answer.json()["rows"]) >= _DAYS * 39, "the answer is not whole"
    return took
