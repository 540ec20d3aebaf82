"""A real HTTP receiver for tests: raw sockets, scripted per path, with a ledger and its own verifier.

    async with Receiver() as receiver:
        receiver.on("/hook", status(503), status(200))     # first attempt, then every later one
        ... receiver.arrivals("/hook") ...

A script is any coroutine function `(arrival, reader, writer)`; it writes whatever bytes it likes.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self

import orjson
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

Script = Callable[["Arrival", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Arrival:
    """One request as it came in; `verified` is an independent library's verdict (None without a secret)."""

    path: str
    method: str
    headers: dict[str, str]
    body: bytes
    attempt: int
    connection: int
    at: float
    wall: float
    verified: bool | None = None

    @property
    def webhook_id(self) -> str:
        """The id that receivers deduplicate by."""
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return orjson.loads(self.body)


@dataclass
class Receiver:
    """Listens on a free loopback port; `connections` counts TCP accepts, also of requests that never came."""

    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    on_connect: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None
    ledger: list[Arrival] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    port: int = 0
    _scripts: dict[str, list[Script]] = field(default_factory=dict)
    _secrets: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def url(self, path: str = "/hook", host: str | None = None) -> str:
        """The URL of a path here."""
        return f"{'https' if self.tls else 'http'}://{host or self.host}:{self.port}{path}"

    def on(self, path: str, *scripts: Script, secret: str | None = None) -> str:
        """Play these scripts on a path, one a request, the last one for ever; returns the URL."""
        self._scripts[path] = list(scripts)
        if secret is not None:
            self._secrets[path].append(secret)
        return self.url(path)

    def arrivals(self, path: str = "/hook") -> list[Arrival]:
        """What came to a path, in order."""
        return [arrival for arrival in self.ledger if arrival.path == path]

    async def wait_for(self, count: int, path: str = "/hook", timeout_seconds: float = 10.0) -> list[Arrival]:
        """Wait until that many requests came to a path."""
        async with asyncio.timeout(timeout_seconds), self._news:
            await self._news.wait_for(lambda: len(self.arrivals(path)) >= count)
        return self.arrivals(path)

    async def wait_until_closed(self, timeout_seconds: float = 1.0) -> None:
        """Wait until the other side has closed every connection."""
        async with asyncio.timeout(timeout_seconds), self._news:
            await self._news.wait_for(lambda: self.open_connections == 0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        try:
            serve = self.on_connect or partial(self._serve, self.connections)
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)
            async with self._news:
                self.open_connections -= 1
                self._news.notify_all()

    async def _serve(
        self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while not writer.is_closing() and (arrival := await self._read(connection, reader)) is not None:
            self._verify(arrival)
            scripts = self._scripts.get(arrival.path, [status(404)])
            script = scripts[min(arrival.attempt, len(scripts)) - 1]
            async with self._news:
                self.ledger.append(arrival)
                self._news.notify_all()
            await script(arrival, reader, writer)
            if not writer.is_closing():
                await writer.drain()

    async def _read(self, connection: int, reader: asyncio.StreamReader) -> Arrival | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        attempt = len(self.arrivals(path)) + 1
        return Arrival(path, method, headers, body, attempt, connection, time.monotonic(), time.time())

    def _verify(self, arrival: Arrival) -> None:
        secrets = self._secrets.get(arrival.path, [])
        if secrets:
            arrival.verified = any(_accepts(secret, arrival) for secret in secrets)


def _accepts(secret: str, arrival: Arrival) -> bool:
    try:
        Webhook(secret).verify(arrival.body, arrival.headers)
    except (WebhookVerificationError, ValueError):
        return False
    return True


# --- scripts: what a receiver may do to us ----------------------------------------------------


def raw(*parts: bytes, pause_seconds: float = 0.0, close: bool = True) -> Script:
    """Send these bytes one after another, then close (or stay silent until the other side closes)."""

    async def play(_arrival: Arrival, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
        if close:
            writer.close()
        else:
            await reader.read()
            raise ConnectionError("given up by the sender")

    return play


def status(code: int, body: bytes = b"", **headers: str) -> Script:
    """A plain answer; the connection stays open for the next request. `Retry_After="5"` names a header."""
    lines = [f"HTTP/1.1 {code} Scripted", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    async def play(_arrival: Arrival, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return play


def by_method(**scripts: Script) -> Script:
    """Another script for each method: `by_method(OPTIONS=..., POST=...)`."""

    async def play(arrival: Arrival, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await scripts[arrival.method](arrival, reader, writer)

    return play


def after(pause_seconds: float, script: Script) -> Script:
    """Think for a while first, unless the other side closes meanwhile."""

    async def play(arrival: Arrival, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_seconds):
                await reader.read()
                raise ConnectionError("given up by the sender")
        await script(arrival, reader, writer)

    return play


def held_until(event: asyncio.Event, script: Script) -> Script:
    """Hold the reply back until the test says so."""

    async def play(arrival: Arrival, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await event.wait()
        await script(arrival, reader, writer)

    return play


def silence() -> Script:
    """Read the request and never answer."""
    return raw(close=False)


def reset(*before: bytes) -> Script:
    """Send some bytes, then tear the connection down."""

    async def play(_arrival: Arrival, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in before:
            writer.write(part)
            await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()

    return play


def endless(head: bytes, part: bytes, pause_seconds: float = 0.0) -> Script:
    """A head, then the same bytes for ever, as fast as the wire takes them or one part a pause."""

    async def play(_arrival: Arrival, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return play
