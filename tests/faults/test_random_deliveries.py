"""A random run of deliveries under every fault at once, and its invariants. The seed is printed."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from app.kit.ids import parse_public_id, public_id
from app.kit.loops import Wakeup
from app.webhooks import service
from app.webhooks.dispatcher import Dispatcher, Limits
from app.webhooks.replay_loop import Replayer
from app.webhooks.replay_schemas import ReplayIn, Which
from app.webhooks.replays import create_replay
from app.webhooks.schemas import RotateIn
from tests.conftest import Server, Tenant, make_tenant
from tests.receiver import Arrival, Receiver, Script, after, reset, status
from tests.webhooks.conftest import SECRET, Outlet

SHORT = Limits(lease_seconds=2.2, poll_seconds=0.05)
FINAL = {"delivered"}
PASSING = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    DBAPIError,
)
"""What a cut connection may look like to whoever used it."""


class Storm:
    """Two tenants, four endpoints, three workers, and a die."""

    def __init__(self, outlet: Outlet, receiver: Receiver, server: Server, seed: int) -> None:
        self.outlet, self.receiver, self.server = outlet, receiver, server
        self.die = random.Random(seed)
        self.calm = False
        self.endpoints: dict[UUID, tuple[Tenant, str]] = {}
        self.announced: defaultdict[UUID, int] = defaultdict(int)
        self.secrets: defaultdict[UUID, list[str]] = defaultdict(list)
        self.workers: list[tuple[Dispatcher, asyncio.Task[None]]] = []
        self.seen_final: dict[UUID, str] = {}
        self.errors: list[str] = []

    async def prepare(self) -> None:
        other = await make_tenant(self.outlet.services, "other")
        for number, tenant in enumerate((self.outlet.tenant, self.outlet.tenant, other, other)):
            path = f"/{number}"
            url = self.receiver.on(path, self._answer, secret=SECRET.text)
            endpoint_id = await self.outlet.endpoint(
                url,
                "sla.*",
                tenant=tenant,
                retry_delays_seconds=[1, 1, 2, 2],
                ordering="subject" if number % 2 else "none",
            )
            self.endpoints[endpoint_id] = (tenant, path)

    async def _answer(
        self, arrival: Arrival, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        good: Script = status(200)
        bad: list[Script] = [
            status(500),
            status(503, Retry_After="1"),
            status(429),
            reset(b"HTTP/1.1 200 OK\r\n"),
            after(3.0, status(200)),
            status(302, Location="http://127.0.0.1:1/"),
        ]
        script = good if self.calm or self.die.random() < 0.6 else self.die.choice(bad)
        await script(arrival, reader, writer)

    async def rage(self, steps: int) -> None:
        actions: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._announce, 8),
            (self._start, 3),
            (self._kill, 2),
            (self._stop, 1),
            (self._cut_connections, 1),
            (self._end_leases, 1),
            (self._switch, 2),
            (self._rotate, 1),
            (self._resend, 2),
            (self._replay, 1),
            (self._work, 6),
        ]
        for _ in range(steps):
            (act,) = self.die.choices([one for one, _ in actions], [weight for _, weight in actions])
            with suppress(*PASSING):
                await act()
            await self._watch()
            await asyncio.sleep(self.die.random() * 0.08)

    async def settle_down(self) -> None:
        """No more faults: all is switched on, what was given up is replayed, and the queue runs empty."""
        self.calm = True
        await self._stop_all(kill=True)
        for endpoint_id, (tenant, _) in self.endpoints.items():
            async with self.outlet.edit(tenant) as edit:
                await service.enable_endpoint(edit, endpoint_id)
        await self._start()
        async with asyncio.timeout(60):
            while True:
                await self._work()
                async with self.outlet.database.worker() as tx:
                    await tx.execute(
                        "UPDATE deliveries SET due_at = now() WHERE claim_id IS NULL AND due_at < 'infinity'"
                    )
                    await tx.execute("UPDATE endpoints SET open_until = now() WHERE open_until IS NOT NULL")
                    await tx.execute("UPDATE replays SET due_at = now()")
                    busy = await tx.fetchval(
                        "SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM outbox) "
                        "+ (SELECT count(*) FROM notices) + "
                        "(SELECT count(*) FROM replays WHERE state = 'running')"
                    )
                    given_up = await tx.fetchval(
                        "SELECT count(*) FROM messages WHERE given_up_at IS NOT NULL"
                    )
                if not busy and not given_up:
                    break
                if not busy:
                    for endpoint_id in self.endpoints:
                        await self._replay_all(endpoint_id)
                await asyncio.sleep(0.05)
        await self._stop_all(kill=False)

    async def _announce(self) -> None:
        tenant = self.die.choice([tenant for tenant, _ in self.endpoints.values()])
        count = self.die.randint(1, 6)
        subject = {"kind": "case", "id": f"case_{self.die.randrange(4)}"}
        await self.outlet.announce("sla.breached", count, tenant=tenant, subject=subject)
        self.announced[tenant.tenant_id] += count

    async def _start(self) -> None:
        if len(self.workers) < 3:
            dispatcher = self.outlet.dispatcher(SHORT, deadline_seconds=1.2, wakeup=Wakeup())
            self.workers.append((dispatcher, asyncio.create_task(_run(dispatcher))))

    async def _kill(self) -> None:
        """As SIGKILL: nothing is settled, released or closed."""
        if self.workers:
            dispatcher, task = self.workers.pop(self.die.randrange(len(self.workers)))
            await _perish(dispatcher, task)

    async def _stop(self) -> None:
        if self.workers:
            dispatcher, task = self.workers.pop(self.die.randrange(len(self.workers)))
            await _end(task)
            await dispatcher.close(grace_seconds=self.die.random())

    async def _stop_all(self, *, kill: bool) -> None:
        while self.workers:
            await (self._kill() if kill else self._stop())

    async def _cut_connections(self) -> None:
        connection = await asyncpg.connect(self.server.superuser)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'vidhuk' AND random() < 0.5"
        )
        await connection.close()

    async def _end_leases(self) -> None:
        """As a worker that was stopped for longer than its leases: others take over while it goes on."""
        async with self.outlet.database.worker() as tx:
            await tx.execute(
                "UPDATE deliveries SET due_at = now() WHERE claim_id IS NOT NULL AND random() < 0.3"
            )

    async def _switch(self) -> None:
        endpoint_id, (tenant, _) = self.die.choice(list(self.endpoints.items()))
        async with self.outlet.edit(tenant) as edit:
            await service.enable_endpoint(edit, endpoint_id)
        async with self.outlet.database.worker() as tx:
            await tx.execute("UPDATE endpoints SET open_until = now() WHERE endpoint_id = $1", endpoint_id)

    async def _rotate(self) -> None:
        endpoint_id, (tenant, _) = self.die.choice(list(self.endpoints.items()))
        async with self.outlet.edit(tenant) as edit:
            with suppress(service.ConflictError):
                secret = service.read_secret(None, "hmac")
                await service.rotate_secret(edit, endpoint_id, RotateIn(overlap_seconds=3_600), secret)

    async def _resend(self) -> None:
        rows = await self.outlet.messages()
        if rows:
            row = self.die.choice(rows)
            tenant = self.endpoints[row["endpoint_id"]][0]
            async with self.outlet.edit(tenant) as edit:
                with suppress(service.ConflictError):
                    await service.resend(edit, row["message_id"])

    async def _replay(self) -> None:
        await self._replay_all(self.die.choice(list(self.endpoints)))

    async def _replay_all(self, endpoint_id: UUID) -> None:
        tenant = self.endpoints[endpoint_id][0]
        now = datetime.now(UTC) + timedelta(seconds=1)
        wanted = ReplayIn(which=Which.FAILED, since=now - timedelta(days=1), messages_per_second=500)
        with suppress(service.ConflictError):
            async with self.outlet.database.write(tenant.tenant_id) as tx:
                await create_replay(tx, tenant.tenant_id, endpoint_id, wanted, actor="storm", now=now)

    async def _work(self) -> None:
        await self.outlet.fanout.step()
        await self.outlet.sweep.step()
        await Replayer(self.outlet.database, lambda: None).step()
        for dispatcher, _ in self.workers:
            dispatcher._wakeup.ring()

    async def _watch(self) -> None:
        """A final state never regresses."""
        with suppress(*PASSING):
            for row in await self.outlet.messages("state = 'delivered'"):
                self.seen_final[row["message_id"]] = row["state"]


async def _run(dispatcher: Dispatcher) -> None:
    async def repeat(step: Callable[[], Awaitable[float]]) -> None:
        while True:
            try:
                await asyncio.sleep(min(await step(), 0.05))
            except PASSING:
                await asyncio.sleep(0.02)

    await asyncio.gather(repeat(dispatcher.claim), repeat(dispatcher.settle))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _perish(dispatcher: Dispatcher, task: asyncio.Task[None]) -> None:
    await _end(task)
    for carried in list(dispatcher._tasks):
        carried.cancel()
    await asyncio.gather(*dispatcher._tasks, return_exceptions=True)


SEEDS = [int(os.environ.get("VIDHUK_TEST_SEED", random.SystemRandom().randrange(10**6)))]


@pytest.mark.parametrize("steps", [80, pytest.param(1_500, marks=pytest.mark.full)])
async def test_whatever_fails_nothing_is_lost_doubled_crossed_or_taken_back(
    outlet: Outlet, receiver: Receiver, server: Server, steps: int
) -> None:
    for seed in SEEDS:
        print(f"VIDHUK_TEST_SEED={seed}")
        storm = Storm(outlet, receiver, server, seed)
        await storm.prepare()
        await storm.rage(steps)
        await storm.settle_down()
        await check(storm)


async def check(storm: Storm) -> None:
    outlet, receiver = storm.outlet, storm.receiver
    messages = await outlet.messages("type = 'sla.breached'")
    per_endpoint = Counter(row["endpoint_id"] for row in messages)
    for endpoint_id, (tenant, _) in storm.endpoints.items():  # nothing lost, nothing made twice
        assert per_endpoint[endpoint_id] == storm.announced[tenant.tenant_id]
    assert len({(row["endpoint_id"], row["event_id"]) for row in messages}) == len(messages)
    assert {row["state"] for row in messages} <= FINAL

    taken = Counter(arrival.webhook_id for arrival in receiver.ledger)
    attempts: defaultdict[UUID, list[Any]] = defaultdict(list)
    for attempt in await outlet.attempts():
        attempts[attempt["message_id"]].append(attempt)
    for row in messages:
        numbers = [attempt["number"] for attempt in attempts[row["message_id"]]]
        assert numbers == list(range(1, row["attempts"] + 1))  # no gaps, and counters equal rows
        assert any(attempt["outcome"] == "delivered" for attempt in attempts[row["message_id"]])
        assert taken[public_id("msg", row["message_id"])] >= 1

    paths = {path: (endpoint_id, tenant) for endpoint_id, (tenant, path) in storm.endpoints.items()}
    owners = {row["message_id"]: row["endpoint_id"] for row in await outlet.messages()}
    for arrival in receiver.ledger:  # every request verifies, and none went to another's endpoint
        assert arrival.verified, arrival
        message_id = parse_public_id("msg", arrival.webhook_id)
        assert message_id is not None
        assert owners[message_id] == paths[arrival.path][0]
    final = {row["message_id"]: row["state"] for row in messages}
    for message_id, state in storm.seen_final.items():
        assert final.get(message_id, state) == state  # what was delivered stays so
    assert await outlet.sql("SELECT 1 FROM deliveries") == []
    requests, repeats = sum(taken.values()), sum(count - 1 for count in taken.values())
    print(f"{len(messages)} messages, {requests} requests, {repeats} of them repeated, 0 lost")
    assert not [row for row in messages if row["state"] == "quarantined"]
