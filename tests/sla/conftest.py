"""A tenant with a policy of seconds, sources that post facts, and the loop stepped by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.kit import json
from app.settings import Settings
from app.sla.loop import SlaLoop
from app.wiring import Services, build_services
from tests.conftest import MovedClock, Tenant

_ACKNOWLEDGE = {
    "key": "acknowledge",
    "subject": "case",
    "start": ["case.opened"],
    "stop": ["case.acknowledged"],
    "due": {"duration": "PT60S"},
    "warnings": [50],
    "escalation": [{"percent": 100, "to": "assignee"}, {"percent": 200, "to": "manager"}],
}
_GIVEN_DUE = {
    "key": "given_due",
    "subject": "case",
    "start": ["case.opened"],
    "stop": ["case.closed", "case.remedied", "case.declined"],
    "due": {"from_event": "due_at"},
}
_OFFER = {
    "key": "feedback_offer",
    "subject": "interaction",
    "start": ["interaction.ended"],
    "stop": ["feedback.offered", "feedback.received"],
    "due": {"duration": "PT20S"},
    "events": {"breached": "feedback_offer.missed"},
}


def policy_document(*case_timers: dict[str, Any], offer: dict[str, Any] = _OFFER) -> dict[str, Any]:
    """A policy with these timers of cases (default: acknowledge in a minute, and given due times)."""
    return {
        "format": 1,
        "title": "seconds",
        "calendar": "24x7",
        "rules": [
            {"name": "offer", "when": {"subject": "interaction"}, "timers": [offer]},
            {
                "name": "cases",
                "when": {"subject": "case"},
                "timers": list(case_timers or (_ACKNOWLEDGE, _GIVEN_DUE)),
            },
        ],
    }


def acknowledge_within(seconds: int, **more: Any) -> dict[str, Any]:
    """The acknowledge timer with another target."""
    return {**_ACKNOWLEDGE, "due": {"duration": f"PT{seconds}S"}, **more}


@dataclass(frozen=True)
class Told:
    """One announcement, as it waits in the outbox."""

    type: str
    timer: str
    revision: int
    data: dict[str, Any]


class Bench:
    """Sources, policies and the outbox of one tenant, on one process and its loop."""

    def __init__(
        self, services: Services, tenant_id: UUID, client: httpx.AsyncClient, clock: MovedClock
    ) -> None:
        self.services = services
        self.tenant_id = tenant_id
        self.client = client
        self.clock = clock
        self.loop = loop_of(services)

    async def put_policy(
        self, document: dict[str, Any], *, effective_from: datetime | None = None, key: str = "default"
    ) -> None:
        """A further version of a policy (without a time it binds what opened whenever)."""
        await self.execute(
            "INSERT INTO policies (tenant_id, key, version, document, effective_from, created_at) "
            "SELECT $1, $4, coalesce(max(version), 0) + 1, $2::text::jsonb, $3, now() FROM policies "
            "WHERE tenant_id = $1 AND key = $4",
            json.dumps_text(document),
            effective_from,
            key,
        )
        await self._touch_config()

    async def put_source(self, key: str, *, grace_seconds: int) -> None:
        """Mark a source that was met as one that handles cases."""
        await self.execute(
            "UPDATE sources SET handles_cases = true, grace_seconds = $3 WHERE tenant_id = $1 AND key = $2",
            key,
            grace_seconds,
        )
        await self._touch_config()

    async def _touch_config(self) -> None:
        await self.execute("UPDATE tenant_head SET config_version = config_version + 1 WHERE tenant_id = $1")

    async def execute(self, sql: str, *arguments: Any) -> None:
        """A statement on the tenant's rows ($1 is the tenant)."""
        async with self.services.database.write(self.tenant_id) as tx:
            await tx.execute(sql, self.tenant_id, *arguments)

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """Rows of the tenant ($1 is the tenant)."""
        async with self.services.database.write(self.tenant_id) as tx:
            return await tx.fetch(sql, self.tenant_id, *arguments)

    async def post(
        self,
        kind: str,
        subject: tuple[str, str] | None = None,
        data: dict[str, Any] | None = None,
        *,
        ago: float = 0,
        query: str = "",
        **more: Any,
    ) -> datetime:
        """Post one fact that happened so many seconds ago; when it happened."""
        occurred_at = self.clock() - timedelta(seconds=ago)
        event = {
            "type": kind,
            "id": more.pop("id", uuid4().hex),
            "source": more.pop("source", "crm"),
            "occurred_at": occurred_at.isoformat(),
            "data": data or {},
            **more,
        }
        if subject is not None:
            event["subject"] = {"kind": subject[0], "ref": subject[1]}
        answer = await self.client.post(f"/v1/events{query}", json=event)
        assert answer.status_code in (200, 201), answer.text
        return occurred_at

    async def case(
        self, kind: str, ref: str = "T-1", data: dict[str, Any] | None = None, **more: Any
    ) -> datetime:
        """Post one fact about a case."""
        return await self.post(kind, ("case", ref), data, **more)

    async def tick(self, seconds: float = 0) -> None:
        """Let time pass, then let the loop look once."""
        self.clock.advance(seconds=seconds)
        await self.loop.step()

    async def told(self) -> list[Told]:
        """What was announced of timers, in order."""
        rows = await self.fetch(
            "SELECT type, data FROM outbox WHERE tenant_id = $1 "
            "AND (type LIKE 'sla.%' OR type LIKE 'feedback_offer.%') ORDER BY sequence"
        )
        return [
            Told(row["type"], row["data"]["reading"]["timer"], row["data"]["revision"], row["data"])
            for row in rows
        ]

    async def types(self) -> list[str]:
        """The types of what was announced of timers, in order."""
        return [told.type for told in await self.told()]

    async def get(self, path: str) -> Any:
        """Read from the API."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def loop_of(services: Services) -> SlaLoop:
    """The SLA loop of a process."""
    return SlaLoop(services.database, services.journal, services.bell, poll_seconds=1.0)


@pytest.fixture
async def bench(
    services: Services, a_tenant: Tenant, client: httpx.AsyncClient, clock: MovedClock
) -> AsyncIterator[Bench]:
    """A tenant under a policy of seconds."""
    made = Bench(services, a_tenant.tenant_id, client, clock)
    await made.put_policy(policy_document())
    yield made


@pytest.fixture
async def other_services(settings: Settings, clock: MovedClock) -> AsyncIterator[Services]:
    """A second process on the same database."""
    built = build_services(settings, clock=clock, offset=lambda: clock.offset)
    yield built
    await built.close()
