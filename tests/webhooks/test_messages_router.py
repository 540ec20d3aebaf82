"""The message routes over HTTP: pages, filters, attempts, sending again."""

from __future__ import annotations

import httpx

from app.kit.ids import new_id, public_id
from tests.conftest import make_key, make_tenant
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet
from tests.webhooks.routes import ENDPOINTS, MESSAGES, code_of, create


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
