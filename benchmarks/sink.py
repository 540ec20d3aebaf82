"""A receiver of webhooks on loopback: answers 204 at once and hands on each body with its time of arrival."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
Arrived = Callable[[bytes, float], None]


class _Sink(asyncio.Protocol):
    def __init__(self, arrived: Arrived) -> None:
        self._arrived = arrived
        self._read = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._read[:end]).lower()
            size = end + 4 + int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self._read) < size:
                return
            self._arrived(bytes(self._read[end + 4 : size]), time.time())
            del self._read[:size]
            if self._transport is not None:
                self._transport.write(_ANSWER)


@asynccontextmanager
async def receiving(arrived: Arrived) -> AsyncIterator[str]:
    """Receive until the block ends; the URL."""
    server = await asyncio.get_running_loop().create_server(lambda: _Sink(arrived), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


class Deliveries:
    """Counts arrivals and tells when there were enough."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.bodies: list[bytes] = []
        self._wanted = 0
        self._enough = asyncio.Event()

    def __call__(self, body: bytes, at: float) -> None:
        self.times.append(at)
        self.bodies.append(body)
        if len(self.times) >= self._wanted > 0:
            self._enough.set()

    async def wait_for(self, count: int, timeout_seconds: float) -> None:
        """Return when this many have arrived. Raises TimeoutError."""
        self._wanted = count
        self._enough.clear()
        if len(self.times) < count:
            async with asyncio.timeout(timeout_seconds):
                await self._enough.wait()

    def clear(self) -> None:
        """Forget what has arrived."""
        self.times.clear()
        self.bodies.clear()

    def rate(self) -> float:
        """Arrivals per second between the first and the last."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])
