"""Deliveries while the database is read-only or its bell is dead: late, never lost or blamed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from app.db import wakeup
from app.db.engine import is_retryable
from app.db.wakeup import Bell
from app.kit.loops import Wakeup
from app.webhooks.dispatcher import Limits
from tests.conftest import Server
from tests.faults.standby import a_proxy
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet


async def _as_superuser(server: Server, *statements: str) -> None:
    writable = {"default_transaction_read_only": "off"}
    connection = await asyncpg.connect(server.superuser, server_settings=writable)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def _refused(step: Callable[[], Awaitable[object]]) -> None:
    """Every try ends with a fault of the moment, one of them because nothing may be written."""
    reasons = []
    for _ in range(20):
        with pytest.raises(Exception) as refused:
            await step()
        assert is_retryable(refused.value), refused.value
        reasons.append(type(refused.value))
    assert asyncpg.ReadOnlySQLTransactionError in reasons


async def _in_the_end(step: Callable[[], Awaitable[object]]) -> None:
    """As a loop does: again, after a connection that was cut."""
    for _ in range(20):
        try:
            await step()
            return
        except Exception as error:
            if not is_retryable(error):
                raise


_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name LIKE 'vidhuk%'"
)


async def test_a_database_that_turns_read_only_costs_no_try_and_blames_nobody(
    outlet: Outlet, receiver: Receiver, server: Server
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)))
    await outlet.announce(count=3)
    await outlet.fan_out()
    name = server.superuser.rpartition("/")[2]
    read_only = f"ALTER DATABASE {name} SET default_transaction_read_only = on"
    writable = f"ALTER DATABASE {name} RESET default_transaction_read_only"
    dispatcher = outlet.dispatcher(Limits(lease_seconds=30.0, poll_seconds=0.05), wakeup=Wakeup())
    await dispatcher.claim()
    await receiver.wait_for(3)
    await _as_superuser(server, read_only, _CUT)  # what was sent waits here to be settled
    await asyncio.sleep(0.1)
    await _refused(dispatcher.settle)
    assert dispatcher.in_hand == 3
    await _as_superuser(server, writable, _CUT)
    while dispatcher.in_hand:
        await _in_the_end(dispatcher.settle)
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}

    await _in_the_end(lambda: outlet.announce(count=3))
    await _in_the_end(outlet.fan_out)
    await _as_superuser(server, read_only, _CUT)
    await _refused(dispatcher.claim)
    assert (dispatcher.in_hand, len(receiver.arrivals())) == (0, 3)
    await _as_superuser(server, writable, _CUT)
    await _in_the_end(dispatcher.claim)
    while dispatcher.in_hand:
        await asyncio.sleep(0.01)
        await _in_the_end(dispatcher.settle)
    assert len(receiver.arrivals()) == 6
    assert [row["number"] for row in await outlet.attempts()] == [1] * 6
    assert (await outlet.endpoint_row(endpoint_id))["failures"] == 0


async def test_a_killed_listener_costs_at_most_a_poll_and_comes_back(
    outlet: Outlet, receiver: Receiver, server: Server
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200)))
    bell = Bell(server.login, {"deliver": outlet.wakeup})
    stop = asyncio.Event()
    task = asyncio.create_task(bell.run(stop))
    try:
        async with asyncio.timeout(5):
            while not bell.listening:  # noqa: ASYNC110 - the bell has no event for it
                await asyncio.sleep(0.01)
        async with outlet.running(outlet.dispatcher()):
            await _as_superuser(server, _CUT.replace("vidhuk%", "vidhuk-wakeup"))
            started = asyncio.get_running_loop().time()
            await outlet.announce()
            await receiver.wait_for(1)
            assert asyncio.get_running_loop().time() - started < 1.0
        async with asyncio.timeout(5):
            while not bell.listening:  # noqa: ASYNC110 - the bell has no event for it
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        bell.ring("deliver")
        await task


async def until(bell: Bell, *, listening: bool) -> None:
    async with asyncio.timeout(10):
        while bell.listening is not listening:  # noqa: ASYNC110 - the bell has no event for it
            await asyncio.sleep(0.01)


async def test_a_listener_whose_wire_swallows_everything_is_found_out_and_costs_a_poll(
    outlet: Outlet, receiver: Receiver, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup, "_CHECK_SECONDS", 0.3)
    monkeypatch.setattr(wakeup, "_SELF_CHECK_TIMEOUT_SECONDS", 0.5)
    await outlet.endpoint(receiver.on("/hook", status(200)))
    url = make_url(server.login)
    async with a_proxy(url.port or 5432) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(False)
        bell = Bell(through, {"deliver": outlet.wakeup})
        stop = asyncio.Event()
        task = asyncio.create_task(bell.run(stop))
        try:
            await until(bell, listening=True)
            async with outlet.running(outlet.dispatcher()):
                proxy.is_hole = True
                started = asyncio.get_running_loop().time()
                await outlet.announce()
                await receiver.wait_for(1)
                assert asyncio.get_running_loop().time() - started < 1.5
            await until(bell, listening=False)
            proxy.is_hole = False
            await until(bell, listening=True)
        finally:
            stop.set()
            bell.ring("deliver")
            await task
