"""The operator's routes: tenants and their first keys."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import select

from app.db.tables.configuration import calendars, policies
from app.db.tables.tenants import audit
from app.main import create_app
from app.settings import Settings
from app.tenants.repository import get_tenant
from app.wiring import Services, build_services

OPERATOR = {"Authorization": "Bearer vk_operator_test"}
TENANT = {"key": "globex", "name": "Globex", "time_zone": "Europe/Warsaw"}


async def test_a_tenant_is_created_with_presets_and_its_first_key_works(
    client: httpx.AsyncClient, services: Services
) -> None:
    made = await client.post("/v1/operator/tenants", json=TENANT, headers=OPERATOR)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == "/v1/operator/tenants/globex"
    key = await client.post(
        "/v1/operator/tenants/globex/keys", json={"name": "first", "scopes": ["admin"]}, headers=OPERATOR
    )
    assert key.status_code == 201, key.text
    me = await client.get("/v1/whoami", headers={"X-Api-Key": key.json()["key"]})
    assert me.json()["tenant"]["id"] == made.json()["id"]
    tenant = await get_tenant(services.database, "globex")
    async with services.database.tenant(tenant.tenant_id) as connection:
        keys = set(await connection.scalars(select(calendars.c.key)))
        zone = await connection.scalar(select(calendars.c.document["tz"].astext).limit(1))
        policy = await connection.scalar(select(policies.c.key))
        actions = list(await connection.scalars(select(audit.c.action).order_by(audit.c.audit_id)))
    assert keys == {"24x7", "9x5", "12x7"}
    assert zone == "Europe/Warsaw"
    assert policy == "default"
    assert actions == ["tenant.created", "key.created"]


async def test_a_tenant_that_exists_is_refused_and_leaves_nothing_behind(
    client: httpx.AsyncClient,
) -> None:
    first = await client.post("/v1/operator/tenants", json=TENANT, headers=OPERATOR)
    second = await client.post("/v1/operator/tenants", json=TENANT, headers=OPERATOR)
    assert (second.status_code, second.json()["code"]) == (409, "tenant_exists")
    listed = (await client.get("/v1/operator/tenants", headers=OPERATOR)).json()["items"]
    assert [item["id"] for item in listed if item["key"] == "globex"] == [first.json()["id"]]


async def test_of_many_who_create_one_tenant_one_succeeds(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/operator/tenants", json=TENANT, headers=OPERATOR) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_only_the_operator_manages_tenants(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer vk_operator_tesT"}):
        merged = {"Authorization": client.headers["Authorization"], **headers}
        refused = await client.get("/v1/operator/tenants", headers=merged)
        assert refused.status_code == 401, headers
        assert "www-authenticate" in refused.headers


async def test_without_an_operator_key_nobody_is_the_operator(settings: Settings) -> None:
    services = build_services(settings.model_copy(update={"operator_key": None}))
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test") as client:
        refused = await client.get("/v1/operator/tenants", headers=OPERATOR)
    await services.close()
    assert (refused.status_code, refused.json()["code"]) == (403, "operator_disabled")
    assert "VIDHUK_OPERATOR_KEY" in refused.json()["errors"][0]["cure"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"key": "Has Spaces"}, "/key"),
        ({"time_zone": "Europe/Kiyv"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"name": "a\x1b"}, "/name"),
        ({"plan": "gold"}, "/plan"),
    ],
)
async def test_a_wrong_tenant_is_refused_with_the_place(
    client: httpx.AsyncClient, change: dict[str, str], pointer: str
) -> None:
    refused = await client.post("/v1/operator/tenants", json={**TENANT, **change}, headers=OPERATOR)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_the_operator_may_revoke_even_the_last_admin_key(client: httpx.AsyncClient) -> None:
    [key] = (await client.get("/v1/operator/tenants/acme/keys", headers=OPERATOR)).json()["items"]
    gone = await client.delete(f"/v1/operator/tenants/acme/keys/{key['id']}", headers=OPERATOR)
    assert gone.status_code == 204
    assert (await client.get("/v1/whoami")).json()["code"] == "revoked_key"


async def test_a_key_of_another_tenant_is_not_found(client: httpx.AsyncClient) -> None:
    await client.post("/v1/operator/tenants", json=TENANT, headers=OPERATOR)
    wanted = {"name": "first", "scopes": ["admin"]}
    made = await client.post("/v1/operator/tenants/globex/keys", json=wanted, headers=OPERATOR)
    assert (await client.delete(f"/v1/keys/{made.json()['id']}")).status_code == 404
    other = {"X-Api-Key": made.json()["key"], "Authorization": ""}
    assert (await client.get("/v1/whoami", headers=other)).json()["tenant"]["key"] == "globex"


async def test_an_unknown_tenant_is_not_found(client: httpx.AsyncClient) -> None:
    for url in ("/v1/operator/tenants/nobody", "/v1/operator/tenants/nobody/keys"):
        assert (await client.get(url, headers=OPERATOR)).status_code == 404


async def test_tenants_come_in_pages(client: httpx.AsyncClient) -> None:
    for number in range(3):
        body = {**TENANT, "key": f"shop-{number}"}
        await client.post("/v1/operator/tenants", json=body, headers=OPERATOR)
    first = await client.get("/v1/operator/tenants?limit=3", headers=OPERATOR)
    assert [item["key"] for item in first.json()["items"]] == ["acme", "shop-0", "shop-1"]
    second = await client.get(first.links["next"]["url"], headers=OPERATOR)
    assert [item["key"] for item in second.json()["items"]] == ["shop-2"]
    assert second.json()["next_cursor"] is None
