"""A world to count, and a way to ask about it without HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest

from app.db.engine import Database
from app.metrics.answer import Answer, NotModified, Reader, answer_query
from app.metrics.schemas import MetricQueryIn
from tests.conftest import Tenant
from tests.metrics.world import World

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
