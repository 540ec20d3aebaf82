"""The load generator: keep-alive connections that ask as fast as they are answered, or at a given rate."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Self, cast

NextRequest = Callable[[], bytes]
_GRACE_SECONDS = 20.0


class LoadError(Exception):
    """The other side did not answer as it should have; a figure from that would mean nothing."""


@dataclass(slots=True)
class Measured:
    """What a window came to. Latencies are in seconds; paced ones count from when the request was due."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """The latency that this share of the requests kept, in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def check(self, *expected: int) -> Self:
        """Raises LoadError when there were no answers, or others than these."""
        other = {status: count for status, count in self.statuses.items() if status not in expected}
        if other or not self.latencies:
            raise LoadError(f"expected {expected}, got {dict(self.statuses)}")
        return self


class Wire(asyncio.Protocol):
    """One connection with at most one request on it."""

    def __init__(self, answered: Callable[[Wire, int, bytes], None]) -> None:
        self._answered = answered
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._size = 0
        self.asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def ask(self, request: bytes, asked_at: float) -> None:
        """Send a request; the answer goes to the callback."""
        if self._transport is None:
            raise LoadError("the server closed a connection")
        self.asked_at = asked_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._size:
            end = self._read.find(b"\r\n\r\n")
            if end < 0:
                return
            self._size = end + 4 + _content_length(self._read[:end].lower())
        if len(self._read) >= self._size:
            status, body = int(self._read[9:12]), bytes(self._read[: self._size])
            del self._read[: self._size]
            self._size = 0
            self._answered(self, status, body)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def _content_length(head: bytes | bytearray) -> int:
    _, found, rest = head.partition(b"content-length:")
    if not found:
        return 0
    return int(rest.partition(b"\r\n")[0])


class Load(AbstractAsyncContextManager["Load"]):
    """A number of connections to one port, open for as many windows as wanted."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._count = connections
        self._wires: list[Wire] = []
        self._answered: Callable[[Wire, int, bytes], None] = lambda _wire, _status, _body: None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for _ in range(self._count):
            _, wire = await loop.create_connection(
                lambda: Wire(lambda *answer: self._answered(*answer)), "127.0.0.1", self._port
            )
            self._wires.append(wire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for wire in self._wires:
            wire.close()

    async def flat_out(self, seconds: float, next_request: NextRequest) -> Measured:
        """Every connection asks again as soon as it is answered (closed loop)."""
        measured, started, done = Measured(), perf_counter(), asyncio.Event()
        until, busy = started + seconds, len(self._wires)

        def answered(wire: Wire, status: int, _body: bytes) -> None:
            nonlocal busy
            now = perf_counter()
            measured.latencies.append(now - wire.asked_at)
            measured.statuses[status] += 1
            if now < until:
                wire.ask(next_request(), now)
                return
            busy -= 1
            if not busy:
                done.set()

        self._answered = answered
        for wire in self._wires:
            wire.ask(next_request(), perf_counter())
        await _bounded(done.wait(), seconds)
        measured.seconds = perf_counter() - started
        return measured

    async def paced(self, seconds: float, rate: float, next_request: NextRequest) -> Measured:
        """Requests fall due evenly, whether or not the ones before are answered (open loop)."""
        measured, idle, due = Measured(), deque(self._wires), deque[float]()
        started, done = perf_counter(), asyncio.Event()
        left = max(1, int(rate * seconds))

        def answered(wire: Wire, status: int, _body: bytes) -> None:
            nonlocal left
            measured.latencies.append(perf_counter() - wire.asked_at)
            measured.statuses[status] += 1
            left -= 1
            if due:
                wire.ask(next_request(), due.popleft())
            else:
                idle.append(wire)
            if not left:
                done.set()

        self._answered = answered
        total = left
        for number in range(total):
            at = started + number / rate
            if (early := at - perf_counter()) > 0:
                await asyncio.sleep(early)
            if idle:
                idle.popleft().ask(next_request(), at)
            else:
                due.append(at)
                if number % 50 == 0:
                    await asyncio.sleep(0)
        await _bounded(done.wait(), seconds)
        measured.seconds = perf_counter() - started
        return measured


async def _bounded(waiting: Awaitable[object], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds + _GRACE_SECONDS):
            await waiting
    except TimeoutError:
        raise LoadError("requests were still unanswered long after the window") from None
