"""The gauges that must be asked for: queues of the database, the pool, readiness."""

from __future__ import annotations

from app.db.engine import Database
from app.db.readiness import check_login, check_schema
from app.kit import instruments
from app.operations.repository import get_queues

REFRESH_SECONDS = 15.0


class Gauges:
    """Asks the database how much waits; while it is away the last figures stand and `vidhuk_ready` is 0."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def refresh(self) -> None:
        """Bring the gauges up to date."""
        used, idle = self._database.connections()
        instruments.CONNECTIONS.labels("in_use").set(used)
        instruments.CONNECTIONS.labels("idle").set(idle)
        try:
            async with self._database.worker() as tx:
                problems = [*await check_login(tx), *await check_schema(tx)]
                queues = {} if problems else await get_queues(tx)
        except Exception:  # noqa: BLE001 - whatever it is, the figures say: not ready
            problems, queues = ["database"], {}
        instruments.READY.set(0 if problems else 1)
        for name, value in queues.items():
            instruments.QUEUES[name].set(value)

    async def step(self) -> float:
        """One step of the worker's loop."""
        await self.refresh()
        return REFRESH_SECONDS
