"""Real processes of the service: started like an operator does, killed like nobody should."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.builders import rating
from tests.conftest import MASTER_KEY

START_SECONDS = 40.0
_ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """One `python -m app <role>`."""

    role: str
    database_url: str
    port: int = field(default_factory=free_port)
    popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `ready` waits until it answers."""
        environment = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "VIDHUK_PORT": str(self.port),
            "VIDHUK_MASTER_KEYS": MASTER_KEY,
            "VIDHUK_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-m", "app", self.role]
        self.popen = subprocess.Popen(command, cwd=_ROOT, env=environment, start_new_session=True)

    async def ready(self) -> None:
        """Wait until the API answers at all."""
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{self.port}/v1/nothing")
                    return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process only."""
        assert self.popen is not None
        self.popen.send_signal(number)

    async def ended(self, seconds: float = 20.0) -> int:
        """Its exit code."""
        assert self.popen is not None
        return await asyncio.to_thread(self.popen.wait, seconds)


@asynccontextmanager
async def running(role: str, database_url: str, port: int | None = None) -> AsyncIterator[Process]:
    """A process that is gone at the end, whatever the test did to it."""
    process = Process(role, database_url) if port is None else Process(role, database_url, port)
    process.start()
    try:
        if role != "worker":
            await process.ready()
        yield process
    finally:
        assert process.popen is not None
        if process.popen.poll() is None:
            process.popen.kill()
        process.popen.wait(10)


@dataclass
class Load:
    """Clients that post one event after another and write down what they were promised."""

    port: int
    key: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    refused: list[httpx.Response] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, clients: int = 8) -> None:
        """Post until `stop` is set."""
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=20,
        ) as client:
            await asyncio.gather(*(self._post_on(client, number) for number in range(clients)))

    async def _post_on(self, client: httpx.AsyncClient, number: int) -> None:
        count = 0
        while not self.stop.is_set():
            event = rating(f"c{number}-{count}")
            count += 1
            try:
                answer = await client.post("/v1/events", json=event)
            except httpx.TransportError:
                self.unanswered.append(event["id"])
                await asyncio.sleep(0.05)
                continue
            if answer.is_success:
                self.acknowledged[event["id"]] = answer.json()["event_id"]
            else:
                self.refused.append(answer)
                await asyncio.sleep(0.05)
