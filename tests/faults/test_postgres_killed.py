"""The database dies: kill -9 under load, backends terminated in a stream, no connection left."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.db.migrate import migrate
from app.embedded import RunningPostgres, start_embedded
from app.settings import Settings
from app.wiring import Services, build_services
from tests.builders import assert_problem, rating
from tests.conftest import MASTER_KEY, MakeKey, Server, Tenant, make_key, make_tenant
from tests.faults.processes import Load, Process, running
from tests.faults.test_api_killed import lost, stored_once

RECOVERY_SECONDS = 5.0


@pytest.fixture
def postgres_of_its_own() -> Iterator[RunningPostgres]:
    """A durable server that a test may kill; the one of the other tests does not commit synchronously."""
    folder = Path(tempfile.mkdtemp(prefix="vidhuk-kill-"))
    folder.chmod(0o755)
    with start_embedded(folder / "home") as server:
        yield server
        home = server.home.folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def mortal(
    postgres_of_its_own: RunningPostgres,
) -> AsyncIterator[tuple[RunningPostgres, Server, Services]]:
    urls = postgres_of_its_own.ensure_roles()
    await migrate(urls.migration_url, urls.database_url)
    server = Server(postgres_of_its_own.dsn(), urls.migration_url, urls.database_url)
    settings = Settings(database_url=server.login, master_keys=[MASTER_KEY], _env_file=None)
    services = build_services(settings)
    yield postgres_of_its_own, server, services
    await services.close()


def assert_only_come_again(load: Load) -> None:
    """Everything that was refused says: not now, come again."""
    for answer in load.refused:
        assert_problem(answer, 503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert load.unanswered == []


async def until_acknowledged(load: Load, more: int, within_seconds: float) -> float:
    """Seconds until this many more events were acknowledged."""
    goal, started = len(load.acknowledged) + more, time.monotonic()
    async with asyncio.timeout(within_seconds):
        while len(load.acknowledged) < goal:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return time.monotonic() - started


async def crash(postgres: RunningPostgres) -> None:
    """kill -9 of the postmaster, and a new start as soon as it can be."""
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    await asyncio.sleep(3.0)  # longer than the door tries by itself
    await asyncio.to_thread(postgres.restart)


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.full)])
async def test_kill_9_of_postgres_under_load_loses_nothing_that_was_acknowledged(
    mortal: tuple[RunningPostgres, Server, Services], rounds: int
) -> None:
    postgres, server, services = mortal
    key = await make_key(services, await make_tenant(services, "acme"))
    async with running("all", server.login) as process:
        load = Load(process.port, key)
        posting = asyncio.create_task(load.run())
        await until_acknowledged(load, 40, 30)
        await every_route_works(process, key)  # fills the pool with connections that will die
        for _ in range(rounds):
            await crash(postgres)
            assert await until_acknowledged(load, 16, 30) < RECOVERY_SECONDS
        load.stop.set()
        await posting
        assert await lost(server, load) == set()
        assert await stored_once(server)
        assert load.refused, "the outage was not noticed: this test proved nothing"
        assert_only_come_again(load)
        await every_route_works(process, key)


async def every_route_works(process: Process, key: str) -> None:
    """No connection that died with the server is left in the pool."""
    async with httpx.AsyncClient(headers={"X-Api-Key": key}) as client:
        url = f"http://127.0.0.1:{process.port}/v1/feedback"
        answers = await asyncio.gather(*(client.get(url, params={"limit": 1}) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_stream_of_killed_backends_loses_and_doubles_nothing(
    server: Server, api_key: MakeKey
) -> None:
    key = await api_key()
    async with running("serve", server.login) as process:
        load = Load(process.port, key)
        posting = asyncio.create_task(load.run())
        await until_acknowledged(load, 20, 30)
        killer = await asyncpg.connect(server.superuser)
        killed = 0
        for _ in range(60):
            killed += await killer.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE "
                "datname = current_database() AND application_name = 'vidhuk' "
                "ORDER BY random() LIMIT 1) AS victim"
            )
            await asyncio.sleep(0.05)
        await killer.close()
        assert await until_acknowledged(load, 16, 30) < RECOVERY_SECONDS
        load.stop.set()
        await posting
        await every_route_works(process, key)
    assert killed > 10
    assert await lost(server, load) == set()
    assert await stored_once(server)
    assert_only_come_again(load)


async def test_an_exhausted_pool_is_503_within_the_acquire_timeout_and_recovers_alone(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant
) -> None:
    assert (await client.post("/v1/events", json=rating("a0"))).status_code == 201
    size = 2 * services.settings.pool_size
    async with AsyncExitStack() as stack:
        for _ in range(size):
            await stack.enter_async_context(services.database.write(a_tenant.tenant_id))
        started = time.monotonic()
        written, read = await asyncio.gather(
            client.post("/v1/events", json=rating("a1")), client.get("/v1/feedback")
        )
        took = time.monotonic() - started
    assert_problem(written, 503, "database_unavailable")
    assert_problem(read, 503, "database_unavailable")
    assert took < 8.0
    assert (await client.post("/v1/events", json=rating("a1"))).status_code == 201


async def test_a_server_without_connections_left_is_503_and_recovers_alone(
    client: httpx.AsyncClient, server: Server, services: Services
) -> None:
    connection = await asyncpg.connect(server.superuser)
    try:
        await services.database.close()
        database = server.login.rpartition("/")[2]
        await connection.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 0")
        answer = await client.post("/v1/events", json=rating("a1"))
        assert_problem(answer, 503, "database_unavailable")
        await connection.execute(f"ALTER DATABASE {database} CONNECTION LIMIT -1")
    finally:
        await connection.close()
    assert (await client.post("/v1/events", json=rating("a1"))).status_code == 201


async def test_connections_that_died_while_idle_are_left_behind_at_once(
    client: httpx.AsyncClient, server: Server
) -> None:
    assert (await client.post("/v1/events", json=rating("a0"))).status_code == 201
    await asyncio.gather(*(client.get("/v1/feedback") for _ in range(12)))
    connection = await asyncpg.connect(server.superuser)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'vidhuk'"
    )
    await connection.close()
    await asyncio.sleep(0.2)
    answers = [await client.get("/v1/feedback") for _ in range(30)]
    assert [answer.status_code for answer in answers] == [200] * 30
    assert (await client.post("/v1/events", json=rating("a1"))).status_code == 201
