"""The limit of firing timers: claim, mark and write one row each in one statement, nothing else."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import asyncpg

_TABLES = """
DROP TABLE IF EXISTS limit_timers, limit_events;
CREATE TABLE limit_timers (timer_id bigint PRIMARY KEY, due_at timestamptz NOT NULL, state text NOT NULL);
CREATE INDEX ON limit_timers (due_at) WHERE state = 'open';
CREATE TABLE limit_events (timer_id bigint, due_at timestamptz, recorded_at timestamptz)
"""
_FILL = """
INSERT INTO limit_timers
SELECT n, $1::timestamptz, 'open' FROM generate_series(1, $2::int) AS n
"""
_CLAIM = """
WITH due AS (
    SELECT timer_id FROM limit_timers WHERE state = 'open' AND due_at <= now()
     ORDER BY due_at LIMIT 500 FOR UPDATE SKIP LOCKED
), fired AS (
    UPDATE limit_timers t SET state = 'fired' FROM due WHERE t.timer_id = due.timer_id
    RETURNING t.timer_id, t.due_at
), noted AS (
    INSERT INTO limit_events SELECT timer_id, due_at, now() FROM fired RETURNING due_at
)
SELECT count(*) AS n, min(due_at) AS oldest FROM noted
"""


async def claim_lateness(connection: asyncpg.Connection, count: int) -> float:
    """Seconds from due to commit of the latest of `count` timers that fall due at one instant."""
    start = datetime.now(UTC) + timedelta(seconds=2)
    await connection.execute(_TABLES)
    await connection.execute(_FILL, start, count)
    latest, left = 0.0, count
    while left:
        row = await connection.fetchrow(_CLAIM)
        if not row["n"]:
            await asyncio.sleep(0.002)
            continue
        left -= row["n"]
        latest = max(latest, time.time() - row["oldest"].timestamp())
    return latest
