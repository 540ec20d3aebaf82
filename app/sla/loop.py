"""Fires what has come due: candidates by a plain look, the tenant's lock, then the clock again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog

from app.db.engine import Database
from app.db.wakeup import Bell
from app.journal.due import in_chunks, in_halves
from app.journal.journal import Journal
from app.journal.tenants import list_tenants
from app.sla.rehearsal import Rehearsals
from app.sla.telling import tell_all

log = structlog.get_logger()

CANDIDATES = 10_000
LOOKS_A_STEP = 2000
LOOKS_A_COMMIT = 500
RUSH_SECONDS = 1.0

DUE: Final = """
SELECT tenant_id, subject_id FROM sla_due WHERE next_at <= now() + $1::interval ORDER BY next_at LIMIT $2
"""
_NEXT = "SELECT extract(epoch FROM min(next_at) - now() - $1::interval)::float8 FROM sla_due"
_STILL_DUE: Final = """
SELECT subject_id FROM sla_due
 WHERE tenant_id = $1 AND subject_id = any($2) AND next_at <= now() + $3::interval
"""
_OPEN = """
SELECT DISTINCT t.subject_id FROM sla_timers t
 WHERE t.tenant_id = $1 AND t.state = 'open' AND t.subject_id > $2
   AND NOT EXISTS (SELECT 1 FROM announcements a WHERE a.tenant_id = t.tenant_id
       AND a.subject_id = t.subject_id AND a.timer = t.timer AND a.cycle = t.cycle AND a.kind = 'breached')
   AND NOT EXISTS (SELECT 1 FROM events e WHERE e.tenant_id = t.tenant_id AND e.subject_id = t.subject_id
       AND e.origin <> 'live' AND e.recorded_at > t.due_at)
 ORDER BY t.subject_id LIMIT 1000
"""
# The due index lies on the coordinator of a cluster, the timers on its workers: two questions, no join.
_INDEXED = "SELECT subject_id FROM sla_due WHERE tenant_id = $1 AND subject_id = any($2)"
_FIRST = UUID(int=0)


class SlaLoop:
    """One step fires everything that is due now, tenant by tenant; it sleeps until the next due time."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        bell: Bell,
        *,
        poll_seconds: float,
        rehearsals: Rehearsals | None = None,
    ) -> None:
        self._database = database
        self._journal = journal
        self._bell = bell
        self._rehearsals = rehearsals
        self._poll_seconds = poll_seconds
        self._rush_began: float | None = None

    def is_rushed(self) -> bool:
        """True while it tells what was rehearsed, and for so long only that others can wait for it."""
        return self._rush_began is not None and time.monotonic() - self._rush_began < RUSH_SECONDS

    async def step(self) -> float:
        """Fire what is due; the seconds to sleep after it."""
        rows = await self._list_due()
        left = rows if self._rehearsals is None else await self._tell(self._rehearsals, rows)
        for tenant_id, subject_ids in in_chunks(left[:LOOKS_A_STEP], "subject_id", LOOKS_A_COMMIT):
            if await in_halves(tenant_id, subject_ids, self._look, self._postpone):
                self._bell.ring("fanout")
        if len(rows) == CANDIDATES or len(left) > LOOKS_A_STEP:
            return 0.0
        return await self._until_next()

    async def _list_due(self) -> list[Any]:
        async with self._database.worker() as tx:
            return await tx.fetch(DUE, self._journal.offset(), CANDIDATES)

    async def _tell(self, rehearsals: Rehearsals, rows: list[Any]) -> list[Any]:
        """Tell what was rehearsed of the rows; those that are still due after it and must be read."""
        rehearsed = rehearsals.take(rows)
        if not rehearsed:
            return rows
        self._rush_began = time.monotonic()
        try:
            told = await tell_all(self._journal, rehearsed)
        finally:
            self._rush_began = None
            self._bell.ring("fanout")
        if told == len(rows):
            return []
        # another process may have told the rest meanwhile
        return [row for row in await self._list_due() if not rehearsals.knows(row["subject_id"])]

    async def _look(self, tenant_id: UUID, subject_ids: Sequence[UUID]) -> int:
        """One commit: take the lock, look which are still due, read their clocks, announce."""
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            rows = await tx.fetch(_STILL_DUE, tenant_id, subject_ids, self._journal.offset())
            commit.touched = {row["subject_id"] for row in rows}
            return await self._journal.announce(tx, commit)

    async def _postpone(self, tenant_id: UUID, subject_id: UUID, error: Exception) -> None:
        """A subject that cannot be read is tried again in an hour, so that it does not hold up the others."""
        log.error("subject_cannot_fire", tenant=str(tenant_id), subject=str(subject_id), exc_info=error)
        async with self._database.write(tenant_id) as tx:
            await tx.execute(
                "UPDATE sla_due SET next_at = now() + $3::interval + interval '1 hour' "
                "WHERE tenant_id = $1 AND subject_id = $2",
                tenant_id,
                subject_id,
                self._journal.offset(),
            )

    async def _until_next(self) -> float:
        async with self._database.worker() as tx:
            seconds: float | None = await tx.fetchval(_NEXT, self._journal.offset())
        if seconds is None:
            return self._poll_seconds
        return min(max(seconds, 0.001), self._poll_seconds)


class SlaSweep:
    """Mends the due index: a running timer that it forgot is looked at again (hourly)."""

    def __init__(self, database: Database, journal: Journal, *, every_seconds: float = 3600.0) -> None:
        self._database = database
        self._journal = journal
        self._every_seconds = every_seconds

    async def step(self) -> float:
        """Look at every tenant once."""
        for tenant_id in await list_tenants(self._database):
            await self.mend(tenant_id)
        return self._every_seconds

    async def mend(self, tenant_id: UUID) -> int:
        """Read the clock of every forgotten timer of a tenant; how many there were."""
        mended, last = 0, _FIRST
        while True:
            async with self._journal.database.write(tenant_id) as tx:
                running = [row["subject_id"] for row in await tx.fetch(_OPEN, tenant_id, last)]
                indexed = {row["subject_id"] for row in await tx.fetch(_INDEXED, tenant_id, running)}
            lost = [subject_id for subject_id in running if subject_id not in indexed]
            for first in range(0, len(lost), LOOKS_A_COMMIT):
                await self._look(tenant_id, lost[first : first + LOOKS_A_COMMIT])
            mended += len(lost)
            if not running:
                return mended
            last = running[-1]

    async def _look(self, tenant_id: UUID, subject_ids: list[UUID]) -> None:
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            commit.touched = set(subject_ids)
            await self._journal.announce(tx, commit)
