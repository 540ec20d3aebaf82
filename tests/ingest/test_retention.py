"""Raw payloads are forgotten in time, and not before."""

from __future__ import annotations

from datetime import timedelta

import httpx

from app.ingest.quarantine import RawRow, keep_raw
from app.ingest.retention import RawRetention
from app.wiring import Services
from tests.conftest import Tenant


async def test_raw_payloads_go_after_their_days_and_younger_ones_stay(
    services: Services, a_tenant: Tenant
) -> None:
    for age in (1, 29, 31, 400):
        row = RawRow(
            "chat", services.clock() - timedelta(days=age), "adapted", None, f"{age}", headers={}, body=b"{}"
        )
        await keep_raw(services.database, a_tenant.tenant_id, [row])
    await RawRetention(services.database, days=30).step()
    async with services.database.write(a_tenant.tenant_id) as tx:
        rows = await tx.fetch("SELECT detail FROM raw_payloads WHERE tenant_id = $1", a_tenant.tenant_id)
    assert {row["detail"] for row in rows} == {"1", "29"}


async def test_a_source_says_when_it_was_last_heard_of(client: httpx.AsyncClient, services: Services) -> None:
    event = {
        "type": "feedback.received",
        "id": "1",
        "source": "crm",
        "occurred_at": "2026-01-05T10:00:00Z",
        "data": {"scale": "csat_1_5", "value": 4},
    }
    await client.post("/v1/events", json=event)
    first = (await client.get("/v1/sources/crm")).json()["last_event_at"]
    await client.post("/v1/events", json={**event, "id": "2"})
    services.clock.advance(seconds=60)  # type: ignore[attr-defined]
    await client.post("/v1/events", json={**event, "id": "3"})
    assert (await client.get("/v1/sources/crm")).json()["last_event_at"] > first
