"""What a process tells Prometheus: its doors, commits, loops and queues; and of nobody in particular."""

from __future__ import annotations

import asyncio
import re

import httpx

from app.kit import instruments
from app.kit.loops import Loop
from app.operations.gauges import Gauges
from app.wiring import Services
from tests.builders import event, rating
from tests.conftest import Tenant


async def scraped(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_what_was_posted_and_what_waits_is_counted(client: httpx.AsyncClient) -> None:
    before = await scraped(client)
    opened = event("case.opened", "m3", subject="case/C-1", data={"kind": "complaint"})
    await client.post("/v1/events", json=[rating("m1", 9), {**rating("m2"), "nonsense": 1}, opened])
    await client.post("/v1/events", json=rating("m1", 9))
    after = await scraped(client)

    def grew(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grew('vidhuk_events_total{outcome="created"}') == 2
    assert grew('vidhuk_events_total{outcome="duplicate"}') == 1
    assert grew('vidhuk_events_total{outcome="rejected"}') == 1
    assert grew('vidhuk_http_request_seconds_count{door="events",status="2xx"}') == 2
    assert grew("vidhuk_commit_seconds_count") >= 1
    assert after["vidhuk_ready"] == 1
    assert after["vidhuk_outbox"] >= 1
    assert after["vidhuk_ingest_waiting_events"] == 0


async def test_no_label_names_a_tenant_or_a_person(client: httpx.AsyncClient, a_tenant: Tenant) -> None:
    await client.post("/v1/events", json=rating("m1", 9, customer={"type": "email", "value": "o@x.ua"}))
    await client.get("/v1/cases/case_nobody")
    text = (await client.get("/metrics")).text
    assert set(re.findall(r'(\w+)="', text)) <= {
        "door", "status", "outcome", "state", "loop", "le", "generation",
        "implementation", "major", "minor", "patchlevel", "version",
    }  # fmt: skip
    for secret in (str(a_tenant.tenant_id), a_tenant.key, "o@x.ua", "call-centre"):
        assert f'"{secret}"' not in text


async def test_a_loop_that_fails_is_told_apart_from_one_that_works(client: httpx.AsyncClient) -> None:
    stop = asyncio.Event()
    steps = iter([None, RuntimeError("down"), None])

    async def step() -> float:
        fault = next(steps, None)
        if fault is not None:
            raise fault
        if next(steps, "last") == "last":
            stop.set()
        return 0

    await Loop("test_of_metrics", step).run(stop)
    told = await scraped(client)
    assert told['vidhuk_loop_steps_total{loop="test_of_metrics",outcome="done"}'] >= 1
    assert told['vidhuk_loop_last_success_timestamp_seconds{loop="test_of_metrics"}'] > 0


async def test_while_the_database_is_away_the_figures_say_not_ready(services: Services) -> None:
    gone = services.database.__class__("postgresql://nobody@127.0.0.1:1/none", pool_timeout_seconds=0.5)
    await Gauges(gone).refresh()
    assert b"vidhuk_ready 0.0" in instruments.exposition()
    await Gauges(services.database).refresh()
    assert b"vidhuk_ready 1.0" in instruments.exposition()
    await gone.close()
