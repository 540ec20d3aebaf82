"""An erasure reaches messages: what waits or is sent again goes out redacted, under its id, and verifies."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.privacy.erasure import ErasureLoop
from tests.builders import event, query
from tests.conftest import Server
from tests.receiver import Receiver, after, status
from tests.webhooks.conftest import SECRET, Outlet

OLENA = {"type": "email", "value": "olena@example.com"}
CASE = f"case/{OLENA['value']}"  # some systems have no better name for a case
WORD = b"olena"


async def held(server: Server) -> list[str]:
    """Where the person still stands in what was or is to be sent."""
    rows = await query(
        server,
        "SELECT 'body' AS place, convert_from(body, 'UTF8') AS text FROM message_bodies "
        "UNION ALL SELECT 'outbox', data::text FROM outbox "
        "UNION ALL SELECT 'attempt', concat(reply_excerpt, detail, url) FROM attempts "
        "UNION ALL SELECT 'notice', data::text FROM notices",
    )
    return sorted({row["place"] for row in rows if WORD.decode() in row["text"]})


async def erase(client: httpx.AsyncClient, outlet: Outlet) -> None:
    services = outlet.services
    asked = await client.post("/v1/privacy/erasures", json={"customer": OLENA})
    assert asked.status_code == 202
    await ErasureLoop(services.journal, services.sealer, services.bell).step()


@pytest.mark.parametrize(
    "shape", [{}, {"format": "cloudevents"}, {"payload": "thin"}], ids=["full", "cloudevents", "thin"]
)
async def test_what_waits_leaves_redacted_under_its_id_and_still_verifies(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, server: Server, shape: dict[str, str]
) -> None:
    # the receiver quotes what it was told in its refusals, as some do
    quoting = status(500, b"cannot store olena@example.com")
    url = receiver.on("/hook", quoting, status(200), secret=SECRET.text)
    await outlet.endpoint(url, "case.*", **shape)
    opened = event("case.opened", "c1", subject=CASE, data={"kind": "complaint", "customer": OLENA})
    assert (await client.post("/v1/events", json=opened)).status_code == 201
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())  # the first one failed, and waits to be tried again
    escalated = event("case.escalated", "c2", subject=CASE)
    assert (await client.post("/v1/events", json=escalated)).status_code == 201
    await outlet.fan_out()  # the second waits for its first try
    await client.post("/v1/events", json=event("case.replied", "c3", subject=CASE, data={"text": "olena"}))
    assert await held(server) == ["attempt", "body", "outbox"]  # the third was not fanned out yet

    await erase(client, outlet)
    assert await held(server) == []
    await outlet.fan_out()
    await outlet.make_due()
    for _ in range(3):
        await outlet.deliver(outlet.dispatcher())
    assert await held(server) == []
    first, *later = receiver.arrivals()
    assert len(later) >= 3
    assert first.webhook_id in {arrival.webhook_id for arrival in later}
    assert [arrival for arrival in later if WORD in arrival.body] == []
    assert all(arrival.verified for arrival in (first, *later))
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}
    assert (WORD in first.body) is (shape.get("payload") != "thin")  # and it had stood there before


async def test_what_is_sent_again_after_an_erasure_tells_nothing_of_the_person(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver
) -> None:
    created = await client.post(
        "/v1/webhooks/endpoints",
        json={"url": receiver.on("/hook", status(200), secret=SECRET.text), "secret": SECRET.text},
    )
    assert created.status_code == 201, created.text
    for name, who in (("c1", OLENA), ("d1", {"type": "email", "value": "taras@example.com"})):
        fact = event("case.opened", name, subject=f"case/{who['value']}", data={"customer": who})
        assert (await client.post("/v1/events", json=fact)).status_code == 201
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    before = receiver.arrivals()
    assert any(WORD in arrival.body for arrival in before)
    await erase(client, outlet)
    for arrival in before:
        assert (await client.post(f"/v1/messages/{arrival.webhook_id}/resend")).is_success
    await outlet.deliver(outlet.dispatcher())
    again = receiver.arrivals()[len(before) :]
    assert {arrival.webhook_id for arrival in again} == {arrival.webhook_id for arrival in before}
    assert all(arrival.verified for arrival in again)
    assert [arrival for arrival in again if WORD in arrival.body] == []
    assert any(b"taras@example.com" in arrival.body for arrival in again)  # nobody else was touched


async def test_an_attempt_in_flight_during_an_erasure_keeps_nothing_of_its_reply(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, server: Server
) -> None:
    quoting = after(0.5, status(500, b"cannot store olena@example.com"))
    await outlet.endpoint(receiver.on("/hook", quoting), "case.*", retry_delays_seconds=[1, 1])
    opened = event("case.opened", "c1", subject=CASE, data={"kind": "complaint", "customer": OLENA})
    assert (await client.post("/v1/events", json=opened)).status_code == 201
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    await dispatcher.claim()
    await receiver.wait_for(1)
    await erase(client, outlet)
    while dispatcher.in_hand:
        await asyncio.sleep(0.02)
        await dispatcher.settle()
    attempt = (await outlet.attempts())[0]
    assert (attempt["status"], attempt["reply_excerpt"], attempt["reply_sha256"]) == (500, None, None)
    assert await held(server) == []
    # the negative twin: what was sent after the erasure tells nothing, so its reply is kept
    await outlet.make_due()
    await outlet.deliver(dispatcher)
    assert [row["reply_excerpt"] is not None for row in await outlet.attempts()] == [False, True]
