"""Replays: durable, paced, each message once, stopped when told; what was never sent can be sent too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from app.kit.ids import parse_public_id, public_id
from app.problem_handlers import install_problem_handlers
from app.webhooks import replays_router, service
from app.webhooks.replay_loop import Replayer
from tests.conftest import MakeKey, make_key, make_tenant
from tests.receiver import Receiver, status
from tests.webhooks.conftest import SECRET, Outlet


class Api:
    """The replay routes for one key."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def start(self, endpoint_id: UUID, **more: Any) -> dict[str, Any]:
        body = {"since": (datetime.now(UTC) - timedelta(days=1)).isoformat(), **more}
        path = f"/v1/webhooks/endpoints/{public_id('ep', endpoint_id)}/replays"
        answer = await self.client.post(path, json=body)
        return {"status": answer.status_code, **answer.json()}

    async def get(self, replay_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/webhooks/replays/{replay_id}")
        return {"status": answer.status_code, **answer.json()}

    async def cancel(self, replay_id: str) -> dict[str, Any]:
        answer = await self.client.post(f"/v1/webhooks/replays/{replay_id}/cancel")
        return {"status": answer.status_code, **answer.json()}


@pytest.fixture
async def api(outlet: Outlet, api_key: MakeKey) -> AsyncIterator[Api]:
    services = outlet.services
    app = FastAPI()
    app.state.database, app.state.clock, app.state.bell = services.database, services.clock, services.bell
    install_problem_handlers(app)
    app.include_router(replays_router.router)
    headers = {"Authorization": f"Bearer {await api_key('webhooks:manage')}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test", headers=headers
    ) as client:
        yield Api(client)


def replayer(outlet: Outlet) -> Replayer:
    return Replayer(outlet.database, outlet.wakeup.ring, poll_seconds=0.05)


async def run_out(outlet: Outlet, rounds: int = 1) -> None:
    """Let the replay loop do all it has, its pace moved in the table."""
    for _ in range(rounds):
        async with outlet.database.worker() as tx:
            await tx.execute("UPDATE replays SET due_at = now()")
        await replayer(outlet).step()


async def exhausted(outlet: Outlet, receiver: Receiver, count: int, *after: Any) -> UUID:
    """An endpoint with that many messages given up; then it plays `after`."""
    scripts = (*[status(500)] * count, *(after or (status(200),)))
    url = receiver.on("/hook", *scripts, secret=SECRET.text)
    endpoint_id = await outlet.endpoint(url, "sla.*", retry_delays_seconds=[])
    await outlet.announce(count=count)
    await outlet.fan_out()
    async with outlet.database.worker() as tx:  # no circuit is to open here
        await tx.execute("UPDATE endpoints SET concurrency = 100")
    dispatcher = outlet.dispatcher()
    while await outlet.messages("state = 'pending'"):
        await outlet.deliver(dispatcher)
        await outlet.make_due()
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE endpoints SET open_until = NULL, failures = 0, retry_delays_seconds = NULL")
    return endpoint_id


async def test_what_was_given_up_is_recovered_under_its_id_with_a_new_schedule(
    outlet: Outlet, receiver: Receiver, api: Api
) -> None:
    endpoint_id = await exhausted(outlet, receiver, 3, status(500), status(200))
    before = [arrival.webhook_id for arrival in receiver.arrivals()]
    started = await api.start(endpoint_id, which="failed")
    assert (started["status"], started["state"], started["total"]) == (202, "running", 3)
    await run_out(outlet)
    progress = await api.get(started["id"])
    assert (progress["state"], progress["queued"], progress["waiting"]) == ("done", 3, 3)
    for _ in range(3):
        await outlet.deliver(outlet.dispatcher())
        await outlet.make_due()
    progress = await api.get(started["id"])
    assert (progress["waiting"], progress["delivered"]) == (0, 3)
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}
    # three again, and one of them once more: its first new try failed
    assert Counter(arrival.webhook_id for arrival in receiver.arrivals()[3:]).total() == 4
    assert {arrival.webhook_id for arrival in receiver.arrivals()} == set(before)
    assert all(arrival.verified for arrival in receiver.arrivals())


async def test_all_sends_the_delivered_again_and_a_failure_takes_nothing_back(
    outlet: Outlet, receiver: Receiver, api: Api
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200), status(500), status(200)), "sla.*")
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    await api.start(endpoint_id, which="all")
    await run_out(outlet)
    await outlet.deliver(outlet.dispatcher())
    assert [row["state"] for row in await outlet.messages()] == ["delivered"]
    (waiting,) = await outlet.sql(
        "SELECT tries FROM deliveries"
    )  # but it is tried again, as it was asked for
    assert waiting["tries"] == 1
    await outlet.make_due()
    await outlet.deliver(outlet.dispatcher())
    assert len(receiver.arrivals()) == 3
    assert await outlet.sql("SELECT 1 FROM deliveries") == []


async def test_missing_sends_what_a_later_endpoint_never_got_by_its_types_and_filter(
    outlet: Outlet, receiver: Receiver, api: Api
) -> None:
    await outlet.endpoint(receiver.on("/old", status(200)))
    await outlet.announce("sla.breached", facts={"severity": "sev1"})
    await outlet.announce("sla.breached", facts={"severity": "sev3"})
    await outlet.announce("case.opened")
    await outlet.fan_out()
    severe = {"field": "data.facts.severity", "op": "eq", "values": ["sev1"]}
    late = await outlet.endpoint(receiver.on("/late", status(200)), "sla.*", filter=severe)
    await outlet.announce("sla.breached", facts={"severity": "sev1"})
    await outlet.fan_out()
    started = await api.start(late, which="missing")
    assert started["total"] == 2  # by type; the filter is asked when its turn comes
    await run_out(outlet)
    for _ in range(2):
        await outlet.deliver(outlet.dispatcher())
    assert len(receiver.arrivals("/late")) == 2
    assert (await api.get(started["id"]))["passed_over"] == 1
    again = await api.start(late, which="missing")
    assert again["total"] == 1
    await run_out(outlet)
    assert (await api.get(again["id"]))["queued"] == 0


