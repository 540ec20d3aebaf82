"""Every route of the API description x every kind of key: who is let in, and whose things are seen.

The routes are read from the description, so that a new one is judged without a line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.auth import Scope
from app.wiring import Services
from tests.builders import event, rating
from tests.conftest import Tenant, make_key, make_tenant

PUBLIC = {"/healthz", "/readyz", "/metrics", "/in/{token}", "/feeds/{token}.{ending}"}
"""Routes without a key: what a load balancer asks, and doors whose token or signature is in the address."""
ANY_KEY = {"/v1/whoami"}
READING = {Scope.FEEDBACK_READ, Scope.METRICS_READ}
ASKS_BY_POST = {"/v1/metrics/query", "/v1/metrics/pareto", "/v1/metrics/before-after", "/v1/sla/simulations"}

Operation = tuple[str, str]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def operations(client: httpx.AsyncClient) -> list[Operation]:
    document = (await client.get("/openapi.json")).json()
    return [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if path not in PUBLIC and not path.startswith("/v1/operator/")
    ]


def filled(path: str, **values: str) -> str:
    return re.sub(r"{(\w+)}", lambda match: values.get(match[1], "default"), path)


async def ask(
    client: httpx.AsyncClient, operation: Operation, secret: str | None, **values: str
) -> httpx.Response:
    method, path = operation
    headers = {"Authorization": ""} if secret is None else bearer(secret)
    return await client.request(method, filled(path, **values), headers=headers)


async def test_without_a_live_key_every_route_answers_401(client: httpx.AsyncClient, clock: Any) -> None:
    made = await client.post("/v1/keys", json={"name": "revoked", "scopes": ["admin"]})
    revoked = made.json()["key"]
    await client.delete(f"/v1/keys/{made.json()['id']}")
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    expiring = {"name": "expired", "scopes": ["admin"], "expires_at": soon}
    expired = (await client.post("/v1/keys", json=expiring)).json()["key"]
    clock.advance(minutes=6)
    let_in = [
        (operation, name)
        for operation in await operations(client)
        for name, key in (("none", None), ("wrong", "vk_test_x"), ("revoked", revoked), ("expired", expired))
        if (await ask(client, operation, key)).status_code != 401
    ]
    assert let_in == []


async def test_every_route_needs_a_scope_and_none_that_writes_is_content_with_a_reading_one(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant
) -> None:
    keys = {
        scope: await make_key(services, a_tenant, scope.value) for scope in Scope if scope is not Scope.ADMIN
    }
    for method, path in await operations(client):
        may = {
            scope
            for scope, key in keys.items()
            if (await ask(client, (method, path), key)).status_code != 403
        }
        where = f"{method} {path} lets in {sorted(may)}"
        if path not in ANY_KEY:
            assert len(may) <= 2, where
        if method != "GET" and path not in ASKS_BY_POST:
            assert not may & READING, where


async def test_the_administrator_is_let_in_everywhere(client: httpx.AsyncClient) -> None:
    for operation in await operations(client):
        answer = await client.request(operation[0], filled(operation[1]))
        assert answer.status_code not in (401, 403), operation


async def test_the_operators_routes_are_closed_to_tenants(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    routes = [(m.upper(), p) for p, ms in document["paths"].items() for m in ms if "/operator/" in p]
    assert routes
    for method, path in routes:
        assert (await client.request(method, filled(path))).status_code in (401, 403), (method, path)


@pytest.fixture
async def things(client: httpx.AsyncClient) -> dict[str, str]:
    """An id of each kind of thing that the first tenant has, by its prefix."""
    endpoint = {"url": "http://127.0.0.1:9/", "event_types": ["*"]}
    await client.post("/v1/webhooks/endpoints", json=endpoint)
    events = [rating("r1", 1, text="angry"), event("case.opened", "c1", subject="case/C-1")]
    assert (await client.post("/v1/events", json=events)).status_code == 200
    found: dict[str, str] = {}
    for method, path in await operations(client):
        if method == "GET" and "{" not in path:
            found.update(_ids(await client.get(path)))
    assert {"case", "fb", "ep", "key"} <= found.keys()
    return found


async def test_the_things_of_another_tenant_are_not_found(
    client: httpx.AsyncClient, services: Services, things: dict[str, str]
) -> None:
    stranger = await make_key(services, await make_tenant(services, "stranger"))
    seen: list[str] = []
    tried = 0
    for method, path in await operations(client):
        for thing in things.values() if "{" in path else ():
            places = re.findall(r"{(\w+)}", path)
            answer = await ask(client, (method, path), stranger, **dict.fromkeys(places, thing))
            tried += 1
            if answer.status_code < 400:
                seen.append(f"{method} {path} {thing}: {answer.status_code}")
    assert tried > 100
    assert seen == []


def _ids(answer: httpx.Response) -> Iterable[tuple[str, str]]:
    """The prefixed ids of a list."""
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return
    body = answer.json()
    for item in body.get("items", ()) if isinstance(body, dict) else ():
        for name, value in item.items() if isinstance(item, dict) else ():
            if name.endswith("id") and isinstance(value, str) and re.fullmatch(r"[a-z]+_[0-9a-z]{26}", value):
                yield value.partition("_")[0], value
