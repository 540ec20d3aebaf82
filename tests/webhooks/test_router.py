"""The webhook routes over HTTP: what is shown, what is refused, and where it points."""

from __future__ import annotations

import httpx

from tests.conftest import MakeKey
from tests.receiver import Receiver
from tests.webhooks.conftest import Outlet
from tests.webhooks.routes import ENDPOINTS, MESSAGES, code_of, create


async def test_the_secret_is_shown_at_creation_and_never_again(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    created = await create(http, receiver.url(), event_types=["sla.*"], headers={"X-Key": "hunter2"})
    assert str(created["secret"]).startswith("whsec_")
    one = await http.get(f"{ENDPOINTS}/{created['id']}")
    every = await http.get(ENDPOINTS)
    assert [item["id"] for item in every.json()["items"]] == [created["id"]]
    assert (one.json()["header_names"], one.json()["event_types"]) == (["X-Key"], ["sla.*"])
    for answer in (one, every):
        assert "whsec_" not in answer.text
        assert "hunter2" not in answer.text


async def test_an_own_secret_is_taken_and_a_private_key_shows_only_its_public_half(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert (await create(http, receiver.url(), secret=own))["secret"] == own
    created = await create(http, receiver.url(), signature="ed25519")
    assert created["secret"] is None
    assert created["secrets"][0]["public_key"].startswith("whpk_")  # type: ignore[index]


BAD_ENDPOINTS: list[tuple[dict[str, object], str, str]] = [
    ({"url": "http://10.0.0.1/"}, "address_refused", "/url"),
    ({"url": "http://169.254.169.254/latest"}, "address_refused", "/url"),
    ({"url": "http://[::1]/"}, "address_refused", "/url"),
    ({"url": "http://2130706433/"}, "url_host", "/url"),
    ({"url": "http://user@example.com/"}, "url_userinfo", "/url"),
    ({"url": "ftp://example.com/"}, "url_scheme", "/url"),
    ({"url": "http://8.8.8.8:22/"}, "port_refused", "/url"),
    ({"url": "http://127.0.0.1/", "event_types": ["sla.breech"]}, "unknown_event_type", "/event_types/0"),
    ({"url": "http://127.0.0.1/", "event_types": ["*", "x.*"]}, "unknown_event_type", "/event_types/1"),
    ({"url": "http://127.0.0.1/", "headers": {"Host": "x"}}, "reserved_header", "/headers/Host"),
    (
        {"url": "http://127.0.0.1/", "headers": {"webhook-id": "x"}},
        "reserved_header",
        "/headers/webhook-id",
    ),
    ({"url": "http://127.0.0.1/", "headers": {"X": "a\r\nb"}}, "bad_header_value", "/headers/X"),
    ({"url": "http://127.0.0.1/", "headers": {"X": "ї"}}, "bad_header_value", "/headers/X"),
    ({"url": "http://127.0.0.1/", "headers": {"a b": "x"}}, "bad_header_name", "/headers/a b"),
    ({"url": "http://127.0.0.1/", "headers": {"X": "1", "x": "2"}}, "repeated_header", "/headers/x"),
    (
        {"url": "http://127.0.0.1/", "headers": {f"X{n}": "1" for n in range(21)}},
        "too_many_headers",
        "/headers",
    ),
    ({"url": "http://127.0.0.1/", "secret": "hunter2"}, "secret_format", ""),
    ({"url": "http://127.0.0.1/", "secret": "whsec_aGk="}, "secret_length", ""),
    ({"url": "http://127.0.0.1/", "event_types": []}, "invalid_request", "/event_types"),
    ({"url": "http://127.0.0.1/", "colour": "red"}, "invalid_request", "/colour"),
    ({}, "invalid_request", "/url"),
]


async def test_a_bad_endpoint_is_refused_with_the_place_and_stores_nothing(http: httpx.AsyncClient) -> None:
    for body, code, pointer in BAD_ENDPOINTS:
        answer = await http.post(ENDPOINTS, json=body)
        assert code_of(answer) == (422, code), body
        if pointer:
            assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await http.get(ENDPOINTS)).json()["items"] == []


async def test_the_nearest_event_type_is_named(http: httpx.AsyncClient) -> None:
    answer = await http.post(ENDPOINTS, json={"url": "http://127.0.0.1/", "event_types": ["sla.breech"]})
    assert "sla.breached" in answer.json()["errors"][0]["cure"]


async def test_json_that_cannot_be_stored_is_refused(client: httpx.AsyncClient) -> None:
    for body in (
        b'{"url": "http://127.0.0.1/\\u0000"}',
        b'{"url": "\\ud800"}',
        b"[" * 900,
        b"{",
        b'{"url": NaN}',
    ):
        answer = await client.post(ENDPOINTS, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400, body
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_same_guard_holds_when_an_endpoint_is_changed(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    created = await create(http, receiver.url())
    path = f"{ENDPOINTS}/{created['id']}"
    assert code_of(await http.patch(path, json={"url": "http://10.0.0.1/"})) == (422, "address_refused")
    assert (await http.get(path)).json()["url"] == receiver.url()


async def test_a_change_moves_the_etag_and_an_old_one_is_refused(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    created = await create(http, receiver.url())
    path = f"{ENDPOINTS}/{created['id']}"
    seen = (await http.get(path)).headers["etag"]
    changed = await http.patch(path, json={"description": "CRM"}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["description"]) == (200, "CRM")
    assert changed.headers["etag"] != seen
    assert code_of(await http.patch(path, json={"description": "x"}, headers={"If-Match": seen})) == (
        412,
        "changed_meanwhile",
    )
    assert code_of(await http.delete(path, headers={"If-Match": seen})) == (412, "changed_meanwhile")
    assert (await http.delete(path, headers={"If-Match": changed.headers["etag"]})).status_code == 204
    assert code_of(await http.get(path)) == (404, "not_found")


async def test_a_change_to_nothing_is_refused(http: httpx.AsyncClient, receiver: Receiver) -> None:
    created = await create(http, receiver.url())
    for body in ({"url": None}, {"url": ""}, {"event_types": None}, {"event_types": []}, {"headers": None}):
        answer = await http.patch(f"{ENDPOINTS}/{created['id']}", json=body)
        assert code_of(answer) == (422, "invalid_request"), body


async def test_switching_off_and_on(http: httpx.AsyncClient, receiver: Receiver) -> None:
    created = await create(http, receiver.url())
    path = f"{ENDPOINTS}/{created['id']}"
    off = (await http.post(f"{path}/disable")).json()
    assert (off["state"], off["disabled_reason"]) == ("disabled", "operator")
    on = (await http.post(f"{path}/enable")).json()
    assert (on["state"], on["disabled_reason"]) == ("enabled", None)


async def test_a_rotated_secret_is_shown_once_and_the_old_one_has_an_end(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    created = await create(http, receiver.url())
    path = f"{ENDPOINTS}/{created['id']}"
    rotated = (await http.post(f"{path}/rotate-secret", json={"overlap_seconds": 60})).json()
    assert rotated["secret"] != created["secret"]
    assert [secret["expires_at"] is None for secret in rotated["secrets"]] == [True, False]
    assert rotated["secret"] not in (await http.get(path)).text
    too_long = await http.post(f"{path}/rotate-secret", json={"overlap_seconds": 8 * 86_400})
    assert code_of(too_long) == (422, "invalid_request")
    mixed = {"signature": "ed25519", "secret": created["secret"]}
    assert code_of(await http.post(f"{path}/rotate-secret", json=mixed)) == (422, "secret_scheme")


async def test_a_key_without_the_scope_is_refused(http: httpx.AsyncClient, api_key: MakeKey) -> None:
    headers = {"Authorization": f"Bearer {await api_key('events:write')}"}
    assert code_of(await http.get(ENDPOINTS, headers=headers)) == (403, "missing_scope")
    assert code_of(await http.get(MESSAGES, headers=headers)) == (403, "missing_scope")


async def test_a_hundred_endpoints_are_enough(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    for _ in range(100):
        await outlet.endpoint(receiver.url())
    answer = await http.post(ENDPOINTS, json={"url": receiver.url()})
    assert code_of(answer) == (409, "too_many_endpoints")
    page = (await http.get(ENDPOINTS, params={"limit": 60})).json()
    rest = (await http.get(ENDPOINTS, params={"limit": 60, "cursor": page["next_cursor"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (60, 40, None)


async def test_every_change_is_in_the_audit(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    created = await create(http, receiver.url())
    path = f"{ENDPOINTS}/{created['id']}"
    await http.patch(path, json={"description": "x"})
    await http.post(f"{path}/rotate-secret", json={})
    await http.post(f"{path}/disable")
    await http.post(f"{path}/enable")
    await http.delete(path)
    async with outlet.database.write(outlet.tenant.tenant_id) as tx:
        rows = await tx.fetch(
            "SELECT action FROM audit WHERE target = $1 ORDER BY at, audit_id", created["id"]
        )
    assert [row["action"].removeprefix("endpoint.") for row in rows] == [
        "created",
        "changed",
        "secret_rotated",
        "disabled",
        "enabled",
        "deleted",
    ]
