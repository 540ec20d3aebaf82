"""Sources: configured through the API, their secrets sealed, their paths shown once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
from sqlalchemy import select

from app.db.tables.configuration import inlets, sources
from app.db.tables.tenants import audit
from app.wiring import Services
from tests.conftest import MovedClock, Tenant

CHAT = {
    "title": "Chat",
    "adapter": "chatwoot",
    "verification": "chatwoot",
    "secrets": ["first secret"],
    "time_zone": "Europe/Kyiv",
    "defaults": {"channel": "chat", "touchpoint": "site_chat"},
    "handles_cases": True,
}
KIOSK = {
    "mapping": 1,
    "id": "kiosk",
    "format": "json",
    "events": [
        {
            "type": "feedback.received",
            "id": "id",
            "occurred_at": {"path": "at", "format": "iso"},
            "data": {"channel": {"value": "kiosk"}, "scale": {"value": "csat_1_5"}, "value": "score"},
        }
    ],
}


async def open_secrets(services: Services, tenant: Tenant, key: str) -> list[str]:
    """What the inlet finds, by the contract between the two."""
    async with services.database.tenant(tenant.tenant_id) as connection:
        sealed = await connection.scalar(select(sources.c.sealed_secrets).where(sources.c.key == key))
    context = tenant.tenant_id.bytes + b"source:" + key.encode()
    return [services.sealer.open(base64.b64decode(item), context).decode() for item in sealed or []]


async def test_secrets_are_sealed_counted_and_never_shown(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant
) -> None:
    put = await client.put("/v1/sources/chat", json=CHAT)
    assert put.status_code == 200, put.text
    assert (put.json()["live_secrets"], put.json()["live_tokens"]) == (1, 0)
    assert await open_secrets(services, a_tenant, "chat") == ["first secret"]
    answers = [put, await client.get("/v1/sources/chat"), await client.get("/v1/sources")]
    assert all('secret"' not in answer.text and "first secret" not in answer.text for answer in answers)
    async with services.database.tenant(a_tenant.tenant_id) as connection:
        details = list(await connection.scalars(select(audit.c.detail).where(audit.c.target == "chat")))
        stored = await connection.scalar(select(sources.c.sealed_secrets))
    assert len(details) == 2
    assert "first secret" not in f"{details}{stored}"


async def test_secrets_stay_when_settings_change_and_two_serve_a_rotation(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant
) -> None:
    await client.put("/v1/sources/chat", json=CHAT)
    without = {name: value for name, value in CHAT.items() if name != "secrets"}
    assert (await client.put("/v1/sources/chat", json={**without, "title": "Site chat"})).is_success
    assert await open_secrets(services, a_tenant, "chat") == ["first secret"]
    both = ["first secret", "second secret"]
    assert (await client.put("/v1/sources/chat", json={**CHAT, "secrets": both})).json()["live_secrets"] == 2
    assert await open_secrets(services, a_tenant, "chat") == both
    third = await client.put("/v1/sources/chat", json={**CHAT, "secrets": [*both, "third"]})
    assert third.status_code == 422


async def test_wrong_settings_are_refused_with_the_place(client: httpx.AsyncClient) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"adapter": "chatwood"}, "unknown_adapter", "/adapter"),
        ({"verification": "chatwood"}, "unknown_verification", "/verification"),
        ({"secrets": []}, "secret_missing", "/secrets"),
        ({"verification": "none"}, "secrets_unused", "/verification"),
        ({"verification": "basic", "verification_header": "X-A"}, "verification_has_no_header", ""),
        ({"time_zone": "Kyiv"}, "invalid_request", "/time_zone"),
        ({"defaults": {"channel": "pigeon"}}, "invalid_request", "/defaults/channel"),
        ({"defaults": {"chanel": "chat"}}, "invalid_request", "/defaults/chanel"),
        ({"grace_seconds": -1}, "invalid_request", "/grace_seconds"),
        ({"mapping": KIOSK}, "mapping_mismatch", "/mapping"),
        ({"adapter": "mapping"}, "mapping_mismatch", "/mapping"),
        ({"adapter": "mapping", "mapping": {**KIOSK, "items": 3}}, "", "/mapping/items"),
        ({"adapter": "mapping", "mapping": {**KIOSK, "format": "csv"}}, "mapping_format", "/mapping/format"),
        ({"last_event_at": "2026-01-01T00:00:00Z"}, "invalid_request", "/last_event_at"),
    ]
    for change, code, pointer in cases:
        refused = await client.put("/v1/sources/chat", json={**CHAT, **change})
        assert refused.status_code == 422, (change, refused.text)
        assert refused.json()["code"] == code or not code, refused.text
        assert refused.json()["errors"][0]["pointer"] == pointer or not pointer, refused.text
    assert (await client.get("/v1/sources/chat")).status_code == 404


async def test_if_match_guards_a_source(client: httpx.AsyncClient) -> None:
    seen = (await client.put("/v1/sources/chat", json=CHAT)).headers["etag"]
    await client.post("/v1/sources/chat/token")
    changed = {**CHAT, "grace_seconds": 60}
    assert (await client.put("/v1/sources/chat", json=changed, headers={"If-Match": seen})).is_success
    late = await client.put("/v1/sources/chat", json=CHAT, headers={"If-Match": seen})
    assert late.status_code == 412


async def test_a_source_met_in_an_event_is_configured_later(client: httpx.AsyncClient) -> None:
    event = {
        "type": "feedback.received",
        "id": "a1",
        "source": "crm/kyiv",
        "occurred_at": "2026-03-01T10:00:00Z",
        "data": {"channel": "call", "scale": "nps_0_10", "value": 9},
    }
    await client.post("/v1/events", json=event)
    [source] = (await client.get("/v1/sources")).json()["items"]
    assert (source["key"], source["verification"], source["adapter"]) == ("crm/kyiv", "none", None)
    put = await client.put("/v1/sources/crm/kyiv", json={"time_zone": "Europe/Kyiv"})
    assert put.json()["created_at"] == source["created_at"]


async def test_the_zone_of_a_source_reads_the_very_next_naive_time(client: httpx.AsyncClient) -> None:
    event = {
        "type": "feedback.received",
        "id": "a1",
        "source": "crm",
        "occurred_at": "2026-03-01T10:00:00",
        "data": {"channel": "call", "scale": "nps_0_10", "value": 9},
    }
    assert (await client.post("/v1/events", json=event)).json()["code"] == "missing_zone"
    await client.put("/v1/sources/crm", json={"time_zone": "Europe/Kyiv"})
    assert (await client.post("/v1/events", json=event)).status_code == 201
    [item] = (await client.get("/v1/feedback")).json()["items"]
    assert item["occurred_at"] == "2026-03-01T08:00:00Z"


async def test_a_token_is_stored_as_a_hash_and_rotation_closes_the_one_before(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant, clock: MovedClock
) -> None:
    await client.put("/v1/sources/chat", json=CHAT)
    made: list[str] = []
    for query in ("", "", "?keep_previous=true", "?keep_previous=true"):
        clock.advance(seconds=1)
        answer = await client.post(f"/v1/sources/chat/token{query}")
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["token"])
    async with services.database.tenant(a_tenant.tenant_id) as connection:
        live = set(await connection.scalars(select(inlets.c.token_hash)))
    assert live == {hashlib.sha256(token.encode()).digest() for token in made[2:]}
    assert (await client.get("/v1/sources/chat")).json()["live_tokens"] == 2
    assert (await client.delete("/v1/sources/chat/token")).status_code == 204
    assert (await client.get("/v1/sources/chat")).json()["live_tokens"] == 0


async def test_a_token_needs_a_source_that_can_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/sources/nobody/token")).status_code == 404
    await client.put("/v1/sources/crm", json={})
    assert (await client.post("/v1/sources/crm/token")).json()["code"] == "no_adapter"


async def test_what_is_configured_here_is_what_the_inlet_reads(
    client: httpx.AsyncClient, services: Services
) -> None:
    mapped = {"adapter": "mapping", "mapping": KIOSK, "verification": "hmac_hex_body", "secrets": ["s3"]}
    put = await client.put("/v1/sources/kiosk", json={**mapped, "verification_header": "X-Kiosk-Signature"})
    assert put.status_code == 200, put.text
    path = (await client.post("/v1/sources/kiosk/token")).json()["path"]
    body = json.dumps({"id": "k1", "at": "2026-03-01T10:00:00Z", "score": 4}).encode()
    proof = hmac.new(b"s3", body, hashlib.sha256).hexdigest()
    good = await client.post(path, content=body, headers={"X-Kiosk-Signature": proof})
    assert (good.status_code, good.json()["events"]) == (200, 1), good.text
    forged = await client.post(path, content=body, headers={"X-Kiosk-Signature": "0" * 64})
    assert forged.status_code == 401
    [item] = (await client.get("/v1/feedback?source=kiosk")).json()["items"]
    assert (item["channel"], item["value"]) == ("kiosk", 4)
    await client.put("/v1/sources/kiosk", json={**mapped, "disabled": True})
    closed = await client.post(path, content=body, headers={"X-Signature": proof})
    assert closed.status_code == 404
