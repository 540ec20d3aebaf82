"""A tenant's own keys: what they may do, how they are made and how they die."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from tests.conftest import MakeKey, MovedClock

EVENT = {
    "type": "feedback.received",
    "id": "a1",
    "source": "crm",
    "occurred_at": "2026-03-01T10:00:00Z",
    "data": {"channel": "call", "scale": "nps_0_10", "value": 9},
}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_whoami_tells_any_key_its_tenant_and_its_scopes(
    client: httpx.AsyncClient, api_key: MakeKey
) -> None:
    key = await api_key("metrics:read")
    answer = (await client.get("/v1/whoami", headers=bearer(key))).json()
    assert answer["tenant"]["key"] == "acme"
    assert answer["tenant"]["time_zone"] == "Europe/Kyiv"
    assert answer["key"]["scopes"] == ["metrics:read"]
    assert answer["key"]["state"] == "live"


async def test_whoami_refuses_a_request_without_a_live_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/whoami", headers=bearer("vk_live_nobody"))
    assert answer.status_code == 401
    assert answer.json()["code"] == "unknown_key"


async def test_a_new_key_works_and_its_text_is_never_shown_again(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1/keys", json={"name": "call centre", "scopes": ["events:write"]})
    assert made.status_code == 201
    text = made.json()["key"]
    assert text.startswith("vk_test_")
    assert (await client.post("/v1/events", json=EVENT, headers=bearer(text))).status_code == 201
    listed = await client.get("/v1/keys")
    assert text not in listed.text
    assert made.json()["id"] in [item["id"] for item in listed.json()["items"]]


async def test_a_revoked_key_is_refused_at_its_very_next_event(client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/keys", json={"name": "x", "scopes": ["events:write"]})).json()
    assert (await client.post("/v1/events", json=EVENT, headers=bearer(made["key"]))).status_code == 201
    assert (await client.delete(f"/v1/keys/{made['id']}")).status_code == 204
    refused = await client.post("/v1/events", json={**EVENT, "id": "a2"}, headers=bearer(made["key"]))
    assert (refused.status_code, refused.json()["code"]) == (401, "revoked_key")
    states = {item["id"]: item["state"] for item in (await client.get("/v1/keys")).json()["items"]}
    assert states[made["id"]] == "revoked"


async def test_a_key_dies_when_it_expires(client: httpx.AsyncClient, clock: MovedClock) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    wanted = {"name": "x", "scopes": ["feedback:read"], "expires_at": tomorrow}
    key = (await client.post("/v1/keys", json=wanted)).json()["key"]
    assert (await client.get("/v1/whoami", headers=bearer(key))).status_code == 200
    clock.advance(days=2)
    assert (await client.get("/v1/whoami", headers=bearer(key))).json()["code"] == "expired_key"


async def test_a_key_born_expired_is_refused(client: httpx.AsyncClient) -> None:
    wanted = {"name": "x", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"}
    refused = await client.post("/v1/keys", json=wanted)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/expires_at"


async def test_the_last_admin_key_cannot_revoke_itself(client: httpx.AsyncClient) -> None:
    [own] = (await client.get("/v1/keys")).json()["items"]
    refused = await client.delete(f"/v1/keys/{own['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key")
    await client.post("/v1/keys", json={"name": "second", "scopes": ["admin"]})
    assert (await client.delete(f"/v1/keys/{own['id']}")).status_code == 204


async def test_an_expired_admin_key_is_no_other_admin_key(
    client: httpx.AsyncClient, clock: MovedClock
) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await client.post("/v1/keys", json={"name": "short", "scopes": ["admin"], "expires_at": soon})
    own = (await client.get("/v1/whoami")).json()["key"]["id"]
    clock.advance(hours=2)
    assert (await client.delete(f"/v1/keys/{own}")).status_code == 409


async def test_keys_are_for_administrators_only(client: httpx.AsyncClient, api_key: MakeKey) -> None:
    refused = await client.get("/v1/keys", headers=bearer(await api_key("config:manage")))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")


async def test_unknown_fields_scopes_and_parameters_are_refused(client: httpx.AsyncClient) -> None:
    wrong_field = await client.post("/v1/keys", json={"name": "x", "scopes": ["admin"], "tenant": "other"})
    wrong_scope = await client.post("/v1/keys", json={"name": "x", "scopes": ["root"]})
    no_scope = await client.post("/v1/keys", json={"name": "x", "scopes": []})
    control = await client.post("/v1/keys", json={"name": "a\x1bb", "scopes": ["admin"]})
    parameter = await client.get("/v1/keys?scope=admin")
    for answer in (wrong_field, wrong_scope, no_scope, control, parameter):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    assert wrong_field.json()["errors"][0]["pointer"] == "/tenant"


async def test_keys_come_in_pages(client: httpx.AsyncClient) -> None:
    for number in range(4):
        await client.post("/v1/keys", json={"name": str(number), "scopes": ["metrics:read"]})
    names: list[str] = []
    url: str | None = "/v1/keys?limit=2"
    while url:
        answer = await client.get(url)
        names += [item["name"] for item in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url")
        assert (url is None) == (answer.json()["next_cursor"] is None)
    assert names == ["test", "0", "1", "2", "3"]


async def test_a_cursor_of_nobody_is_refused(client: httpx.AsyncClient) -> None:
    for cursor in ("x", "WyIxIl0", "W3t9XQ"):
        assert (await client.get(f"/v1/keys?cursor={cursor}")).json()["code"] == "invalid_cursor"
