"""A database with rows of two tenants in every table, and a report's login of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from app.bi.logins import Limits, grant_login, login_url, revoke_login
from tests.conftest import Server
from tests.contract.conftest import a_database
from tests.contract.rows import MINE, THEIRS, fill

SECRET = "only-theirs"
_TEXTS = {
    "feedback": ("source", "touchpoint", "cause"),
    "cases": ("source", "cause", "assignee"),
    "sla_timers": ("policy", "source"),
    "volumes": ("source", "touchpoint"),
    "events": ("source",),
    "directory": ("title",),
    "questions": ("wording",),
    "sources": ("title",),
    "tenants": ("name",),
}


@dataclass(frozen=True)
class Reports:
    """Where the two logins enter."""

    server: Server
    mine: str
    theirs: str


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def grant(server: Server, tenant_id: UUID, label: str, limits: Limits | None = None) -> str:
    """The URL of a new login of a tenant."""
    name, password = await grant_login(server.owner, tenant_id, label, limits or Limits())
    url = make_url(login_url(server.owner, name, password))
    return url.render_as_string(hide_password=False)


async def _prepare(server: Server, label: str) -> Reports:
    async with connected(server.superuser) as superuser:
        await fill(superuser)
        await superuser.execute("UPDATE directory SET kind = 'touchpoint'")
        await superuser.execute("UPDATE feedback SET seq_to = NULL")
        await superuser.execute("UPDATE volumes SET seq_to = NULL")
        await superuser.execute("UPDATE sla_timers SET due_at = started_at")
        await superuser.execute("UPDATE events SET type = 'rating.displayed'")
        await superuser.execute("UPDATE tenants SET time_zone = 'Europe/Kyiv'")
        for table, columns in _TEXTS.items():
            changes = ", ".join(f"{column} = '{SECRET}'" for column in columns)
            await superuser.execute(f"UPDATE {table} SET {changes} WHERE tenant_id = $1", THEIRS)
        await superuser.execute("ANALYZE")
    return Reports(server, await grant(server, MINE, label), await grant(server, THEIRS, label))


async def _leave(server: Server, label: str) -> None:
    for tenant_id in (MINE, THEIRS):
        await revoke_login(server.owner, tenant_id, label)


@pytest.fixture(scope="module")
def reports(postgres: Server, template: str) -> Iterator[Reports]:
    label = uuid4().hex[:12]
    with a_database(postgres, template=template) as server:
        yield asyncio.run(_prepare(server, label))
        asyncio.run(_leave(server, label))


@pytest.fixture
async def mine(reports: Reports) -> AsyncIterator[asyncpg.Connection]:
    """A session of my tenant's login, as a hostile analyst has it: read-only is switched off first."""
    async with connected(reports.mine) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        yield connection
