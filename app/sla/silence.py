"""Sources that should have spoken and did not: they make breaches provisional, and one alarm an outage."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from app.db.engine import Database, Tx
from app.db.wakeup import Bell
from app.domain.events import Event, EventType
from app.journal.journal import Journal
from app.journal.ports import OWN_SOURCE, Announcement, Commit, Draft, Place
from app.journal.tenants import list_tenants

_NAMESPACE = UUID("c6a6a4a2-7a0c-5d0e-8f0e-3d7d5a2b9c41")
_SILENT = """
SELECT key, last_event_at, expected_every_seconds, handles_cases FROM sources
 WHERE tenant_id = $1 AND disabled_at IS NULL AND expected_every_seconds IS NOT NULL
   AND last_event_at + make_interval(secs => expected_every_seconds) < $2
 ORDER BY key
"""
_TOLD = "SELECT external_id FROM events WHERE tenant_id = $1 AND source = $2 AND external_id = any($3)"


async def find_silent(tx: Tx, commit: Commit) -> frozenset[str]:
    """The sources that handle cases and are overdue: a fact that they know may not have come yet."""
    watched = (
        source.handles_cases and source.expected_every_seconds for source in commit.config.sources.values()
    )
    if not any(watched):
        return frozenset()
    rows = await tx.fetch(_SILENT, commit.tenant_id, commit.recorded_at)
    heard = {event.source for event in commit.events}
    return frozenset(row["key"] for row in rows if row["handles_cases"] and row["key"] not in heard)


class SilentSources:
    """Announces `source.silent` for the events of that type that the watch appended."""

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> list[Announcement]:
        """One announcement per event."""
        return [
            Announcement(event, {**event.fact, "detected_at": commit.recorded_at, "sequence": event.position})
            for event in commit.events
            if event.type is EventType.SOURCE_SILENT
        ]


class SourceWatch:
    """Looks for sources that fell silent, tenant by tenant; one event for each outage."""

    def __init__(
        self, database: Database, journal: Journal, bell: Bell, *, every_seconds: float = 15.0
    ) -> None:
        self._database = database
        self._journal = journal
        self._bell = bell
        self._every_seconds = every_seconds

    async def step(self) -> float:
        """Look at every tenant once; the seconds to sleep."""
        for tenant_id in await list_tenants(self._database):
            if await self.look(tenant_id):
                self._bell.ring("fanout")
        return self._every_seconds

    async def look(self, tenant_id: UUID) -> int:
        """State the outages of one tenant that nobody stated; how many."""
        async with self._database.write(tenant_id) as tx:
            if not await self._untold(tx, tenant_id, self._journal.clock()):
                return 0
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            drafts = [
                _draft(commit, identity, row)
                for identity, row in (await self._untold(tx, tenant_id, commit.recorded_at)).items()
            ]
            await self._journal.append(tx, commit, drafts)
        return len(drafts)

    async def _untold(self, tx: Tx, tenant_id: UUID, now: Any) -> dict[str, Any]:
        rows = await tx.fetch(_SILENT, tenant_id, now)
        outages = {_identity(tenant_id, row): row for row in rows}
        if not outages:
            return {}
        told = {row["external_id"] for row in await tx.fetch(_TOLD, tenant_id, OWN_SOURCE, list(outages))}
        return {identity: row for identity, row in outages.items() if identity not in told}


def _identity(tenant_id: UUID, row: Any) -> str:
    """An outage is named by the last word before it."""
    return str(uuid5(_NAMESPACE, f"{tenant_id}/{row['key']}/{row['last_event_at'].isoformat()}"))


def _draft(commit: Commit, identity: str, row: Any) -> Draft:
    expected = row["expected_every_seconds"]
    fact = {
        "silent_source": row["key"],
        "last_event_at": row["last_event_at"],
        "expected_every_seconds": expected,
        "handles_cases": row["handles_cases"],
    }
    event = Event(EventType.SOURCE_SILENT, identity, OWN_SOURCE, commit.recorded_at)
    named = UUID(identity)
    return Draft(event, fact, {}, named.bytes, commit.recorded_at, event_id=named)
