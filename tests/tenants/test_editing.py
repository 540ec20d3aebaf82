"""A tenant is disabled, enabled, limited; the audit tells who did what; a key tells when it was used."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
import pytest

from app.ingest.allowance import Allowance, Allowances, RateLimitedError
from app.main import create_app
from app.settings import Settings
from app.wiring import build_services
from tests.builders import rating
from tests.conftest import Tenant

from .test_operator import OPERATOR


async def edited(client: httpx.AsyncClient, tenant: Tenant, **wanted: object) -> httpx.Response:
    return await client.patch(f"/v1/operator/tenants/{tenant.key}", json=wanted, headers=OPERATOR)


async def test_a_disabled_tenant_is_refused_at_every_door_and_let_in_again(
    client: httpx.AsyncClient, a_tenant: Tenant
) -> None:
    assert (await client.post("/v1/events", json=rating("e1"))).status_code == 201  # the door knows the key
    made = await edited(client, a_tenant, disabled=True)
    assert made.status_code == 200 and made.json()["disabled_at"] is not None
    refused = [
        await client.post("/v1/events", json=rating("e2")),
        await client.post("/v1/events", json=rating("e3")),  # looked up anew, and still refused
        await client.get("/v1/whoami"),
    ]
    assert [answer.status_code for answer in refused] == [401, 401, 401]
    assert refused[1].json()["code"] == "tenant_disabled"
    await edited(client, a_tenant, disabled=False)
    again = await client.post("/v1/events", json=rating("e2"))
    assert (again.status_code, again.json()["status"]) == (201, "created")


async def test_a_tenant_with_a_rate_is_told_what_is_left_and_when_to_come_again(
    client: httpx.AsyncClient, a_tenant: Tenant
) -> None:
    assert "ratelimit" not in (await client.post("/v1/events", json=rating("r0"))).headers
    await edited(client, a_tenant, events_per_minute=6)
    first = await client.post("/v1/events", json=[rating(f"r{n}") for n in range(1, 5)])
    assert first.headers["ratelimit-policy"] == '"events";q=6;w=60'
    assert first.headers["ratelimit"].startswith('"events";r=2;t=')
    # duplicates cost nothing, and what is accepted is stored whole, on credit
    assert (await client.post("/v1/events", json=rating("r1"))).json()["status"] == "duplicate"
    batch = await client.post("/v1/events", json=[rating(f"r{n}") for n in range(5, 10)])
    assert batch.json()["counts"]["created"] == 5
    refused = await client.post("/v1/events", json=rating("r10"))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 30 <= int(refused.headers["retry-after"]) <= 40
    await edited(client, a_tenant, events_per_minute=None)


async def test_what_one_process_spent_the_next_learns_with_its_first_commit(
    client: httpx.AsyncClient, settings: Settings, a_tenant: Tenant
) -> None:
    await edited(client, a_tenant, events_per_minute=6)
    assert (await client.post("/v1/events", json=[rating(f"s{n}") for n in range(8)])).status_code == 200
    other = build_services(settings)
    headers = {"Authorization": client.headers["Authorization"]}
    transport = httpx.ASGITransport(app=create_app(other))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test", headers=headers
    ) as there:
        first = await there.post("/v1/events", json=rating("s8"))
        second = await there.post("/v1/events", json=rating("s9"))
    await other.close()
    assert (first.status_code, second.status_code) == (201, 429)


def test_a_bucket_refills_by_the_second_and_never_overflows() -> None:
    bucket = Allowance(rate=60.0, left=-10.0, known_at=100.0)
    assert bucket.left_at(105.0) == -5.0
    assert bucket.seconds_until(1, 105.0) == 6
    assert bucket.left_at(10_000.0) == 60.0
    now = 100.0
    known = Allowances(lambda: now)
    tenant = UUID(int=7)
    known.note(tenant, 60.0, 0.5)
    with pytest.raises(RateLimitedError) as refused:
        known.refuse_overspent(tenant)
    assert refused.value.retry_after_seconds == 1
    now += 1
    known.refuse_overspent(tenant)
    known.note(tenant, None, None)
    assert known.headers(tenant) == {}


async def test_the_audit_is_read_newest_first_by_pages_and_by_branch(
    client: httpx.AsyncClient, a_tenant: Tenant
) -> None:
    made = [await client.post("/v1/keys", json={"name": f"k{n}", "scopes": ["admin"]}) for n in range(3)]
    await client.delete(f"/v1/keys/{made[0].json()['id']}")
    await edited(client, a_tenant, name="Acme & Sons")
    whole = (await client.get("/v1/audit")).json()["items"]
    assert [entry["action"] for entry in whole[:3]] == ["tenant.edited", "key.revoked", "key.created"]
    assert whole[0]["actor"] == "operator" and "Acme & Sons" in whole[0]["detail"]
    keys = (await client.get("/v1/audit", params={"action": "key"})).json()["items"]
    assert {entry["action"] for entry in keys} == {"key.created", "key.revoked"}
    target = made[0].json()["id"]
    about = (await client.get("/v1/audit", params={"target": target})).json()["items"]
    assert [entry["action"] for entry in about] == ["key.revoked", "key.created"]
    first = (await client.get("/v1/audit", params={"limit": 2})).json()
    second = (await client.get("/v1/audit", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [*first["items"], *second["items"]] == whole[:4]


async def test_a_key_tells_when_it_was_last_used(client: httpx.AsyncClient, clock) -> None:
    made = (await client.post("/v1/keys", json={"name": "new", "scopes": ["metrics:read"]})).json()
    assert made["last_used_at"] is None

    async def used() -> str | None:
        items = (await client.get("/v1/keys")).json()["items"]
        return next(item["last_used_at"] for item in items if item["id"] == made["id"])

    assert await used() is None
    bearer = {"Authorization": f"Bearer {made['key']}"}
    await asyncio.gather(*(client.get("/v1/whoami", headers=bearer) for _ in range(5)))
    first = await used()
    assert first is not None
    await client.get("/v1/whoami", headers=bearer)
    assert await used() == first  # within five minutes nothing is written
    clock.advance(minutes=6)
    await client.get("/v1/whoami", headers=bearer)
    assert await used() > first
