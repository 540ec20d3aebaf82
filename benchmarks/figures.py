"""Ten typical questions over two years of a large tenant: how long each takes, what the cuboids weigh."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from app.metrics.buckets import midnight
from app.metrics.folder import fold
from app.wiring import Services
from benchmarks.plan import Plan
from benchmarks.processes import free_port, running
from benchmarks.question import ON_CUBOID, ON_ROWS, timed_rows
from benchmarks.report import Goal, Line
from benchmarks.stage import Place, Stage

_DAYS = 730
_COMMIT = 500
_ASKS = 15
_BESIDE = 5
_ZONE: Final = ZoneInfo("Europe/Kyiv")
_FILL = """
INSERT INTO feedback (tenant_id, feedback_id, seq_from, event_id, position, answer_index, occurred_at, source,
                      kind, channel, touchpoint, location, employee, question, measure, scale_id,
                      scale_version, raw_value, value, norm01, class, slot, collection_mode, incentivised,
                      attributes)
SELECT $1, gen_random_uuid(), 1 + n / $4, gen_random_uuid(), ((1 + n / $4)::bigint << 20) + n % $4, 0,
       $3::timestamptz + n * ($5::double precision / $2) * interval '1 day', 'bench', 'rating',
       (ARRAY['call', 'chat', 'store', 'web'])[1 + floor(random() * 4)::int],
       'touch-' || floor(random() * 40)::int, 'store-' || employee / 15, 'employee-' || employee,
       CASE WHEN is_nps THEN 'nps' ELSE 'csat' END, CASE WHEN is_nps THEN 'nps' ELSE 'csat' END,
       CASE WHEN is_nps THEN 'nps_0_10' ELSE 'csat_1_5' END, 1, score::text, score,
       CASE WHEN is_nps THEN score / 10.0 ELSE (score - 1) / 4.0 END,
       CASE WHEN score >= (CASE WHEN is_nps THEN 9 ELSE 4 END) THEN 'positive'
            WHEN score >= (CASE WHEN is_nps THEN 7 ELSE 3 END) THEN 'neutral' ELSE 'negative' END,
       CASE WHEN is_nps THEN score ELSE score - 1 END, 'invited', false, '{}'
  FROM (SELECT n, floor(random() * 3000)::int AS employee, n % 2 = 0 AS is_nps,
               CASE WHEN n % 2 = 0 THEN floor(random() * 11)::int
                    ELSE 1 + floor(random() * 5)::int END AS score
          FROM generate_series($6::int, $7::int - 1) AS n) AS made
"""
_CASES = """
INSERT INTO cases (tenant_id, case_id, seq, opened_at, kind, severity, state, source, location,
                   customer_facing, initiative, detection, reopened_count, steps, attributes, anomalies,
                   first_response_at, closed_at)
SELECT $1, gen_random_uuid(), 1, opened, 'complaint', 'sev3', 'closed', 'bench',
       'store-' || n % 200, true, 'reactive', '{}', 0, '[]', '{}', '[]',
       opened + random() * interval '8 hours', opened + random() * interval '9 days'
  FROM (SELECT n, $3::timestamptz + random() * $4::double precision * interval '1 day' AS opened
          FROM generate_series(0, $2::int - 1) AS n) AS made
