"""A client library that knows nothing of us reads the feed: model, filter, order, pages, count."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator

import pytest
import requests
import uvicorn

from app.main import create_app
from app.wiring import Services
from tests.conftest import MakeKey
from tests.metrics.world import Answer, World, several

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from odata import ODataService


@pytest.fixture
async def address(services: Services, a_tenant) -> AsyncIterator[str]:
    """A real server on loopback with seventeen answers."""
    world = World(services.database, a_tenant.tenant_id)
    await world.commit(
        *several(12, Answer(10, touchpoint="checkout")), *several(5, Answer(3, touchpoint="O'Hara"))
    )
    config = uvicorn.Config(create_app(services), port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no event to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/odata/v4/"
    server.should_exit = True
    await serving


def read(address: str, key: str) -> tuple[set[str], list[float], int, float]:
    """What an analyst would ask with python-odata."""
    with requests.Session() as session:
        session.auth = ("any", key)
        session.headers["Prefer"] = "odata.maxpagesize=4"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            service = ODataService(address, session=session, reflect_entities=True)
        answers, daily = service.entities["feedback"], service.entities["metric_daily"]
        asked = service.query(answers).filter(answers.touchpoint == "O'Hara").order_by(answers.value.desc())
        scores = [row.value for row in asked]
        count = service.query(answers).filter(answers.touchpoint == "checkout").count()
        nps = sum(row.numerator for row in service.query(daily).filter(daily.metric == "nps"))
        return set(service.entities), scores, count, nps


async def test_a_client_library_reads_the_feed(address: str, api_key: MakeKey) -> None:
    sets, scores, count, nps = await asyncio.to_thread(read, address, await api_key("feedback:read"))
    assert {"feedback", "cases", "sla_timers", "metric_daily", "dim_date"} <= sets
    assert scores == [3.0] * 5
    assert count == 12
    assert nps == 100 * (12 - 5)
