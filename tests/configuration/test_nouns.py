"""Directory and attributes: nouns exist at first sight and are described later."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import select

from app.db.tables.tenants import audit, tenant_head
from app.wiring import Services
from tests.conftest import MakeKey, Tenant


def rating(event_id: str, **data: Any) -> dict[str, Any]:
    return {
        "type": "feedback.received",
        "id": event_id,
        "source": "crm",
        "occurred_at": "2026-03-01T10:00:00Z",
        "data": {"channel": "call", "question": "q1", "scale": "nps_0_10", "value": 9, **data},
    }


async def trail(services: Services, tenant: Tenant) -> tuple[int, list[tuple[str, str]]]:
    """The version of the configuration, and what the audit says."""
    async with services.database.tenant(tenant.tenant_id) as connection:
        version = await connection.scalar(select(tenant_head.c.config_version))
        rows = await connection.execute(select(audit.c.action, audit.c.target).order_by(audit.c.audit_id))
        return version or 0, [(row.action, row.target) for row in rows]


async def test_what_an_event_names_waits_to_be_described(client: httpx.AsyncClient) -> None:
    await client.post("/v1/events", json=rating("a1", location="kyiv-1", employee="oleh"))
    waiting = (await client.get("/v1/directory/location?uncategorised=true")).json()["items"]
    assert [(noun["key"], noun["title"]) for noun in waiting] == [("kyiv-1", None)]
    put = await client.put("/v1/directory/location/kyiv-1", json={"title": "Khreshchatyk 22"})
    assert put.json()["uncategorised"] is False
    assert put.json()["first_seen_at"] == waiting[0]["first_seen_at"]
    assert (await client.get("/v1/directory/location?uncategorised=true")).json()["items"] == []
    assert [n["key"] for n in (await client.get("/v1/directory/employee")).json()["items"]] == ["oleh"]


async def test_a_described_noun_stays_described_when_events_name_it(client: httpx.AsyncClient) -> None:
    await client.put("/v1/directory/touchpoint/site/chat", json={"title": "Chat", "details": {"key": True}})
    await client.post("/v1/events", json=rating("a1", touchpoint="site/chat"))
    noun = (await client.get("/v1/directory/touchpoint/site/chat")).json()
    assert (noun["title"], noun["details"], noun["uncategorised"]) == ("Chat", {"key": True}, False)


async def test_a_bulk_description_is_all_or_nothing(client: httpx.AsyncClient) -> None:
    items = [{"key": "kyiv"}, {"key": "kyiv-1", "parent": "kyiv"}, {"key": "odesa-1", "parent": "odesa"}]
    refused = await client.put("/v1/directory/location", json={"items": items})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parent")
    assert refused.json()["errors"][0]["pointer"] == "/items/2/parent"
    assert (await client.get("/v1/directory/location")).json()["items"] == []
    stored = await client.put("/v1/directory/location", json={"items": items[:2]})
    assert [noun["parent"] for noun in stored.json()["items"]] == [None, "kyiv"]


async def test_nobody_stands_above_himself(client: httpx.AsyncClient) -> None:
    items = [{"key": "a"}, {"key": "b", "parent": "a"}, {"key": "c", "parent": "b"}]
    await client.put("/v1/directory/segment", json={"items": items})
    for key, parent in (("a", "c"), ("a", "a")):
        refused = await client.put(f"/v1/directory/segment/{key}", json={"parent": parent})
        assert refused.json()["code"] == "parent_cycle"
    moved = await client.put("/v1/directory/segment/c", json={"parent": "a"})
    assert moved.status_code == 200


async def test_one_key_twice_in_a_request_is_refused(client: httpx.AsyncClient) -> None:
    refused = await client.put("/v1/directory/product", json={"items": [{"key": "a"}, {"key": "a"}]})
    assert refused.json()["errors"][0]["pointer"] == "/items/1/key"


async def test_if_match_refuses_to_overwrite_what_was_not_seen(client: httpx.AsyncClient) -> None:
    url = "/v1/directory/location/kyiv-1"
    missing = await client.put(url, json={"title": "a"}, headers={"If-Match": "*"})
    assert (missing.status_code, missing.json()["code"]) == (412, "changed_meanwhile")
    first = await client.put(url, json={"title": "a"})
    seen = first.headers["etag"]
    assert (await client.get(url)).headers["etag"] == seen
    assert (await client.put(url, json={"title": "b"}, headers={"If-Match": seen})).status_code == 200
    stale = await client.put(url, json={"title": "c"}, headers={"If-Match": seen})
    assert stale.status_code == 412
    assert (await client.get(url)).json()["title"] == "b"


async def test_a_change_is_audited_once_and_moves_the_version(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant
) -> None:
    before, _ = await trail(services, a_tenant)
    for _ in range(2):
        await client.put("/v1/directory/location/kyiv-1", json={"title": "a"})
        await client.put("/v1/attributes/agency", json={"type": "text"})
    after, actions = await trail(services, a_tenant)
    assert after == before + 2
    assert actions[1:] == [("directory.put", "location/kyiv-1"), ("attribute.put", "agency")]


async def test_a_refused_change_leaves_no_trace(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant
) -> None:
    before = await trail(services, a_tenant)
    await client.put("/v1/directory/location/kyiv-1", json={"parent": "nowhere"})
    await client.put("/v1/attributes/a", json={"type": "text", "personal": True, "groupable": True})
    assert await trail(services, a_tenant) == before


async def test_what_the_database_cannot_hold_is_refused_and_never_an_error_of_ours(
    client: httpx.AsyncClient,
) -> None:
    url = "/v1/directory/location/kyiv-1"
    json_type = {"Content-Type": "application/json"}
    bodies = [
        b'{"title": "a\\u0000b"}',
        b'{"details": {"a\\u0000": 1}}',
        b'{"details": {"a": NaN}}',
        b'{"title": "\\ud800"}',
        b'{"details": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"title": ',
    ]
    for body in bodies:
        answer = await client.put(url, content=body, headers=json_type)
        assert answer.status_code == 400, body
        assert answer.headers["content-type"] == "application/problem+json"
    for path in ("%20x", "x" * 101):
        assert (await client.get(f"/v1/directory/location/{path}")).status_code == 422, path
    for wrong in ({"titel": "x"}, {"details": {"a": [1]}}):
        assert (await client.put(url, json=wrong)).status_code == 422, wrong
    assert (await client.get("/v1/directory/shop")).status_code == 422


async def test_nouns_come_in_pages_by_key(client: httpx.AsyncClient) -> None:
    items = [{"key": f"n{number}"} for number in range(5)]
    await client.put("/v1/directory/product", json={"items": items})
    keys: list[str] = []
    url: str | None = "/v1/directory/product?limit=2"
    while url:
        answer = await client.get(url)
        keys += [noun["key"] for noun in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url")
    assert keys == [item["key"] for item in items]


async def test_configuration_needs_its_scope(client: httpx.AsyncClient, api_key: MakeKey) -> None:
    headers = {"Authorization": f"Bearer {await api_key('feedback:read', 'events:write')}"}
    for path in ("directory/location", "questions", "scales", "attributes", "calendars", "sla/policies"):
        assert (await client.get(f"/v1/{path}", headers=headers)).status_code == 403, path
    put = await client.put("/v1/directory/location/a", json={}, headers=headers)
    assert put.status_code == 403


async def test_a_parameter_that_nobody_reads_is_refused(client: httpx.AsyncClient) -> None:
    for path in ("directory/location", "questions", "scales", "attributes", "calendars", "sources"):
        refused = await client.get(f"/v1/{path}?filter=x")
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parameter"), path


async def test_a_personal_attribute_is_no_dimension(client: httpx.AsyncClient) -> None:
    refused = await client.put(
        "/v1/attributes/phone", json={"type": "text", "personal": True, "groupable": True}
    )
    assert refused.json()["code"] == "personal_dimension"
    assert (await client.put("/v1/attributes/phone", json={"type": "text", "personal": True})).is_success
    listed = (await client.get("/v1/attributes")).json()["items"]
    assert [(item["key"], item["personal"]) for item in listed] == [("phone", True)]


async def test_a_personal_attribute_counts_from_the_next_event_on(client: httpx.AsyncClient) -> None:
    async def stored(event_id: str) -> dict[str, Any]:
        event = rating(event_id, attributes={"shade": "1"})
        result = (await client.post("/v1/events", json=event)).json()
        answer: dict[str, Any] = (await client.get(f"/v1/events/{result['event_id']}")).json()["data"]
        return answer["attributes"]

    assert await stored("a1") == {"shade": "1"}
    await client.put("/v1/attributes/shade", json={"type": "text", "personal": True})
    assert await stored("a2") == {}