"""
_AT_ONCE = 1_000_000
_QUESTIONS: Final[dict[str, dict[str, Any]]] = {
    "NPS, 28 days against the 28 before": {
        "metrics": ["nps"],
        "period": "28d",
        "compare": "previous_period",
    },
    "NPS by day x touchpoint, 90 days": {
        "metrics": ["nps"],
        "group_by": ["touchpoint"],
        "granularity": "day",
        "period": "90d",
    },
    "NPS by day x touchpoint, a year": {
        "metrics": ["nps"],
        "group_by": ["touchpoint"],
        "granularity": "day",
        "period": "365d",
    },
    "CSAT by month x location, a year": {
        "metrics": ["csat_t2b"],
        "group_by": ["location"],
        "granularity": "month",
        "period": "365d",
    },
    "happiness by week x channel, a year": {
        "metrics": ["happiness"],
        "group_by": ["channel"],
        "granularity": "week",
        "period": "365d",
    },
    "NPS by employee, 90 days": {"metrics": ["nps"], "group_by": ["employee"], "period": "90d"},
    "one employee by day, 90 days": {
        "metrics": ["nps"],
        "granularity": "day",
        "period": "90d",
        "filters": [{"dimension": "employee", "values": ["employee-7"]}],
    },
    "NPS by hour x touchpoint, 7 days": {
        "metrics": ["nps"],
        "group_by": ["touchpoint"],
        "granularity": "hour",
        "period": "7d",
    },
    "ad hoc: location x channel, 28 days (rows)": {
        "metrics": ["nps"],
        "group_by": ["location", "channel"],
        "period": "28d",
    },
    "first response by month, a year (cases)": {
        "metrics": ["first_response_median", "cases_opened"],
        "granularity": "month",
        "period": "365d",
    },
}


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """Each question asked anew several times (its page size differs), and the same one asked again."""
    lines = await _fill(plan, place)
    port = free_port()
    with running(["-m", "app", "serve"], place.environment(port), port):
        headers = {"Authorization": f"Bearer {place.key}"}
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60
        ) as client:
            for what, question in _QUESTIONS.items():
                await _ask(client, question, 19_000)
                took = sorted([await _ask(client, question, 19_001 + n) for n in range(_ASKS)])
                again = sorted([await _ask(client, question, 19_000) for _ in range(_ASKS)])
                line = Line(what, "ms", "asked again, unchanged")
                line.add(median(took), median(again))
                line.note = f"slowest of {_ASKS}: {took[-1]:.0f} ms"
                lines.append(line)
            lines += await _beside_sql(place, client)
            lines.append(await _freshness(client))
    return lines


async def _beside_sql(place: Place, client: httpx.AsyncClient) -> list[Line]:
    """A whole year by day and touchpoint, asked anew, beside SQL by hand for the same days."""
    rows = Line("a year by day x touchpoint", "ms", "SQL on the rows", Goal("<= 1/100 (at 10 M)"))
    cuboid = Line("the same", "ms", "SQL on the cuboid", Goal("<= 2", at_most=2.0))
    last = datetime.now(_ZONE).date()
    span = (midnight(last - timedelta(days=365), _ZONE), midnight(last, _ZONE))
    asked = {
        **_QUESTIONS["NPS by day x touchpoint, a year"],
        "period": {"from": span[0].isoformat(), "to": span[1].isoformat()},
    }
    async with place.superuser() as connection:
        for number in range(_BESIDE):
            on_rows = await timed_rows(connection, ON_ROWS, place, span)
            on_cuboid = await timed_rows(connection, ON_CUBOID, place, span)
            ours = await _ask(client, asked, 18_001 + number)
            rows.add(ours, on_rows)
            cuboid.add(ours, on_cuboid)
    return [rows, cuboid]


async def _fill(plan: Plan, place: Place) -> list[Line]:
    first = datetime.now(_ZONE) - timedelta(days=_DAYS)
    async with place.superuser() as connection:
        for start in range(0, plan.history, _AT_ONCE):
            end = min(plan.history, start + _AT_ONCE)
            await connection.execute(
                _FILL, place.tenant_id, plan.history, first, _COMMIT, float(_DAYS), start, end, timeout=3600
            )
        await connection.execute(_CASES, place.tenant_id, plan.history // 100, first, float(_DAYS))
        last = 1 + (plan.history - 1) // _COMMIT
        await connection.execute(
            "UPDATE tenant_head SET seq = $2 WHERE tenant_id = $1", place.tenant_id, last
        )
        await connection.execute("VACUUM ANALYZE feedback", timeout=3600)
        await connection.execute("VACUUM ANALYZE cases")

    async def fold_all(services: Services) -> float:
        started = perf_counter()
        while await fold(services.database, place.tenant_id, services.clock()):
            pass
        return perf_counter() - started

    took = await place.with_services(fold_all)
    folded = Line(f"fold of {plan.history:,} answers", "answers/s", "")
    folded.add(plan.history / took)
    async with place.superuser() as connection:
        return [folded, *await _sizes(connection)]


async def _sizes(connection: asyncpg.Connection) -> list[Line]:
    """Megabytes of each cuboid with its key, beside the rows that it counts."""
    names = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relname ~ '^cuboid_[a-z_]+$' ORDER BY 1"
    )
    whole = await connection.fetchval("SELECT pg_total_relation_size('feedback')")
    lines = []
    for (name,) in names:
        await connection.execute(f"VACUUM ANALYZE {name}", timeout=600)
        size = await connection.fetchval("SELECT pg_total_relation_size($1::text::regclass)", name)
        rows = await connection.fetchval(f"SELECT count(*) FROM {name}")
        line = Line(f"{name}, {rows:,} rows", "MB", "feedback with its indexes, MB")
        line.add(size / 1e6, whole / 1e6)
        lines.append(line)
    return lines


async def _freshness(client: httpx.AsyncClient) -> Line:
    """From the moment an answer is acknowledged to an answer of ours that counts it: one question."""
    line = Line("acknowledged -> counted, NPS today", "ms", "")
    for number in range(_ASKS):
        event = {
            "type": "feedback.received",
            "id": f"fresh-{number}",
            "source": "bench",
            "occurred_at": datetime.now(_ZONE).isoformat(),
            "data": {"channel": "web", "scale": "nps_0_10", "value": 9, "touchpoint": "fresh"},
        }
        (await client.post("/v1/events", json=[event])).raise_for_status()
        asked = {
            "metrics": ["nps"],
            "period": "today",
            "filters": [{"dimension": "touchpoint", "values": ["fresh"]}],
        }
        started = perf_counter()
        answer = await client.post("/v1/metrics/query", json=asked)
        line.add(1000 * (perf_counter() - started))
        [row] = answer.json()["rows"]
        assert row["nps_n"] == number + 1, "an acknowledged answer is not counted"
    return line


async def _ask(client: httpx.AsyncClient, question: dict[str, Any], limit: int) -> float:
    """Milliseconds of one question over HTTP."""
    started = perf_counter()
    answer = await client.post("/v1/metrics/query", json={**question, "limit": limit})
    took = 1000 * (perf_counter() - started)
    answer.raise_for_status()
    assert answer.json()["rows"], "the answer is empty"
    return took
