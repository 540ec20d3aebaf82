"""A real PostgreSQL with one migrated template; each test gets a copy and the real application on it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from app.auth import generate_key
from app.db.engine import Database
from app.db.migrate import migrate
from app.kit.crypto import generate_master_key
from app.kit.logging import configure_logging
from app.main import create_app
from app.settings import Settings
from app.tenants.repository import insert_key, insert_tenant
from app.wiring import Services, build_services
from tests.emptying import EMPTY, LET_GO, shape_of

configure_logging("warning", as_json=True)
# how fast the machine is today is nothing that a test may fail of
hypothesis_settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any machine")

MASTER_KEY = generate_master_key("test")
ALL_SCOPES = ("admin",)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server: URLs of its superuser, of the schema's owner and of the service's login."""

    superuser: str
    owner: str
    login: str

    def on(self, database: str) -> Server:
        """The same server, another database."""
        urls = (self.superuser, self.owner, self.login)
        return Server(*(make_url(url).set(database=database).render_as_string(False) for url in urls))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server with the two login roles: an external one by VIDHUK_TEST_POSTGRES, else an embedded one."""
    external = os.environ.get("VIDHUK_TEST_POSTGRES")
    if external:
        url = make_url(external)
        owner, login = ("vidhuk_owner", "o"), ("vidhuk", "v")
        asyncio.run(_create_logins(external, owner, login))
        yield Server(
            external,
            url.set(username=owner[0], password=owner[1]).render_as_string(False),
            url.set(username=login[0], password=login[1]).render_as_string(False),
        )
        return
    from app.embedded import throwaway_server

    with throwaway_server() as server:
        yield Server(server.superuser_url, server.migration_url, server.database_url)


async def _create_logins(url: str, owner: tuple[str, str], login: tuple[str, str]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_advisory_lock(1)")  # every worker of the run comes here at once
    for name, password, options in ((*owner, "CREATEROLE"), (*login, "NOINHERIT")):
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f"CREATE ROLE {name} LOGIN {options} PASSWORD '{password}'")
    await connection.close()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(postgres: Server) -> str:
    """Name of a migrated, empty database."""
    name = f"template_{uuid4().hex[:12]}"
    owner = make_url(postgres.owner).username
    asyncio.run(_execute(postgres.superuser, f"CREATE DATABASE {name} OWNER {owner}"))
    on_template = postgres.on(name)
    asyncio.run(migrate(on_template.owner, on_template.login))
    return name


@pytest.fixture(scope="session")
def emptied(postgres: Server, template: str) -> Iterator[list[Server]]:
    """Databases that earlier tests of this process are done with: emptied, their schema as it was."""
    databases: list[Server] = []
    yield databases
    names = (make_url(database.owner).database for database in databases)
    drop = (f"DROP DATABASE {name} WITH (FORCE)" for name in (*names, template))
    asyncio.run(_execute(postgres.superuser, *drop))


@pytest.fixture
async def server(postgres: Server, template: str, emptied: list[Server]) -> AsyncIterator[Server]:
    """An empty migrated database of this test: one of the emptied ones, which is quicker, or a new copy."""
    if emptied:
        database = emptied.pop()
    else:
        database = postgres.on(f"test_{uuid4().hex[:12]}")
        owner = make_url(postgres.owner).username
        name = make_url(database.owner).database
        await _execute(postgres.superuser, f"CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}")
    shape = await shape_of(database.superuser)
    yield database
    await _execute(database.superuser, LET_GO)
    if await shape_of(database.superuser) == shape:
        await _execute(database.superuser, EMPTY)
        emptied.append(database)
    else:
        name = make_url(database.owner).database
        await _execute(postgres.superuser, f"DROP DATABASE {name} WITH (FORCE)")


class MovedClock:
    """The application's clock: real time plus an offset that a test moves."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, **delta: float) -> None:
        """Move on."""
        self.offset += timedelta(**delta)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> Settings:
    """Settings of a process under test."""
    return Settings(
        database_url=server.login,
        migration_url=server.owner,
        home=tmp_path,
        master_keys=[SecretStr(MASTER_KEY)],
        operator_key=SecretStr("vk_operator_test"),
        environment="test",
        egress_allow=["127.0.0.0/8"],
        settle_seconds=0.0,
        _env_file=None,
    )


@pytest.fixture
async def services(settings: Settings, clock: MovedClock) -> AsyncIterator[Services]:
    """One wired process."""
    built = build_services(settings, clock=clock, offset=lambda: clock.offset)
    yield built
    await built.close()


@pytest.fixture
async def database(services: Services) -> Database:
    return services.database


@dataclass(frozen=True)
class Tenant:
    """A tenant of a test."""

    tenant_id: UUID
    key: str


MakeKey = Callable[..., Awaitable[str]]


@pytest.fixture
async def a_tenant(services: Services) -> Tenant:
    """A tenant in Kyiv with the preset calendars and policy."""
    return await make_tenant(services, "acme")


async def make_tenant(services: Services, key: str) -> Tenant:
    tenant_id = await insert_tenant(
        services.database,
        services.sealer,
        key=key,
        name=key.title(),
        time_zone="Europe/Kyiv",
        synthetic=False,
        now=services.clock(),
    )
    return Tenant(tenant_id, key)


async def make_key(services: Services, tenant: Tenant, *scopes: str) -> str:
    """A live API key with these scopes (all, when none is named)."""
    new = generate_key("test")
    async with services.database.operator() as connection:
        await insert_key(
            connection,
            tenant.tenant_id,
            new,
            name="test",
            scopes=scopes or ALL_SCOPES,
            expires_at=None,
            now=services.clock(),
        )
    return new.text


@pytest.fixture
def api_key(services: Services, a_tenant: Tenant) -> MakeKey:
    """`await api_key("events:write")` -> a key of `a_tenant`."""

    async def make(*scopes: str) -> str:
        return await make_key(services, a_tenant, *scopes)

    return make


@pytest.fixture
async def served(services: Services) -> AsyncIterator[str]:
    """The real application on a loopback port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(services), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
async def client(services: Services, api_key: MakeKey) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real application with a key that may do everything."""
    transport = httpx.ASGITransport(app=create_app(services))
    headers = {"Authorization": f"Bearer {await api_key()}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test", headers=headers
    ) as client:
        yield client
