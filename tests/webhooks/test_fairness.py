"""Fairness: a flood, an outage or a replay of one is no delay for another."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest

from app.operations.repository import get_queues
from app.webhooks.dispatcher import Limits
from app.webhooks.fanout import Fanout
from tests.conftest import make_tenant
from tests.receiver import Receiver, after, silence, status
from tests.webhooks.conftest import Outlet

_FLOOD = """
INSERT INTO outbox (tenant_id, event_id, type, sequence, occurred_at, data, created_at)
SELECT $1, gen_random_uuid(), 'sla.met', n, now(), jsonb_build_object('n', n), now()
  FROM generate_series(1, $2::int) n
"""


async def flood(outlet: Outlet, count: int) -> None:
    async with outlet.database.worker() as tx:
        await tx.execute(_FLOOD, outlet.tenant.tenant_id, count)


async def test_fan_out_gives_every_tenant_its_turn_in_its_own_order(
    outlet: Outlet, receiver: Receiver
) -> None:
    quiet = await make_tenant(outlet.services, "quiet")
    await outlet.endpoint(receiver.on("/loud", status(200)))
    await outlet.endpoint(receiver.on("/quiet", status(200)), tenant=quiet)
    await flood(outlet, 2_000)
    await outlet.announce("sla.breached", 3, tenant=quiet)
    assert await outlet.fanout.step() == 0.0  # there is more, and one step is enough for the neighbour
    by_tenant = Counter(row["tenant_id"] for row in await outlet.messages())
    assert by_tenant == {outlet.tenant.tenant_id: 250, quiet.tenant_id: 3}
    await outlet.fan_out()
    rows = [row["sequence"] for row in await outlet.messages() if row["tenant_id"] == outlet.tenant.tenant_id]
    assert rows == list(range(1, 2_001))


async def test_fan_out_gives_way_while_others_are_told_and_then_takes_all(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200)))
    await outlet.announce("sla.breached", 3)
    rushed = [True]
    fanout = Fanout(outlet.database, outlet.wakeup.ring, poll_seconds=5.0, gives_way=lambda: rushed[0])
    assert 0 < await fanout.step() < 0.1  # soon again, whatever the poll
    assert await outlet.messages() == []
    rushed[0] = False
    await fanout.step()
    assert len(await outlet.messages()) == 3


@pytest.mark.parametrize("size", [3_000, pytest.param(100_000, marks=pytest.mark.full)])
async def test_a_neighbours_single_messages_arrive_within_two_seconds_of_a_flood(
    outlet: Outlet, receiver: Receiver, size: int
) -> None:
    quiet = await make_tenant(outlet.services, "quiet")
    await outlet.endpoint(receiver.on("/loud", after(0.005, status(200))))
    await outlet.endpoint(receiver.on("/quiet", status(200)), tenant=quiet)
    await flood(outlet, size)
    seconds: list[float] = []
    async with outlet.running(outlet.dispatcher()):
        await receiver.wait_for(1, "/loud")
        for number in range(1, 21):
            started = time.monotonic()
            await outlet.announce("sla.breached", tenant=quiet)
            await receiver.wait_for(number, "/quiet")
            seconds.append(time.monotonic() - started)
            await asyncio.sleep(0.02)
        loud = len(receiver.arrivals("/loud"))
    assert sorted(seconds)[18] <= 2.0, sorted(seconds)
    assert 0 < loud < size  # the flood went on all the while, and was not over before


async def test_dead_endpoints_with_a_backlog_of_retries_do_not_hold_up_first_tries(
    outlet: Outlet, receiver: Receiver
) -> None:
    for number in range(6):
        await outlet.endpoint(receiver.on(f"/dead{number}", silence()), "sla.met")
    await outlet.endpoint(receiver.on("/live", status(200)), "case.opened")
    await outlet.announce("sla.met", 30)
    await outlet.fan_out()
    async with outlet.database.worker() as tx:  # an hour of outage is over, all their retries are due
        await tx.execute("UPDATE deliveries SET first_try = false, tries = 3")
        await tx.execute(
            "UPDATE endpoints SET failures = 9, failing_since = now() - interval '1 hour', "
            "last_failure_at = now() WHERE event_types = '{sla.met}'"
        )
    limits = Limits(poll_seconds=0.05, retry_slots=8, retry_per_endpoint=2)
    seconds: list[float] = []
    async with outlet.running(outlet.dispatcher(limits, deadline_seconds=1.0)):
        await receiver.wait_for(1, "/dead0")
        for number in range(1, 21):
            started = time.monotonic()
            await outlet.announce("case.opened")
            await receiver.wait_for(number, "/live")
            seconds.append(time.monotonic() - started)
    assert sorted(seconds)[18] <= 0.6, sorted(seconds)


async def test_after_an_outage_the_backlog_drains_at_the_pace_of_the_endpoint_and_not_as_a_wave(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint = await outlet.endpoint(receiver.on("/back", status(200)), "sla.met", throttle={"messages": 40})
    await outlet.endpoint(receiver.on("/live", status(200)), "case.opened")
    await outlet.announce("sla.met", 120)
    await outlet.fan_out()
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE deliveries SET first_try = false, tries = 2")
        await tx.execute(
            "UPDATE endpoints SET failures = 40, failing_since = now() - interval '1 hour', "
            "last_failure_at = now(), open_until = now() WHERE endpoint_id = $1",
            endpoint,
        )
    async with outlet.running(outlet.dispatcher(), outlet.dispatcher()):
        await receiver.wait_for(120, "/back", timeout_seconds=20)
    arrivals = [arrival.at for arrival in receiver.arrivals("/back")]
    per_second = Counter(int(at - arrivals[0]) for at in arrivals)
    assert max(per_second.values()) <= 52  # 40 a second, and a quarter of a second's worth of burst
    assert 2.0 <= arrivals[-1] - arrivals[0] <= 6.0


async def test_what_waits_is_late_only_where_it_could_be_sent(outlet: Outlet, receiver: Receiver) -> None:
    dead = await outlet.endpoint(receiver.url("/dead"), "sla.met")
    await outlet.endpoint(receiver.url("/live"), "sla.met")
    await outlet.announce("sla.met", 3)
    await outlet.fan_out()
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE deliveries SET due_at = now() - interval '30 seconds'")
        await tx.execute(
            "UPDATE endpoints SET failures = 12, open_until = now() + interval '1 minute' "
            "WHERE endpoint_id = $1",
            dead,
        )
        queues = await get_queues(tx)
    assert (queues["deliveries_waiting"], queues["deliveries_held"], queues["deliveries_due"]) == (6, 0, 3)
    assert queues["queue_dead_rows"] >= 0
    assert 30 <= queues["deliveries_late_seconds"] < 60
    assert (queues["endpoints_failing"], queues["endpoints_left_alone"]) == (1, 1)
