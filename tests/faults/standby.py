"""A hot standby of a test's server, and a proxy that clients stay with while the server behind it changes."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace

import asyncpg

from app.embedded import Access, RunningPostgres
from app.embedded.programs import settle_programs
from tests.faults.processes import free_port

_IN_STEP = "SELECT bool_or(sync_state IN ('sync', 'quorum')) FROM pg_stat_replication"


@dataclass
class Standby:
    """The copy: promoted it is a server like the first one."""

    primary: RunningPostgres
    port: int = field(default_factory=free_port)

    @property
    def access(self) -> Access:
        """The same logins, another port."""
        return replace(self.primary.access, port=self.port)

    def start(self) -> None:
        """Copy the running primary and follow it."""
        home = self.primary.home
        folder = home.folder / "standby"
        folder.mkdir(mode=0o700)
        if home.account is not None:
            home.account.own(folder)
        source = self.primary.dsn("postgres")
        self._run("pg_basebackup", "-D", str(folder), "-R", "-X", "stream", "-c", "fast", "-d", source)
        options = {"port": str(self.port), "unix_socket_directories": "", "listen_addresses": "127.0.0.1"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        log = str(home.folder / "standby" / "log.txt")
        self._run("pg_ctl", "start", "-w", "-D", str(folder), "-l", log, "-o", shlex.join(words))

    def promote(self) -> None:
        """Make it the primary."""
        self._run("pg_ctl", "promote", "-w", "-D", str(self.primary.home.folder / "standby"))

    def stop(self) -> None:
        """End it."""
        folder = str(self.primary.home.folder / "standby")
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", folder, check=False)

    def _run(self, program: str, *words: str, check: bool = True) -> None:
        done = settle_programs(self.primary.home).run(program, *words)
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr} {done.stdout}")


@contextmanager
def a_standby(primary: RunningPostgres) -> Iterator[Standby]:
    """A standby that runs, stopped at the end."""
    standby = Standby(primary)
    standby.start()
    try:
        yield standby
    finally:
        standby.stop()


async def keep_two_copies(primary: RunningPostgres) -> None:
    """From now on nothing is acknowledged that the standby does not have."""
    connection = await asyncpg.connect(primary.superuser_url)
    await connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await connection.execute("SELECT pg_reload_conf()")
    async with asyncio.timeout(20):
        while not await connection.fetchval(_IN_STEP):  # noqa: ASYNC110 - it has no event for it
            await asyncio.sleep(0.05)
    await connection.close()


class Proxy:
    """Forwards TCP to a port of this machine; `switch` cuts every connection, a hole swallows all."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.is_hole = False
        self._writers: set[asyncio.StreamWriter] = set()

    def switch(self, target: int) -> None:
        """Who connects from now on reaches this port."""
        self.target = target
        for writer in list(self._writers):
            writer.transport.abort()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        with suppress(asyncio.CancelledError):  # the end of the test
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        self._writers -= {writer, back}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if not self.is_hole:
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def a_proxy(target: int) -> AsyncIterator[Proxy]:
    """A proxy on a port of its own."""
    proxy = Proxy(target)
    listening = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        proxy.switch(target)
