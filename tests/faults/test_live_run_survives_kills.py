"""The live run under kill -9: of the worker, of PostgreSQL. No event and no webhook is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.db.migrate import migrate
from app.embedded import start_embedded
from app.main import create_app
from app.settings import Settings
from app.wiring import Services, build_services
from tests.conftest import MASTER_KEY, make_key, make_tenant
from tests.e2e.test_live_run import POLICY, event, subscribed
from tests.receiver import Receiver, after, status

COMPLAINTS = 40
PROBLEMS = ("application/problem+json",)


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process beside the test's own, with leases short enough to be waited for."""
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "MIGRATION_URL": settings.owner_url,
        "VIDHUK_MASTER_KEYS": MASTER_KEY,
        "VIDHUK_EGRESS_ALLOW": "127.0.0.0/8",
        "VIDHUK_LEASE_SECONDS": "5",
        "VIDHUK_ATTEMPT_DEADLINE_SECONDS": "1",
        "VIDHUK_POLL_SECONDS": "0.2",
        "VIDHUK_SETTLE_SECONDS": "0",
        "VIDHUK_LOG_LEVEL": "error",
    }


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real worker process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "worker", env=environment(settings), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            await process.wait()


async def post_until_stored(client: httpx.AsyncClient, complaint: dict[str, Any]) -> None:
    """What a careful sender does: the same event again until it is acknowledged; refusals are never 500."""
    for _ in range(200):
        answer = await client.post("/v1/events", json=complaint)
        if answer.status_code in (200, 201):
            return
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"].startswith(PROBLEMS)
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(0.1)
    raise AssertionError("the service did not come back")


def complaint(number: int) -> dict[str, Any]:
    return event(
        "feedback.received",
        f"complaint-{number}",
        datetime.now(UTC),
        {
            "channel": "call",
            "kind": "complaint",
            "text": "Чекаю досі",
            "customer": {"type": "id", "value": f"customer-{number}"},
        },
    )


async def breached_refs(receiver: Receiver, count: int, *, within_seconds: float) -> dict[str, set[str]]:
    """For each case whose breach was told: the ids of its messages."""
    async with asyncio.timeout(within_seconds):
        while True:
            told: dict[str, set[str]] = {}
            for arrival in receiver.arrivals("/hook"):
                if arrival.json["type"] == "sla.breached":
                    case_id = arrival.json["data"]["subject"]["id"]
                    told.setdefault(case_id, set()).add(arrival.webhook_id)
            if len(told) >= count:
                return told
            await asyncio.sleep(0.1)


async def test_a_killed_worker_loses_no_breach_and_announces_none_twice(
    client: httpx.AsyncClient, services: Services
) -> None:
    assert (await client.put("/v1/sla/policies/default", json=POLICY)).is_success
    async with subscribed(client) as receiver:
        receiver.on("/hook", after(0.15, status(204)))
        async with worker(services.settings) as first:
            for number in range(COMPLAINTS):
                await post_until_stored(client, complaint(number))
            await breached_refs(receiver, 3, within_seconds=30)
            first.kill()
            await first.wait()
        async with worker(services.settings):
            told = await breached_refs(receiver, COMPLAINTS, within_seconds=60)
        # a kill may make a receiver see a message again, but never under a second id
        assert {len(ids) for ids in told.values()} == {1}
        assert all(arrival.verified for arrival in receiver.arrivals("/hook"))


@pytest.mark.full
async def test_a_killed_database_loses_no_acknowledged_event_and_no_webhook(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 - one call, before anything runs
    with start_embedded(tmp_path, durable=True) as server:
        server.ensure_roles()
        settings = Settings(
            database_url=server.database_url,
            migration_url=server.migration_url,
            master_keys=[SecretStr(MASTER_KEY)],
            egress_allow=["127.0.0.0/8"],
        )
        await migrate(settings.owner_url, settings.database_url)
        services = build_services(settings)
        tenant = await make_tenant(services, "killed")
        headers = {"Authorization": f"Bearer {await make_key(services, tenant)}"}
        transport = httpx.ASGITransport(app=create_app(services))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://vidhuk.test", headers=headers
        ) as client:
            assert (await client.put("/v1/sla/policies/default", json=POLICY)).is_success
            async with subscribed(client) as receiver, worker(settings):
                for number in range(COMPLAINTS):
                    if number in (10, 25):
                        assert server.pid is not None
                        os.kill(server.pid, signal.SIGKILL)
                        await asyncio.to_thread(server.restart)
                    await post_until_stored(client, complaint(number))
                told = await breached_refs(receiver, COMPLAINTS, within_seconds=90)
                assert {len(ids) for ids in told.values()} == {1}
            stored = await client.get("/v1/cases", params={"limit": 100})
            assert len(stored.json()["items"]) == COMPLAINTS
        await services.close()
