"""Retention of raw payloads: the one place with clear identifiers forgets after so many days."""

from __future__ import annotations

import structlog

from app.db.engine import Database

log = structlog.get_logger()

ROWS_AT_ONCE = 5_000
EVERY_SECONDS = 3_600.0

_DELETE = """
DELETE FROM raw_payloads WHERE tenant_id = $1 AND (received_at, raw_id) IN (
    SELECT received_at, raw_id FROM raw_payloads
     WHERE tenant_id = $1 AND received_at < now() - make_interval(days => $2) LIMIT $3)
"""


class RawRetention:
    """Deletes what is older than `days`, tenant by tenant, in short transactions.

    The service's login owns no table, so it deletes rows; an operator may drop whole partitions.
    """

    def __init__(self, database: Database, *, days: int) -> None:
        self._database = database
        self._days = days

    async def step(self) -> float:
        """Go over every tenant once; the seconds until the next time."""
        async with self._database.worker() as tx:
            tenants = await tx.fetch("SELECT tenant_id FROM tenants ORDER BY tenant_id")
        for row in tenants:
            deleted = ROWS_AT_ONCE
            while deleted == ROWS_AT_ONCE:
                async with self._database.write(row["tenant_id"]) as tx:
                    tag = await tx.execute(_DELETE, row["tenant_id"], self._days, ROWS_AT_ONCE)
                deleted = int(tag.rpartition(" ")[2])
                if deleted:
                    log.info("raw_payloads_deleted", tenant=str(row["tenant_id"]), rows=deleted)
        return EVERY_SECONDS
