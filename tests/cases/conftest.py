"""A caller that posts facts and sends commands, and a second process on the same database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from app.wiring import Services, build_services
from tests.builders import query
from tests.conftest import MovedClock, Server


class Desk:
    """Posts facts as a CRM does, and sends commands as a person does."""

    def __init__(self, client: httpx.AsyncClient, clock: MovedClock) -> None:
        self.client = client
        self.clock = clock

    async def configure(self, path: str, document: Any) -> None:
        """Put a document."""
        answer = await self.client.put(path, json=document)
        assert answer.status_code == 200, answer.text

    async def event_types(self, case_id: str) -> list[str]:
        """The types of a case's events."""
        page = (await self.client.get(f"/v1/cases/{case_id}/events?limit=500")).json()
        return [event["type"] for event in page["items"]]

    async def post(self, kind: str, ref: str, data: dict[str, Any] | None = None, **more: Any) -> str:
        """Post one fact about a case; the id of its event."""
        ago = more.pop("ago", timedelta())
        event = {
            "type": kind,
            "id": more.pop("id", uuid4().hex),
            "source": "crm",
            "occurred_at": (self.clock() - ago).isoformat(),
            "subject": {"kind": "case", "ref": ref},
            "data": data or {},
            **more,
        }
        answer = await self.client.post("/v1/events", json=event)
        assert answer.status_code in (200, 201), answer.text
        event_id: str = answer.json()["event_id"]
        return event_id

    async def open(self, ref: str = "T-1", **data: Any) -> str:
        """Open a case by a fact; its id."""
        await self.post("case.opened", ref, {"kind": "complaint", **data})
        return str((await self.case(ref))["id"])

    async def case(self, ref: str) -> dict[str, Any]:
        """The case as it stands."""
        answer = await self.client.get(f"/v1/cases/by-ref/{ref}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def send(self, case_id: str, command: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a command."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(f"/v1/cases/{case_id}/{command}", json=body, headers=named)

    async def done(self, case_id: str, command: str, body: Any = None) -> dict[str, Any]:
        """Send a command that must succeed."""
        answer = await self.send(case_id, command, body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def later(self, **delta: float) -> str:
        """A time ahead, as callers write it."""
        return (self.clock() + timedelta(**delta)).isoformat()


async def outgoing(server: Server) -> list[str]:
    """The types of what is to be told, in order."""
    return [row["type"] for row in await query(server, "SELECT type FROM outbox ORDER BY outbox_id")]


def in_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def desk(client: httpx.AsyncClient, clock: MovedClock) -> Desk:
    return Desk(client, clock)


@pytest.fixture
async def other_client(
    settings: Settings, clock: MovedClock, client: httpx.AsyncClient
) -> AsyncIterator[httpx.AsyncClient]:
    """A second process on the same database, with the same key."""
    built: Services = build_services(settings, clock=clock, offset=lambda: clock.offset)
    transport = httpx.ASGITransport(app=create_app(built))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test", headers=dict(client.headers)
    ) as other:
        yield other
    await built.close()
