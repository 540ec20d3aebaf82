"""NOTIFY between processes: only a hint, sent after commit on a side connection, never inside a transaction.

Polling is the truth; a lost notification costs one poll interval, never a delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg
import structlog
from sqlalchemy.engine import make_url

from app.kit.loops import Wakeup

log = structlog.get_logger()

CHANNEL = "vidhuk"
MIN_INTERVAL_SECONDS = 0.05
"""At most one NOTIFY per process in this time: its commit takes a lock of the whole server."""

_CHECK_SECONDS = 10.0
_SELF_CHECK_TIMEOUT_SECONDS = 5.0


class Bell:
    """Rings the loops of this process at once, and those of the others by NOTIFY."""

    def __init__(self, url: str, wakeups: Mapping[str, Wakeup]) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.wakeups = dict(wakeups)
        self._names: set[str] = set()
        self._wake = asyncio.Event()
        self.listening = False

    def ring(self, *names: str) -> None:
        """Wake these loops, here and elsewhere."""
        for name in names:
            self.wakeups[name].ring()
        self._names.update(names)
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep one side connection that notifies and listens; connect again when it breaks."""
        while not stop.is_set():
            try:
                await self._serve(stop)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("wakeup_connection_lost", error=repr(error))
                self._ring_all()
                await _sleep(stop, 1.0)
            finally:
                self.listening = False

    async def _serve(self, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=5, server_settings={"application_name": "vidhuk-wakeup"}
        )
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self.listening = True
            self._ring_all()
            while not stop.is_set():
                try:
                    async with asyncio.timeout(_CHECK_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    # a half-open connection says nothing until it is spoken to
                    await connection.execute("SELECT 1", timeout=_SELF_CHECK_TIMEOUT_SECONDS)
                    continue
                self._wake.clear()
                names, self._names = ",".join(sorted(self._names)), set()
                if names:
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, names, timeout=5)
                await _sleep(stop, MIN_INTERVAL_SECONDS)
        finally:
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        for name in payload.split(","):
            if name in self.wakeups:
                self.wakeups[name].ring()

    def _ring_all(self) -> None:
        for wakeup in self.wakeups.values():
            wakeup.ring()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
