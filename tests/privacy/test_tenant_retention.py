"""A tenant's own retention: old words go, facts and counters stay."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx

from app.ingest.quarantine import RawRow, keep_raw
from app.privacy.retention import TenantRetention
from app.wiring import Services
from tests.builders import assert_problem, query, rating, value_of
from tests.conftest import MovedClock, Server, Tenant


async def test_words_and_raw_bodies_go_after_the_days_a_tenant_set(
    client: httpx.AsyncClient, services: Services, clock: MovedClock, server: Server, a_tenant: Tenant
) -> None:
    retention = TenantRetention(services.journal)
    await client.post("/v1/events", json=rating("old", text="long ago", transaction="R1", subject="case/C1"))
    row = RawRow("chat", datetime.now(UTC), "adapted", None, None, headers={}, body=b"{}")
    await keep_raw(services.database, a_tenant.tenant_id, [row])
    await retention.step()
    rules = {"text_days": 30, "raw_days": 7, "decision_days": None, "message_days": None}
    put = await client.put("/v1/privacy/retention", json=rules)
    assert put.json() == rules
    await retention.step()
    assert await value_of(server, "SELECT count(*) FROM raw_payloads") == 1
    clock.advance(days=31)
    await client.post("/v1/events", json=rating("new", text="just now"))
    await retention.step()
    personal = await query(server, "SELECT data::text AS data FROM event_personal ORDER BY data::text")
    texts = " ".join(row["data"] for row in personal)
    assert "just now" in texts and "long ago" not in texts and "R1" not in texts and "C1" in texts
    assert await value_of(server, "SELECT count(*) FROM raw_payloads") == 0
    assert await value_of(server, "SELECT count(*) FROM feedback WHERE seq_to IS NULL") == 2
    stale = await client.put("/v1/privacy/retention", json=rules, headers={"If-Match": '"other"'})
    assert_problem(stale, 412, "changed_meanwhile")