async def test_a_disabled_endpoint_can_have_sent_what_passed_it_by(
    outlet: Outlet, receiver: Receiver, api: Api
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)), "sla.*")
    async with outlet.edit() as edit:
        await service.disable_endpoint(edit, endpoint_id)
    await outlet.announce(count=2)
    await outlet.fan_out()
    assert await outlet.messages() == []
    refused = await api.start(endpoint_id, which="missing")
    assert (refused["status"], refused["code"]) == (409, "endpoint_disabled")
    async with outlet.edit() as edit:
        await service.enable_endpoint(edit, endpoint_id)
    await api.start(endpoint_id, which="missing")
    await run_out(outlet)
    await outlet.deliver(outlet.dispatcher())
    assert len(receiver.arrivals()) == 2


async def test_it_keeps_its_pace_and_goes_on_where_it_stood_in_another_process(
    outlet: Outlet, receiver: Receiver, api: Api
) -> None:
    endpoint_id = await exhausted(outlet, receiver, 12)
    started = await api.start(endpoint_id, which="failed", messages_per_second=5)
    first = replayer(outlet)
    await first.step()
    assert await first.step() > 0  # not before the second is over
    assert (await api.get(started["id"]))["queued"] == 5
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE replays SET due_at = now()")
    # the first one is gone; two others come at the same moment
    await asyncio.gather(replayer(outlet).step(), replayer(outlet).step())
    assert (await api.get(started["id"]))["queued"] == 10
    await run_out(outlet, rounds=2)
    progress = await api.get(started["id"])
    assert (progress["state"], progress["queued"]) == ("done", 12)
    for _ in range(4):
        await outlet.deliver(outlet.dispatcher())
    seen = Counter(arrival.webhook_id for arrival in receiver.arrivals())
    assert (len(seen), set(seen.values())) == (12, {2})  # once before, once by the replay


async def test_cancelled_it_queues_no_more_and_drops_what_waits(
    outlet: Outlet, receiver: Receiver, api: Api
) -> None:
    endpoint_id = await exhausted(outlet, receiver, 9)
    started = await api.start(endpoint_id, which="failed", messages_per_second=3)
    await run_out(outlet)
    stopped = await api.cancel(started["id"])
    assert (stopped["status"], stopped["state"], stopped["waiting"]) == (200, "cancelled", 0)
    await run_out(outlet, rounds=3)
    await outlet.deliver(outlet.dispatcher())
    assert len(receiver.arrivals()) == 9
    assert Counter(row["state"] for row in await outlet.messages()) == {"exhausted": 6, "cancelled": 3}
    assert (await api.cancel(started["id"]))["code"] == "replay_over"
    assert (await api.start(endpoint_id, which="failed"))["total"] == 9  # nothing is lost by it


async def test_no_more_is_queued_while_too_much_waits(outlet: Outlet, receiver: Receiver, api: Api) -> None:
    endpoint_id = await exhausted(outlet, receiver, 14)
    started = await api.start(endpoint_id, which="failed", messages_per_second=1)
    await run_out(outlet, rounds=13)
    assert (await api.get(started["id"]))["queued"] == 10


async def test_one_at_a_time_in_a_range_that_makes_sense(
    outlet: Outlet, receiver: Receiver, api: Api
) -> None:
    endpoint_id = await outlet.endpoint(receiver.url(), "sla.*")
    now = datetime.now(UTC)
    for body, code in (
        ({"since": (now - timedelta(days=91)).isoformat()}, "range_too_old"),
        ({"since": now.isoformat(), "until": (now - timedelta(hours=1)).isoformat()}, "range_empty"),
        ({"event_types": ["sla.breech"]}, "unknown_event_type"),
        ({"messages_per_second": 0}, "invalid_request"),
        ({"since": "2026-11-20T08:00:00"}, "invalid_request"),
        ({"which": "some"}, "invalid_request"),
    ):
        refused = await api.start(endpoint_id, **body)
        assert (refused["status"], refused["code"]) == (422, code)
    await api.start(endpoint_id)
    second = await api.start(endpoint_id)
    assert (second["status"], second["code"]) == (409, "replay_running")
    listed = (await api.client.get("/v1/webhooks/replays")).json()
    assert [item["state"] for item in listed["items"]] == ["running"]


async def test_a_replay_is_nobody_elses(outlet: Outlet, receiver: Receiver, api: Api) -> None:
    started = await api.start(await outlet.endpoint(receiver.url()))
    other = await make_tenant(outlet.services, "other")
    api.client.headers["Authorization"] = f"Bearer {await make_key(outlet.services, other)}"
    assert (await api.get(started["id"]))["status"] == 404
    assert (await api.cancel(started["id"]))["status"] == 404
    endpoint_id = parse_public_id("ep", started["endpoint_id"])
    assert endpoint_id is not None
    assert (await api.start(endpoint_id))["status"] == 404
    assert (await api.client.get("/v1/webhooks/replays")).json()["items"] == []


async def test_a_deleted_endpoint_ends_its_replay(outlet: Outlet, receiver: Receiver, api: Api) -> None:
    endpoint_id = await exhausted(outlet, receiver, 2)
    started = await api.start(endpoint_id)
    async with outlet.edit() as edit:
        await service.delete_endpoint(edit, endpoint_id)
    await run_out(outlet)
    assert (await api.get(started["id"]))["state"] == "cancelled"
