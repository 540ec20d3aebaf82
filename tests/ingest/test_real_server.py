"""The door behind a real server on loopback: lengths that lie, bodies that drip, clients that hang up."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
import uvicorn

from app.main import create_app
from app.settings import Settings
from app.wiring import Services, build_services
from tests.builders import rating, value_of
from tests.conftest import MakeKey, Server

LIMIT = 2 * 2**20
DEADLINE_SECONDS = 0.6


class Wire:
    """A running server, spoken to in raw bytes."""

    def __init__(self, port: int, key: str, services: Services) -> None:
        self.port, self.key, self.services = port, key, services

    def head(self, *lines: str, path: str = "/v1/events") -> bytes:
        always = (f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.key}")
        return "\r\n".join((*always, "Content-Type: application/json", *lines, "", "")).encode("latin-1")

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, *pieces: bytes, pause_seconds: float = 0.0) -> tuple[int, bytes]:
        """The status and the rest of what the server says until it closes, or falls silent."""
        reader, writer = await self.open()
        hearing = asyncio.create_task(_hear(reader))
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_seconds)
        said = await hearing
        writer.close()
        return (int(said[9:12]) if said else 0), said

    async def until_idle(self) -> None:
        """No connection of the pool is in use any more."""
        async with asyncio.timeout(5):
            while self.services.database.engine.pool.checkedout():  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
async def wire(settings: Settings, api_key: MakeKey) -> AsyncIterator[Wire]:
    short = {"body_deadline_seconds": DEADLINE_SECONDS, "max_body_bytes": LIMIT}
    services = build_services(settings.model_copy(update=short))
    config = uvicorn.Config(
        create_app(services), port=0, log_config=None, access_log=False, timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no event to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Wire(port, await api_key(), services)
    server.should_exit = True
    await serving


async def _hear(reader: asyncio.StreamReader) -> bytes:
    said = b""
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(5 * DEADLINE_SECONDS):
            while chunk := await reader.read(65536):
                said += chunk
    return said


def body(event_id: str = "a1") -> bytes:
    return json.dumps(rating(event_id)).encode()


async def test_lengths_that_lie_are_refused_and_the_server_goes_on(wire: Wire, server: Server) -> None:
    size = len(body())
    smaller, _ = await wire.send(wire.head(f"Content-Length: {size - 5}"), body())
    larger, said = await wire.send(wire.head(f"Content-Length: {size + 5}"), body())
    negative, _ = await wire.send(wire.head("Content-Length: -5"), body())
    two, _ = await wire.send(wire.head(f"Content-Length: {size}", f"Content-Length: {size - 1}"), body())
    smuggled, _ = await wire.send(
        wire.head(f"Content-Length: {size}", "Transfer-Encoding: chunked"), b"0\r\n\r\n" + body()
    )
    huge, _ = await wire.send(wire.head("Content-Length: 99999999999999999999999"), body())
    assert (smaller, larger, negative, two, huge) == (400, 408, 400, 400, 400)
    assert smuggled == 400
    assert b"body_too_slow" in said
    assert await value_of(server, "SELECT count(*) FROM events") == 0
    assert (await wire.send(wire.head(f"Content-Length: {size}", "Connection: close"), body()))[0] == 201
    await wire.until_idle()


async def test_a_body_longer_than_the_limit_is_cut_whatever_it_announces(wire: Wire) -> None:
    announced, _ = await wire.send(wire.head(f"Content-Length: {10 * LIMIT}"), *[b" " * 2**20] * 4)
    chunk = b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n"
    chunked, said = await wire.send(wire.head("Transfer-Encoding: chunked"), *[chunk] * 4)
    assert (announced, chunked) == (413, 413)
    assert b"application/problem+json" in said
    assert b"connection: close" in said.lower()


async def test_a_body_without_an_end_is_answered_at_the_deadline(wire: Wire) -> None:
    started = time.monotonic()
    chunked, said = await wire.send(wire.head("Transfer-Encoding: chunked"), b"5\r\n[1,2,\r\n")
    took = time.monotonic() - started
    assert chunked == 408
    assert b"body_too_slow" in said
    assert DEADLINE_SECONDS * 0.9 < took < DEADLINE_SECONDS + 1.5
    broken, _ = await wire.send(wire.head("Transfer-Encoding: chunked"), b"zz\r\n")
    assert broken == 400


async def test_a_dripping_body_is_cut_at_the_deadline_and_others_are_not_held_up(wire: Wire) -> None:
    drips = [wire.send(wire.head("Content-Length: 500"), *[b" "] * 40, pause_seconds=0.05) for _ in range(20)]
    dripping = asyncio.gather(*drips)
    await asyncio.sleep(0.1)
    started = time.monotonic()
    size = len(body())
    good, _ = await wire.send(wire.head(f"Content-Length: {size}", "Connection: close"), body())
    assert good == 201
    assert time.monotonic() - started < 2.0
    assert {status for status, _ in await dripping} == {408}
    await wire.until_idle()


async def test_half_a_gzip_is_refused(wire: Wire) -> None:
    half = gzip.compress(body() * 50)[:60]
    status, said = await wire.send(
        wire.head(f"Content-Length: {len(half)}", "Content-Encoding: gzip", "Connection: close"), half
    )
    assert status == 400
    assert b"broken_gzip" in said


async def test_200_clients_that_hang_up_mid_request_leave_the_pool_idle(wire: Wire, server: Server) -> None:
    async def hang_up(number: int) -> None:
        _, writer = await wire.open()
        size = len(body(f"h{number}"))
        if number % 3:
            writer.write(wire.head(f"Content-Length: {size + 9}") + body(f"h{number}"))  # never whole
        else:
            writer.write(wire.head(f"Content-Length: {size}") + body(f"h{number}"))  # whole, nobody listens
        await writer.drain()
        writer.transport.abort()

    for first in range(0, 200, 25):
        await asyncio.gather(*(hang_up(number) for number in range(first, first + 25)))
    await wire.until_idle()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{wire.port}") as client:
        headers = {"Authorization": f"Bearer {wire.key}"}
        answer = await client.post("/v1/events", json=rating("after"), headers=headers)
    assert answer.status_code == 201
    stored = await value_of(server, "SELECT count(*) FROM events WHERE external_id LIKE 'h%'")
    assert stored <= 67  # only whole requests, each at most once
    idle = await value_of(
        server,
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()",
    )
    assert idle == 0


async def test_the_framework_routes_cut_bodies_in_the_same_way(wire: Wire) -> None:
    slow, said = await wire.send(wire.head("Content-Length: 100", path="/v1/keys"), b"{")
    assert slow == 408
    assert b"connection: close" in said.lower()
    large, _ = await wire.send(
        wire.head(f"Content-Length: {10 * LIMIT}", path="/v1/keys"), *[b" " * 2**20] * 4
    )
    assert large == 413
