"""Lists of messages: what an integrator asks for, and a life that is proved from the API alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.kit.ids import public_id
from tests.builders import event
from tests.receiver import Receiver, status
from tests.webhooks.conftest import SECRET, Outlet
from tests.webhooks.routes import MESSAGES, create


async def found(http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await http.get(MESSAGES, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_messages_are_found_by_subject_event_family_and_status(
    http: httpx.AsyncClient, client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver
) -> None:
    await create(http, receiver.on("/a", status(503), status(200)))
    await create(http, receiver.on("/b", status(200)))
    for name in ("C-1", "C-2"):
        opened = event("case.opened", f"open-{name}", subject=f"case/{name}", data={"kind": "complaint"})
        assert (await client.post("/v1/events", json=opened)).status_code == 201
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    everything = await found(http)
    one = everything[0]
    assert one["subject"].startswith("case_")
    about = await found(http, subject=one["subject"])
    assert about and {item["subject"] for item in about} == {one["subject"]}
    assert len(about) < len(everything)
    assert {item["event_id"] for item in await found(http, event=one["event_id"])} == {one["event_id"]}
    assert len(await found(http, event=one["event_id"])) == 2  # one for each endpoint
    assert await found(http, event=public_id("evt", outlet.tenant.tenant_id)) == []
    assert await found(http, type="case.*") == [
        item for item in everything if item["type"].startswith("case.")
    ]
    assert await found(http, type="review.*") == []
    assert [item["last_status"] for item in await found(http, status=503)] == [503]
    # the body may be gone: the journal still knows the place of an event
    await outlet.sql("DELETE FROM message_bodies")
    assert len(await found(http, event=one["event_id"])) == 2


@pytest.mark.parametrize(
    "query",
    [{"event": "msg_1"}, {"replay": "rpl_!"}, {"status": 99}, {"status": "x"}, {"subject": "x" * 201}],
)
async def test_a_filter_that_is_none_is_refused(http: httpx.AsyncClient, query: dict[str, Any]) -> None:
    assert (await http.get(MESSAGES, params=query)).status_code in (404, 422)


@pytest.mark.parametrize(
    ("wanted", "near"), [("unknown.*", ""), ("slas.*", "sla."), ("sla.breachd", "'sla.breached'")]
)
async def test_a_type_that_is_never_sent_is_refused_with_the_nearest(
    http: httpx.AsyncClient, wanted: str, near: str
) -> None:
    refused = await http.get(MESSAGES, params={"type": wanted})
    assert refused.status_code == 422, refused.text
    problem = refused.json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("unknown_event_type", "query:type")
    assert near in problem["errors"][0]["cure"]


@pytest.mark.parametrize("shape", [{}, {"payload": "thin"}, {"format": "cloudevents"}])
async def test_what_was_sent_is_proved_from_the_api_alone(
    http: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, shape: dict[str, str]
) -> None:
    handshake = [status(404)] if "format" in shape else []
    url = receiver.on("/hook", *handshake, status(500), status(200))
    await create(http, url, secret=SECRET.text, **shape)
    await outlet.announce(note="naïve \u2028")
    await outlet.fan_out()
    for _ in range(2):
        await outlet.deliver(outlet.dispatcher())
        await outlet.make_due()
    (listed,) = await found(http)
    shown = (await http.get(f"{MESSAGES}/{listed['id']}")).json()
    attempts = (await http.get(f"{MESSAGES}/{listed['id']}/attempts")).json()["items"]
    sent = [arrival for arrival in receiver.arrivals() if arrival.method == "POST"]
    assert [shown["raw"].encode()] * 2 == [arrival.body for arrival in sent]
    assert [attempt["outcome"] for attempt in attempts] == ["failed", "delivered"]
    for attempt in attempts:
        headers = attempt["request"]["headers"]
        Webhook(SECRET.text).verify(shown["raw"], headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET.text).verify(shown["raw"] + " ", headers)


async def test_the_message_that_is_waited_for_is_named(
    http: httpx.AsyncClient, outlet: Outlet, receiver: Receiver
) -> None:
    made = await create(http, receiver.on("/hook", status(500)), ordering="subject")
    assert made["ordering"] == "subject"
    await outlet.announce(count=2, subject={"kind": "case", "id": "case_a"})
    await outlet.fan_out()
    second, first = await found(http)
    assert (second["waits_for"], second["next_at"]) == (first["id"], None)
    assert (first["waits_for"], first["next_at"] is None) == (None, False)


async def test_pages_neither_skip_nor_repeat_while_messages_come(
    http: httpx.AsyncClient, outlet: Outlet, receiver: Receiver
) -> None:
    await create(http, receiver.on("/hook", status(200)))
    await outlet.announce(count=6)
    await outlet.fan_out()
    seen: list[int] = []
    answer = (await http.get(MESSAGES, params={"limit": 2})).json()
    while True:
        seen += [item["sequence"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        await outlet.announce()
        await outlet.fan_out()
        await outlet.deliver(outlet.dispatcher())  # states change meanwhile, too
        answer = (await http.get(MESSAGES, params={"limit": 2, "cursor": answer["next_cursor"]})).json()
    assert seen == [6, 5, 4, 3, 2, 1]
