"""The stage of one run: a throwaway durable PostgreSQL, migrated databases on it, a tenant in each."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import asyncpg
from pydantic import SecretStr

from app.auth import generate_key
from app.db.migrate import migrate
from app.embedded import RunningPostgres, start_embedded
from app.kit.crypto import generate_master_key
from app.settings import Settings
from app.tenants.repository import insert_key, insert_tenant
from app.wiring import Services, build_services

T = TypeVar("T")
TEMPLATE = "bench_template"


@dataclass(frozen=True, slots=True)
class Place:
    """One migrated database with one tenant, and how to reach it."""

    name: str
    settings: Settings
    superuser_url: str
    tenant_id: UUID
    key: str

    def environment(self, port: int, **more: str) -> dict[str, str]:
        """What a process of the service needs to run on it."""
        return {
            "DATABASE_URL": self.settings.database_url,
            "VIDHUK_MASTER_KEYS": self.settings.master_keys[0].get_secret_value(),
            "VIDHUK_EGRESS_ALLOW": "127.0.0.0/8",
            "VIDHUK_LOG_LEVEL": "warning",
            "VIDHUK_PORT": str(port),
            **more,
        }

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection that sees every row: for filling in and for counting, never for what is measured."""
        connection = await asyncpg.connect(self.superuser_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def with_services(self, work: Callable[[Services], Awaitable[T]]) -> T:
        """Do something on the service's own parts, in this process."""
        services = build_services(self.settings)
        try:
            return await work(services)
        finally:
            await services.close()


class Stage:
    """The server of a run; `make_place` gives a fresh database."""

    def __init__(self, server: RunningPostgres) -> None:
        self.server = server
        self.dsn = server.dsn
        self._master_key = generate_master_key("bench")
        urls = server.ensure_roles(TEMPLATE)
        asyncio.run(migrate(urls.migration_url, urls.database_url))

    def make_place(self, name: str) -> Place:
        """A fresh migrated database with a tenant in Kyiv and a key that may do everything."""
        self.server.ensure_database(name, template=TEMPLATE)
        urls = self.server.access.urls(name)
        settings = Settings(
            database_url=urls.database_url,
            migration_url=urls.migration_url,
            master_keys=[SecretStr(self._master_key)],
            egress_allow=["127.0.0.0/8"],
            _env_file=None,  # type: ignore[call-arg]  # pydantic-settings takes it, its types do not say so
        )
        tenant_id, key = asyncio.run(_make_tenant(settings))
        return Place(name, settings, self.dsn(name), tenant_id, key)


@contextmanager
def open_stage() -> Iterator[Stage]:
    """A durable server in a temporary folder (fsync on, as in production), gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="vidhuk-bench-"))
    folder.chmod(0o755)
    places = {folder}
    try:
        with start_embedded(folder, durable=True) as server:
            places.add(server.home.folder)
            yield Stage(server)
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)


async def _make_tenant(settings: Settings) -> tuple[UUID, str]:
    services = build_services(settings)
    try:
        now = services.clock()
        tenant_id = await insert_tenant(
            services.database,
            services.sealer,
            key="bench",
            name="Bench",
            time_zone="Europe/Kyiv",
            synthetic=True,
            now=now,
        )
        new = generate_key("bench")
        async with services.database.operator() as connection:
            await insert_key(
                connection, tenant_id, new, name="bench", scopes=["admin"], expires_at=None, now=now
            )
        return tenant_id, new.text
    finally:
        await services.close()
