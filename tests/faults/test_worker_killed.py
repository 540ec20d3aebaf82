"""A real worker process dies or sleeps at the worst moment: what it had claimed is sent under the same id."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.kit.ids import parse_public_id, public_id
from app.settings import Settings
from tests.faults.test_live_run_survives_kills import environment
from tests.receiver import Receiver, after, status
from tests.webhooks.conftest import SECRET, Outlet
from tests.webhooks.test_replays import exhausted

LEASE_SECONDS = 4.0
REPLAYED = 60


@asynccontextmanager
async def worker(settings: Settings, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process, gone at the end whatever state it is in."""
    variables = {
        **environment(settings),
        "VIDHUK_LEASE_SECONDS": f"{LEASE_SECONDS:g}",
        "VIDHUK_ATTEMPT_DEADLINE_SECONDS": "0.8",
    }
    arguments = command or ("app", "worker")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, env=variables, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def settled(outlet: Outlet, *, within_seconds: float) -> None:
    """Wait until nothing is queued any more."""
    async with asyncio.timeout(within_seconds):
        while await outlet.sql("SELECT 1 FROM deliveries LIMIT 1"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def outcomes(outlet: Outlet) -> list[str]:
    return [row["outcome"] for row in await outlet.attempts()]


@pytest.mark.full
@pytest.mark.parametrize(
    ("point", "sent", "recorded"),
    [
        ("after_claim", 1, ["unknown", "delivered"]),
        ("after_send", 2, ["unknown", "delivered"]),
        ("after_record", 1, ["delivered"]),
    ],
)
async def test_a_worker_killed_at_a_named_point_costs_no_try_and_at_most_one_repeat(
    outlet: Outlet, receiver: Receiver, point: str, sent: int, recorded: list[str]
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200), secret=SECRET.text), retry_delays_seconds=[])
    await outlet.announce()
    await outlet.fan_out()
    settings = outlet.services.settings
    async with worker(settings, "tests.faults.stopping_worker", point, "SIGKILL") as first:
        async with asyncio.timeout(30):
            assert await first.wait() == -signal.SIGKILL
    async with outlet.running(outlet.dispatcher()):  # another process's, as far as the lease can tell
        await settled(outlet, within_seconds=LEASE_SECONDS + 2)
    # the endpoint's schedule has no second try: had the kill cost one, nothing more would have come
    assert [row["state"] for row in await outlet.messages()] == ["delivered"]
    assert await outcomes(outlet) == recorded
    assert len(receiver.arrivals()) == sent
    assert len({arrival.webhook_id for arrival in receiver.arrivals()}) == 1
    assert all(arrival.verified for arrival in receiver.arrivals())


@pytest.mark.full
async def test_a_worker_that_sleeps_past_its_lease_between_send_and_settle_writes_nothing(
    outlet: Outlet, receiver: Receiver
) -> None:
    # what the sleeper was told must not overwrite what the other one achieved
    await outlet.endpoint(receiver.on("/hook", status(500), status(200)))
    await outlet.announce()
    await outlet.fan_out()
    settings = outlet.services.settings
    async with worker(settings, "tests.faults.stopping_worker", "after_send", "SIGSTOP") as sleeper:
        await receiver.wait_for(1, timeout_seconds=30)
        async with outlet.running(outlet.dispatcher()):
            await settled(outlet, within_seconds=LEASE_SECONDS + 3)
        before = await outlet.messages(), await outlet.attempts()
        sleeper.send_signal(signal.SIGCONT)
        await asyncio.sleep(1.0)
        assert sleeper.returncode is None  # it lives, and knows better now
        assert (await outlet.messages(), await outlet.attempts()) == before
        await outlet.announce()
        await receiver.wait_for(3)
    assert [row["outcome"] for row in before[1]] == ["unknown", "delivered"]
    assert [row["state"] for row in before[0]] == ["delivered"]


@pytest.mark.full
async def test_a_replay_goes_on_in_the_next_process_when_its_worker_is_killed(
    outlet: Outlet, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    endpoint_id = await exhausted(outlet, receiver, REPLAYED, after(0.15, status(200)))
    settings = outlet.services.settings
    async with worker(settings) as first:
        since = (await outlet.messages())[0]["created_at"].isoformat()
        wanted = {"since": since, "which": "failed", "messages_per_second": 25}
        path = f"/v1/webhooks/endpoints/{public_id('ep', endpoint_id)}/replays"
        started = await client.post(path, json=wanted)
        assert (started.status_code, started.json()["total"]) == (202, REPLAYED), started.text
        await receiver.wait_for(REPLAYED + 10, timeout_seconds=40)
        first.kill()
        await first.wait()
    replay = f"/v1/webhooks/replays/{started.json()['id']}"
    stood = (await client.get(replay)).json()
    assert stood["state"] == "running" and stood["queued"] < REPLAYED, "killed too late to prove anything"
    async with worker(settings):
        async with asyncio.timeout(60):
            while (await client.get(replay)).json()["delivered"] < REPLAYED:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    ended = (await client.get(replay)).json()
    assert (ended["state"], ended["queued"], ended["waiting"]) == ("done", REPLAYED, 0)
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}
    await once_each(outlet, receiver)


async def once_each(outlet: Outlet, receiver: Receiver) -> None:
    """Each id was delivered once; it came twice only where a try of the killed process is on record."""
    attempts: list[Any] = list(await outlet.attempts())
    delivered = Counter(row["message_id"] for row in attempts if row["outcome"] == "delivered")
    unknown = {row["message_id"] for row in attempts if row["outcome"] == "unknown"}
    assert (len(delivered), set(delivered.values())) == (REPLAYED, {1})
    again = receiver.arrivals()[REPLAYED:]
    came = Counter(parse_public_id("msg", arrival.webhook_id) for arrival in again)
    assert {message_id for message_id, count in came.items() if count > 1} <= unknown
    assert max(came.values()) <= 2
    assert 0 < len(unknown) < 20
