"""An outlet: fan-out and dispatchers of a real process on a real database, posting to a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from app.db.bulk import insert_rows
from app.db.tables.ledgers import outbox
from app.domain.egress import EgressRules, parse_networks
from app.domain.signature import HmacSecret, Secret
from app.kit.loops import Loop, Wakeup, run_loops
from app.problem_handlers import install_problem_handlers
from app.webhooks import messages_router, router, service
from app.webhooks.dispatcher import Dispatcher, Limits
from app.webhooks.egress import EgressGuard
from app.webhooks.fanout import Fanout
from app.webhooks.openapi import describe_webhooks
from app.webhooks.ordering import OrderSweep
from app.webhooks.schemas import EndpointIn
from app.webhooks.sender import Sender
from app.webhooks.service import Edit
from app.webhooks.transport import VettedTransport
from app.wiring import Services
from tests.conftest import MakeKey, Tenant
from tests.receiver import Receiver, status

SECRET = HmacSecret(bytes(range(32)))
QUICK = Limits(lease_seconds=30.0, poll_seconds=0.05)


class Outlet:
    """What a test does with webhooks, without the HTTP API."""

    def __init__(self, services: Services, tenant: Tenant) -> None:
        self.services = services
        self.database = services.database
        self.tenant = tenant
        self.guard = EgressGuard(EgressRules(allow=parse_networks(["127.0.0.0/8"])))
        self.wakeup = Wakeup()
        self.fanout = Fanout(self.database, self.wakeup.ring, poll_seconds=0.05)
        self.sweep = OrderSweep(self.database, self.wakeup.ring, poll_seconds=0.05)
        self._senders: list[Sender] = []
        self._sequence = 0

    def dispatcher(
        self,
        limits: Limits = QUICK,
        *,
        deadline_seconds: float = 10.0,
        wakeup: Wakeup | None = None,
        sender: Sender | None = None,
    ) -> Dispatcher:
        """A dispatcher of its own process, as it were."""
        sender = sender or Sender(VettedTransport(self.guard), deadline_seconds=deadline_seconds)
        self._senders.append(sender)
        return Dispatcher(self.database, sender, self.services.sealer, wakeup or self.wakeup, limits)

    async def close(self) -> None:
        """Drop the connections."""
        for sender in self._senders:
            await sender.close()
        self.guard.close()

    @asynccontextmanager
    async def edit(self, tenant: Tenant | None = None) -> AsyncIterator[Edit]:
        """A transaction of the tenant."""
        tenant_id = (tenant or self.tenant).tenant_id
        async with self.database.tenant(tenant_id) as connection:
            yield Edit(connection, self.services.sealer, tenant_id, "test", datetime.now(UTC))

    async def endpoint(
        self, url: str, *event_types: str, secret: Secret = SECRET, tenant: Tenant | None = None, **more: Any
    ) -> UUID:
        """A new endpoint."""
        wanted = EndpointIn(url=url, event_types=list(event_types or ("*",)), **more)
        async with self.edit(tenant) as edit:
            return await service.create_endpoint(edit, wanted, secret)

    async def announce(
        self, event_type: str = "sla.breached", count: int = 1, tenant: Tenant | None = None, **data: Any
    ) -> list[UUID]:
        """Outbox rows as the journal writes them."""
        tenant_id = (tenant or self.tenant).tenant_id
        now = datetime.now(UTC)
        ids = [uuid4() for _ in range(count)]
        rows = []
        for event_id in ids:
            self._sequence += 1
            rows.append(
                (tenant_id, event_id, event_type, self._sequence, now, data or {"n": self._sequence}, now)
            )
        columns = ("tenant_id", "event_id", "type", "sequence", "occurred_at", "data", "created_at")
        async with self.database.write(tenant_id) as tx:
            await insert_rows(tx, outbox, columns, rows)
        return ids

    async def queue(self, receiver: Receiver, count: int = 1) -> None:
        """Messages that wait for an endpoint which accepts them."""
        await self.endpoint(receiver.on("/hook", status(200), secret=SECRET.text))
        await self.announce(count=count)
        await self.fan_out()

    async def fan_out(self) -> None:
        """Fan out all there is (twice: notices become outbox rows first)."""
        while await self.fanout.step() == 0.0:
            pass

    async def deliver(self, dispatcher: Dispatcher, rounds: int = 1) -> None:
        """Let a dispatcher do what is due, and settle it."""
        for _ in range(rounds):
            await dispatcher.claim()
            while dispatcher.in_hand:
                await asyncio.sleep(0.005)
                await dispatcher.settle()

    @asynccontextmanager
    async def running(self, *dispatchers: Dispatcher) -> AsyncIterator[None]:
        """Fan-out and dispatchers as loops in the background, closed at the end."""
        stop = asyncio.Event()
        loops = [Loop("fanout", self.fanout.step), Loop("order_sweep", self.sweep.step)]
        loops += [loop for dispatcher in dispatchers for loop in dispatcher.loops()]
        task = asyncio.create_task(run_loops(loops, stop))
        try:
            yield
        finally:
            stop.set()
            await task
            for dispatcher in dispatchers:
                await dispatcher.close(grace_seconds=2)
            assert [loop.failures for loop in loops] == [0] * len(loops), [loop.last_error for loop in loops]

    async def sql(self, query: str, *arguments: Any) -> list[Any]:
        """Rows of the tables that workers see."""
        async with self.database.worker() as tx:
            return await tx.fetch(query, *arguments)

    async def messages(self, where: str = "true") -> Sequence[Any]:
        """Messages in order."""
        return await self.sql(f"SELECT * FROM messages WHERE {where} ORDER BY number")

    async def attempts(self, message_id: UUID | None = None) -> Sequence[Any]:
        """Attempts in order."""
        return await self.sql(
            "SELECT * FROM attempts WHERE $1::uuid IS NULL OR message_id = $1 ORDER BY message_id, number",
            message_id,
        )

    async def make_due(self) -> None:
        """Let waiting tries be due now: time is moved in the table, not on the clock."""
        async with self.database.worker() as tx:
            await tx.execute(
                "UPDATE deliveries SET due_at = now() WHERE claim_id IS NULL AND due_at < 'infinity'"
            )
            await tx.execute("UPDATE endpoints SET open_until = now() WHERE open_until IS NOT NULL")

    async def endpoint_row(self, endpoint_id: UUID) -> Any:
        """The endpoint as stored."""
        return (await self.sql("SELECT * FROM endpoints WHERE endpoint_id = $1", endpoint_id))[0]


@pytest.fixture
async def outlet(services: Services, a_tenant: Tenant) -> AsyncIterator[Outlet]:
    built = Outlet(services, a_tenant)
    yield built
    await built.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


def ago(**delta: float) -> datetime:
    """A moment in the past."""
    return datetime.now(UTC) - timedelta(**delta)


@pytest.fixture
def api(outlet: Outlet) -> FastAPI:
    """The webhook routes alone, over the services of the outlet."""
    services = outlet.services
    app = FastAPI()
    app.state.database, app.state.clock, app.state.bell = services.database, services.clock, services.bell
    app.state.sealer, app.state.egress = services.sealer, outlet.guard
    app.state.webhook_origin = "vidhuk.example.com"
    install_problem_handlers(app)
    app.include_router(router.router)
    app.include_router(messages_router.router)
    describe_webhooks(app)
    return app


@pytest.fixture
async def http(api: FastAPI, api_key: MakeKey) -> AsyncIterator[httpx.AsyncClient]:
    """A caller with the scope of webhooks."""
    headers = {"Authorization": f"Bearer {await api_key('webhooks:manage')}"}
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test", headers=headers
    ) as client:
        yield client
