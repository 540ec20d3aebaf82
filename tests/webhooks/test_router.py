"""The webhook routes over HTTP: what is shown, what is refused, and where it points."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.kit.ids import new_id, public_id
from app.problem_handlers import install_problem_handlers
from app.webhooks import messages_router, router
from app.webhooks.openapi import describe_webhooks
from tests.conftest import MakeKey, make_key, make_tenant
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet

ENDPOINTS = "/v1/webhooks/endpoints"
MESSAGES = "/v1/messages"


@pytest.fixture
def api(outlet: Outlet) -> FastAPI:
    services = outlet.services
    app = FastAPI()
    app.state.database, app.state.clock, app.state.bell = services.database, services.clock, services.bell
    app.state.sealer, app.state.egress = services.sealer, outlet.guard
    app.state.webhook_origin = "vidhuk.example.com"
    install_problem_handlers(app)
    app.include_router(router.router)
    app.include_router(messages_router.router)
    describe_webhooks(app)
    return app


@pytest.fixture
async def http(api: FastAPI, api_key: MakeKey) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {await api_key('webhooks:manage')}"}
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test", headers=headers
    ) as client:
        yield client


async def create(http: httpx.AsyncClient, url: str, **more: object) -> dict[str, object]:
    answer = await http.post(ENDPOINTS, json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    created: dict[str, object] = answer.json()
    return created


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


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


async def test_a_test_event_is_followed_to_its_attempt(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    created = await create(http, receiver.on("/hook", status(418, b"teapot")))
    queued = await http.post(f"{ENDPOINTS}/{created['id']}/test", json={})
    assert queued.status_code == 202
    message = f"{MESSAGES}/{queued.json()['message_id']}"
    assert (await http.get(message)).json()["state"] == "pending"
    await outlet.deliver(outlet.dispatcher())

    shown = (await http.get(message)).json()
    assert (shown["state"], shown["last_status"], shown["attempts"], shown["next_at"]) == (
        "exhausted",
        418,
        1,
        None,
    )
    assert shown["body"] == receiver.arrivals()[0].json
    assert shown["body"]["data"]["endpoint_id"] == created["id"]
    (attempt,) = (await http.get(f"{message}/attempts")).json()["items"]
    assert (attempt["outcome"], attempt["failure"], attempt["status"]) == ("failed", "status", 418)
    assert (attempt["manual"], attempt["reply_excerpt"], attempt["reply_bytes"]) == (True, "teapot", 6)
    assert len(attempt["reply_sha256"]) == 64
    unknown = await http.post(f"{ENDPOINTS}/{created['id']}/test", json={"event_type": "sla.*"})
    assert code_of(unknown) == (422, "unknown_event_type")


async def test_a_resend_is_accepted_and_made(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    await create(http, receiver.on("/hook", status(200)))
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (message,) = (await http.get(MESSAGES)).json()["items"]
    assert (await http.post(f"{MESSAGES}/{message['id']}/resend")).status_code == 202
    await outlet.deliver(outlet.dispatcher())
    assert [arrival.webhook_id for arrival in receiver.arrivals()] == [message["id"]] * 2


async def test_messages_are_paged_newest_first_and_filtered(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    created = await create(http, receiver.on("/hook", status(200)), event_types=["sla.*"])
    other = await create(http, receiver.on("/other", status(500)), event_types=["sla.met"])
    await outlet.announce("sla.breached", 5)
    await outlet.announce("sla.met", 2)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())

    seen: list[dict[str, object]] = []
    url: str | None = f"{MESSAGES}?limit=4&endpoint={created['id']}"
    while url is not None:
        page = await http.get(url)
        seen += page.json()["items"]
        url = page.links["next"]["url"] if "next" in page.links else None
    assert [item["sequence"] for item in seen] == [7, 6, 5, 4, 3, 2, 1]

    async def count(**filters: object) -> int:
        return len((await http.get(MESSAGES, params=filters)).json()["items"])

    assert await count(state="delivered") == 7
    assert await count(state="pending", endpoint=str(other["id"])) == 2
    assert await count(type="sla.met") == 4
    assert await count(type="sla.met", state="delivered") == 2


async def test_a_reader_that_goes_on_after_the_last_sequence_misses_nothing_and_sees_nothing_twice(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    await create(http, receiver.url())
    read: list[int] = []
    after = 0
    for batch in (3, 1, 4, 0, 2):
        if batch:
            await outlet.announce(count=batch)
            await outlet.fan_out()
        cursor: str | None = ""
        while cursor is not None:
            parameters = {"after": after, "limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await http.get(MESSAGES, params=parameters)).json()
            read += [item["sequence"] for item in page["items"]]
            cursor = page["next_cursor"]
        after = read[-1]
    assert read == list(range(1, 11))


async def test_a_bad_query_is_refused(http: httpx.AsyncClient) -> None:
    for query in (
        "cursor=junk",
        "cursor=WzFd",
        "cursor=WyJhIiwiYiJd",
        "after=-1",
        "after=x",
        "state=odd",
        "x=1",
        "since=0001-01-01T00:00:00%2B23:59",
        "until=9999-12-31T23:59:59-23:59",
        "since=2026-11-22T00:00:00",
    ):
        assert (await http.get(f"{MESSAGES}?{query}")).status_code == 422, query
    assert (await http.get(f"{ENDPOINTS}?cursor=WzFd")).status_code == 422


async def test_another_tenants_endpoints_and_messages_do_not_exist(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    other = await make_tenant(outlet.services, "other")
    foreign = public_id("ep", await outlet.endpoint(receiver.url(), tenant=other))
    await outlet.announce(tenant=other)
    await outlet.fan_out()
    message = public_id("msg", (await outlet.messages())[0]["message_id"])
    answers = [
        await http.get(f"{ENDPOINTS}/{foreign}"),
        await http.patch(f"{ENDPOINTS}/{foreign}", json={"description": "mine"}),
        await http.delete(f"{ENDPOINTS}/{foreign}"),
        await http.post(f"{ENDPOINTS}/{foreign}/enable"),
        await http.post(f"{ENDPOINTS}/{foreign}/disable"),
        await http.post(f"{ENDPOINTS}/{foreign}/rotate-secret", json={}),
        await http.post(f"{ENDPOINTS}/{foreign}/test", json={}),
        await http.get(f"{MESSAGES}/{message}"),
        await http.get(f"{MESSAGES}/{message}/attempts"),
        await http.post(f"{MESSAGES}/{message}/resend"),
        await http.get(f"{ENDPOINTS}/nonsense"),
        await http.get(f"{MESSAGES}/{public_id('ep', new_id())}"),
    ]
    assert [code_of(answer) for answer in answers] == [(404, "not_found")] * len(answers)
    assert (await http.get(ENDPOINTS)).json()["items"] == (await http.get(MESSAGES)).json()["items"] == []
    key = await make_key(outlet.services, other, "webhooks:manage")  # the twin: its owner sees it
    own = await http.get(f"{ENDPOINTS}/{foreign}", headers={"Authorization": f"Bearer {key}"})
    assert own.json()["id"] == foreign


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
