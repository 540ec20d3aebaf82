"""Calendars and policies: every change is a new version, and a version never changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.domain.sla import calendar_preset, default_policy_document
from tests.conftest import MovedClock

SHOP = {"tz": "Europe/Kyiv", "weekly": {"sat": [["10:00", "15:00"]]}}


async def test_a_new_tenant_has_the_presets(client: httpx.AsyncClient) -> None:
    calendars = (await client.get("/v1/calendars")).json()["items"]
    assert [item["key"] for item in calendars] == ["12x7", "24x7", "9x5"]
    assert calendars[2]["document"] == calendar_preset("9x5", tz="Europe/Kyiv")
    [policy] = (await client.get("/v1/sla/policies")).json()["items"]
    assert (policy["key"], policy["version"], policy["in_force"]) == ("default", 1, True)
    assert policy["effective_from"] is None


async def test_a_changed_calendar_is_a_new_version_and_the_old_one_stays(client: httpx.AsyncClient) -> None:
    first = await client.put("/v1/calendars/shop", json=SHOP)
    assert (first.status_code, first.json()["version"], first.headers["etag"]) == (200, 1, '"1"')
    longer = {**SHOP, "weekly": {"sat": [["10:00", "18:00"]]}}
    assert (await client.put("/v1/calendars/shop", json=longer)).json()["version"] == 2
    versions = (await client.get("/v1/calendars/shop/versions")).json()["items"]
    assert [(item["version"], item["document"]) for item in versions] == [(2, longer), (1, SHOP)]
    assert (await client.get("/v1/calendars/shop/versions/1")).json()["document"] == SHOP
    assert (await client.get("/v1/calendars/shop")).json()["version"] == 2
    assert (await client.get("/v1/calendars/shop/versions/3")).status_code == 404


async def test_the_same_calendar_again_is_no_new_version(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        put = await client.put("/v1/calendars/shop", json=SHOP)
    assert put.json()["version"] == 1


async def test_versions_come_in_pages(client: httpx.AsyncClient) -> None:
    for hour in range(11, 16):
        await client.put("/v1/calendars/shop", json={**SHOP, "weekly": {"sat": [["10:00", f"{hour}:00"]]}})
    versions: list[int] = []
    url: str | None = "/v1/calendars/shop/versions?limit=2"
    while url:
        answer = await client.get(url)
        versions += [item["version"] for item in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url")
    assert versions == [5, 4, 3, 2, 1]


async def test_a_wrong_document_is_refused_with_the_place(client: httpx.AsyncClient) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("calendars/shop", {**SHOP, "tz": "Europe/Kiyv"}, "/tz"),
        ("calendars/shop", {**SHOP, "weekly": {"sat": [["10:00", "10:00"]]}}, "/weekly/sat/0"),
        ("calendars/shop", {**SHOP, "hours": 3}, "/hours"),
        ("sla/policies/default", {**default_policy_document(), "timers": []}, "/timers"),
        ("sla/policies/default", {**default_policy_document(), "calendar": "nowhere"}, "/calendar"),
    ]
    for path, document, pointer in cases:
        refused = await client.put(f"/v1/{path}", json=document)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert (await client.put("/v1/calendars/Shop%20A", json=SHOP)).status_code == 422
    assert (await client.put("/v1/calendars/shop", json=[SHOP])).status_code == 422


async def test_if_match_names_the_version_that_was_seen(client: httpx.AsyncClient) -> None:
    await client.put("/v1/calendars/shop", json=SHOP)
    longer = {**SHOP, "weekly": {"sat": [["10:00", "18:00"]]}}
    put = await client.put("/v1/calendars/shop", json=longer, headers={"If-Match": '"1"'})
    assert put.status_code == 200
    late = await client.put("/v1/calendars/shop", json=SHOP, headers={"If-Match": '"1"'})
    assert late.status_code == 412


async def test_a_policy_may_count_by_a_calendar_of_the_tenant(client: httpx.AsyncClient) -> None:
    document = default_policy_document(calendar="shop")
    assert (await client.put("/v1/sla/policies/default", json=document)).json()["code"] == "unknown_calendar"
    await client.put("/v1/calendars/shop", json=SHOP)
    put = await client.put("/v1/sla/policies/default", json=document)
    assert (put.json()["version"], put.json()["in_force"]) == (2, True)


async def test_a_policy_binds_from_now_on_unless_it_names_a_later_time(
    client: httpx.AsyncClient, clock: MovedClock
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = {**default_policy_document(), "effective_from": tomorrow.isoformat()}
    scheduled = (await client.put("/v1/sla/policies/default", json=later)).json()
    assert datetime.fromisoformat(scheduled["effective_from"]) == tomorrow
    assert scheduled["in_force"] is False
    assert (await client.get("/v1/sla/policies/default/versions/1")).json()["in_force"] is True
    clock.advance(days=2)
    assert (await client.get("/v1/sla/policies/default/versions/1")).json()["in_force"] is False
    [newest] = (await client.get("/v1/sla/policies")).json()["items"]
    assert newest["in_force"] is True


async def test_a_policy_cannot_bind_what_opened_already(client: httpx.AsyncClient) -> None:
    for past in ("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        document = {**default_policy_document(), "effective_from": past}
        refused = await client.put("/v1/sla/policies/default", json=document)
        assert refused.json()["code"] == "effective_in_the_past"
        assert refused.json()["errors"][0]["pointer"] == "/effective_from"
    beyond = {**default_policy_document(), "effective_from": "9999-12-31T23:59:59-14:00"}
    assert (await client.put("/v1/sla/policies/default", json=beyond)).status_code == 422
    assert (await client.get("/v1/sla/policies/default")).json()["version"] == 1


async def test_events_are_taken_under_a_new_policy_and_calendar(client: httpx.AsyncClient) -> None:
    await client.put("/v1/calendars/shop", json=SHOP)
    b2b = default_policy_document(calendar="shop")
    taken = await client.put("/v1/sla/policies/b2b", json=b2b)
    assert (taken.status_code, taken.json()["code"]) == (422, "timer_taken")
    assert taken.json()["errors"][0]["pointer"] == "/order"
    assert (await client.put("/v1/sla/policies/b2b", json={**b2b, "order": 50})).status_code == 200
    event = {
        "type": "case.opened",
        "id": "c1",
        "source": "crm",
        "occurred_at": datetime.now(UTC).isoformat(),
        "subject": {"kind": "case", "ref": "T-1"},
        "data": {"kind": "complaint"},
    }
    assert (await client.post("/v1/events", json=event)).status_code == 201
    in_force = {
        item["key"]: item["in_force"] for item in (await client.get("/v1/sla/policies")).json()["items"]
    }
    assert in_force == {"b2b": True, "default": True}
