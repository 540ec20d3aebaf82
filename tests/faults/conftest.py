"""What fault tests start from; their logs are plain: decorated traces of many faults are slow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.kit.logging import configure_logging
from tests.conftest import Tenant
from tests.receiver import Receiver
from tests.webhooks.conftest import Outlet


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    configure_logging("error", as_json=True)


@pytest.fixture
async def outlet(services: Any, a_tenant: Tenant) -> AsyncIterator[Outlet]:
    built = Outlet(services, a_tenant)
    yield built
    await built.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running
