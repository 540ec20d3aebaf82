"""The primary dies for good and its standby takes over: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from app.embedded import RunningPostgres
from app.wiring import Services
from tests.conftest import Server, make_key, make_tenant
from tests.faults.processes import Load, running
from tests.faults.standby import a_proxy, a_standby, keep_two_copies
from tests.faults.test_api_killed import lost, stored_once
from tests.faults.test_postgres_killed import (
    RECOVERY_SECONDS,
    assert_only_come_again,
    every_route_works,
    mortal,
    postgres_of_its_own,
    until_acknowledged,
)

__all__ = ["mortal", "postgres_of_its_own"]


@pytest.mark.full
@pytest.mark.parametrize("copies", [2, 1])
async def test_after_a_failover_work_goes_on_where_it_stood(
    mortal: tuple[RunningPostgres, Server, Services], copies: int
) -> None:
    postgres, server, services = mortal
    key = await make_key(services, await make_tenant(services, "acme"))
    assert postgres.pid is not None
    with a_standby(postgres) as standby:
        if copies == 2:
            await keep_two_copies(postgres)
        async with a_proxy(postgres.port) as proxy:
            through = server.login.replace(f":{postgres.port}/", f":{proxy.port}/")
            async with running("all", through) as process:
                load = Load(process.port, key)
                posting = asyncio.create_task(load.run())
                await until_acknowledged(load, 60, 30)
                os.kill(postgres.pid, signal.SIGKILL)
                before = len(load.acknowledged)
                proxy.switch(standby.port)
                await asyncio.sleep(4.0)  # a standby takes no writes; longer than the door tries by itself
                assert len(load.acknowledged) <= before + 8, "something was acknowledged by nobody"
                await asyncio.to_thread(standby.promote)
                took = await until_acknowledged(load, 16, 30)
                load.stop.set()
                await posting
                await every_route_works(process, key)
        after = replace(server, superuser=standby.access.dsn())
        missing = await lost(after, load)
        print(f"recovered in {took:.2f} s, {len(missing)} of {len(load.acknowledged)} lost")
        assert took < RECOVERY_SECONDS
        assert await stored_once(after)
        assert load.refused, "the outage was not noticed: this test proved nothing"
        assert_only_come_again(load)
        if copies == 2:
            assert missing == set()
        else:  # only what the standby had not heard of yet: the last moments before the end
            assert missing <= set(list(load.acknowledged.items())[max(0, before - 50) : before + 8])
