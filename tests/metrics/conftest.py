"""A world to count, and a way to ask about it without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.db.engine import Database
from app.main import create_api
from app.metrics.answer import Answer, NotModified, Reader, answer_query
from app.metrics.schemas import MetricQueryIn
from app.wiring import Services
from tests.conftest import MakeKey, Tenant
from tests.metrics.world import Answer as Told
from tests.metrics.world import World, several

NOW = datetime.fromisoformat("2026-03-31T09:00:00+00:00")

Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture
async def world(database: Database, a_tenant: Tenant) -> World:
    """The tables of a tenant whose zone is Europe/Kyiv."""
    return World(database, a_tenant.tenant_id)


@pytest.fixture
def ask(world: World) -> Ask:
    """`await ask("nps", group_by=["location"])` -> the answer for March 2026, for one who may read rows."""

    async def answer(*metrics: str, now: datetime = NOW, reads_rows: bool = True, **query: Any) -> Answer:
        query.setdefault("period", {"from": "2026-03-01", "to": "2026-04-01"})
        given = MetricQueryIn.model_validate({"metrics": list(metrics), **query})
        reader = Reader(world.tenant_id, reads_rows, "json")
        found = await answer_query(world.database, reader, given, now)
        assert not isinstance(found, NotModified)
        return found

    return answer


@pytest.fixture
def api(services: Services) -> FastAPI:
    return create_api(services)


@pytest.fixture
async def http(api: FastAPI, api_key: MakeKey) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may read metrics and rows."""
    headers = {"Authorization": f"Bearer {await api_key('metrics:read', 'feedback:read')}"}
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test", headers=headers) as http:
        yield http


@pytest.fixture
async def march(world: World) -> World:
    """kyiv: 6 promoters, 4 detractors -> NPS 20; lviv: 5 promoters -> 100; "=cmd" : 3 answers."""
    await world.commit(
        *several(6, Told(10, location="kyiv")),
        *several(4, Told(0, location="kyiv")),
        *several(5, Told(9, location="lviv")),
        *several(3, Told(9, location="=cmd|' /C calc'!A0")),
    )
    return world
