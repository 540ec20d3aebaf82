"""The API dies: between commit and answer, and by SIGTERM in the middle of the work."""

from __future__ import annotations

import asyncio
import json
import signal

import httpx
import pytest

from app.kit.ids import public_id
from tests.builders import query, rating, value_of
from tests.conftest import MakeKey, Server
from tests.faults.processes import Load, running


async def lost(server: Server, load: Load) -> set[tuple[str, str]]:
    """Acknowledged events that are not in the journal under the id that was promised."""
    rows = await query(server, "SELECT external_id, event_id FROM events WHERE source = 'crm'")
    stored = {(row["external_id"], public_id("evt", row["event_id"])) for row in rows}
    return set(load.acknowledged.items()) - stored


async def stored_once(server: Server) -> bool:
    answers, events, numbers = (
        await query(
            server,
            "SELECT (SELECT count(*) FROM feedback WHERE seq_to IS NULL), "
            "(SELECT count(*) FROM events WHERE source = 'crm'), "
            "(SELECT count(DISTINCT external_id) FROM events WHERE source = 'crm')",
        )
    )[0]
    return bool(answers == events == numbers)


async def test_what_was_committed_before_the_kill_is_answered_as_a_duplicate_by_the_next_process(
    server: Server, api_key: MakeKey
) -> None:
    key, event = await api_key(), rating("a1")
    async with running("serve", server.login) as first:
        reader, writer = await asyncio.open_connection("127.0.0.1", first.port)
        body = json.dumps(event).encode()
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\r\nContent-Type: application/json\r\n"
        )
        writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        async with asyncio.timeout(20):
            while not await value_of(server, "SELECT count(*) FROM events WHERE external_id = 'a1'"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        first.send(signal.SIGKILL)  # the answer, if there was one, was never read
        await first.ended()
        writer.close()
        del reader
    async with running("serve", server.login) as second, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{second.port}/v1/events"
        again = await client.post(url, json=event, headers={"X-Api-Key": key})
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    assert await stored_once(server)


async def test_after_sigterm_under_load_every_acknowledged_event_is_there(
    server: Server, api_key: MakeKey
) -> None:
    key = await api_key()
    async with running("serve", server.login) as process:
        load = Load(process.port, key)
        posting = asyncio.create_task(load.run())
        while len(load.acknowledged) < 40:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        process.send(signal.SIGTERM)
        code = await process.ended()
        load.stop.set()
        await posting
    assert code in (0, -signal.SIGTERM)
    assert await lost(server, load) == set()
    assert await stored_once(server)
    assert all(answer.status_code == 503 for answer in load.refused)


@pytest.mark.full
async def test_ten_kills_under_load_lose_and_double_nothing(server: Server, api_key: MakeKey) -> None:
    key, promised, tried = await api_key(), Load(0, ""), set()
    for _ in range(10):
        async with running("serve", server.login) as process:
            load = Load(process.port, key, acknowledged=promised.acknowledged)
            posting = asyncio.create_task(load.run())
            await asyncio.sleep(0.4)
            process.send(signal.SIGKILL)
            await process.ended()
            load.stop.set()
            await posting
            tried |= {*load.unanswered}
    assert tried, "no request was under way at any kill: this test proved nothing"
    assert await lost(server, promised) == set()
    assert await stored_once(server)
