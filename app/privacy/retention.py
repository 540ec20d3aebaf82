"""Drops what a tenant wants to keep no longer: words of old events, raw bodies, decisions; never facts."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import structlog

from app.journal.journal import Journal

log = structlog.get_logger()

EVERY_SECONDS: Final = 3_600.0
ROWS_AT_ONCE: Final = 5_000

_RULES = "SELECT text_days, raw_days, decision_days, text_position FROM retention_rules WHERE tenant_id = $1"
_STRETCH = """
SELECT position, event_id FROM events
 WHERE tenant_id = $1 AND position > $2 AND recorded_at < now() + $3::interval - make_interval(days => $4)
 ORDER BY position LIMIT $5
"""
_STRIP = """
UPDATE event_personal SET data = CASE WHEN data ? 'subject_ref'
       THEN jsonb_build_object('subject_ref', data->'subject_ref') ELSE '{}'::jsonb END
 WHERE tenant_id = $1 AND event_id = any($2) AND data - 'subject_ref' <> '{}'::jsonb
"""
_REACHED = "UPDATE retention_rules SET text_position = $2 WHERE tenant_id = $1"
_DELETE_RAW = """
DELETE FROM raw_payloads WHERE tenant_id = $1 AND (received_at, raw_id) IN (
    SELECT received_at, raw_id FROM raw_payloads
     WHERE tenant_id = $1 AND received_at < now() + $2::interval - make_interval(days => $3) LIMIT $4)
"""
_DELETE_DECISIONS = """
DELETE FROM ask_decisions WHERE tenant_id = $1 AND decision_id IN (
    SELECT decision_id FROM ask_decisions
     WHERE tenant_id = $1 AND at < now() + $2::interval - make_interval(days => $3) LIMIT $4)
"""


class TenantRetention:
    """Goes over every tenant with rules of its own, in short transactions; interrupted, it goes on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def step(self) -> float:
        """One round; the seconds until the next one."""
        async with self._journal.database.worker() as tx:
            tenants = await tx.fetch("SELECT tenant_id FROM tenants ORDER BY tenant_id")
        for row in tenants:
            tenant_id: UUID = row["tenant_id"]
            async with self._journal.database.write(tenant_id) as tx:
                rules = await tx.fetchrow(_RULES, tenant_id)
            if rules is not None:
                await self._apply(tenant_id, rules)
        return EVERY_SECONDS

    async def _apply(self, tenant_id: UUID, rules: Any) -> None:
        if rules["text_days"] is not None:
            await self._strip(tenant_id, rules["text_days"], rules["text_position"])
        for days, statement in (
            (rules["raw_days"], _DELETE_RAW),
            (rules["decision_days"], _DELETE_DECISIONS),
        ):
            if days is None:
                continue
            count = ROWS_AT_ONCE
            while count == ROWS_AT_ONCE:
                async with self._journal.database.write(tenant_id) as tx:
                    offset = self._journal.offset()
                    tag = await tx.execute(statement, tenant_id, offset, days, ROWS_AT_ONCE)
                count = int(tag.rpartition(" ")[2])

    async def _strip(self, tenant_id: UUID, days: int, position: int) -> None:
        """Texts, stretch by stretch in journal order; a case's reference stays, so that its events meet."""
        rows: list[Any] = [None] * ROWS_AT_ONCE
        while len(rows) == ROWS_AT_ONCE:
            async with self._journal.database.write(tenant_id) as tx:
                offset = self._journal.offset()
                rows = await tx.fetch(_STRETCH, tenant_id, position, offset, days, ROWS_AT_ONCE)
                if rows:
                    position = rows[-1]["position"]
                    tag = await tx.execute(_STRIP, tenant_id, [row["event_id"] for row in rows])
                    await tx.execute(_REACHED, tenant_id, position)
                    log.info("texts_dropped", tenant=str(tenant_id), rows=int(tag.rpartition(" ")[2]))
