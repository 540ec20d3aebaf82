"""From the outbox to the receiver and back into the attempt log."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import orjson

from app.kit.ids import public_id
from app.webhooks import service
from tests.conftest import make_tenant
from tests.receiver import Receiver, status
from tests.webhooks.conftest import SECRET, Outlet


async def test_an_event_reaches_a_subscriber_signed_and_whole_and_leaves_a_record(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(204), secret=SECRET.text), "sla.*")
    await outlet.announce("sla.breached", subject={"id": "case_1"}, sequence=7)
    async with outlet.running(outlet.dispatcher()):
        (arrival,) = await receiver.wait_for(1)

    (message,) = await outlet.messages()
    (attempt,) = await outlet.attempts()
    assert arrival.verified is True
    assert arrival.webhook_id == public_id("msg", message["message_id"])
    assert arrival.json["type"] == "sla.breached"
    assert arrival.json["data"] == {"subject": {"id": "case_1"}, "sequence": 7}
    assert datetime.fromisoformat(arrival.json["timestamp"]) == message["occurred_at"]
    assert list(arrival.json) == ["type", "timestamp", "data"]
    assert (message["state"], message["endpoint_id"], message["last_status"]) == (
        "delivered",
        endpoint_id,
        204,
    )
    assert (attempt["number"], attempt["outcome"], attempt["status"]) == (1, "delivered", 204)
    assert await outlet.sql("SELECT 1 FROM deliveries") == []
    assert await outlet.sql("SELECT 1 FROM outbox") == []


async def test_endpoints_get_what_they_asked_for_and_no_neighbours_events(
    outlet: Outlet, receiver: Receiver
) -> None:
    other = await make_tenant(outlet.services, "other")
    paths = {"/all": "*", "/sla": "sla.*", "/exact": "sla.met", "/cases": "case.*"}
    for path, pattern in paths.items():
        await outlet.endpoint(receiver.on(path, status(200)), pattern)
    await outlet.endpoint(receiver.on("/other", status(200)), "*", tenant=other)
    await outlet.announce("sla.met")
    await outlet.announce("sla.breached")
    await outlet.announce("case.opened")
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())

    got = {
        path: sorted(arrival.json["type"] for arrival in receiver.arrivals(path))
        for path in [*paths, "/other"]
    }
    assert got == {
        "/all": ["case.opened", "sla.breached", "sla.met"],
        "/sla": ["sla.breached", "sla.met"],
        "/exact": ["sla.met"],
        "/cases": ["case.opened"],
        "/other": [],
    }


async def test_the_body_of_an_event_is_stored_once_for_all_its_endpoints(
    outlet: Outlet, receiver: Receiver
) -> None:
    for path in ("/a", "/b", "/c"):
        await outlet.endpoint(receiver.on(path, status(200)))
    await outlet.announce()
    await outlet.fan_out()
    assert len(await outlet.messages()) == 3
    assert len(await outlet.sql("SELECT 1 FROM message_bodies")) == 1


async def test_an_event_that_nobody_asked_for_leaves_nothing_behind(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.url(), "case.*")
    await outlet.announce("sla.met")
    await outlet.fan_out()
    assert await outlet.sql("SELECT 1 FROM outbox UNION ALL SELECT 1 FROM message_bodies") == []


async def test_a_retry_keeps_its_id_and_body_and_is_signed_anew(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/hook", status(503), status(200), secret=SECRET.text))
    await outlet.announce()
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    await outlet.deliver(dispatcher)
    (waiting,) = await outlet.sql("SELECT due_at - now() AS wait, tries, first_try FROM deliveries")
    assert timedelta(seconds=4) < waiting["wait"] <= timedelta(seconds=6)
    assert (waiting["tries"], waiting["first_try"]) == (1, False)

    await asyncio.sleep(1.1)  # the timestamp counts whole seconds
    await outlet.make_due()
    await outlet.deliver(dispatcher)
    first, second = receiver.arrivals()
    assert (first.webhook_id, first.body) == (second.webhook_id, second.body)
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.verified
    assert second.verified
    attempts = await outlet.attempts()
    assert [(row["number"], row["outcome"], row["failure"]) for row in attempts] == [
        (1, "failed", "status"),
        (2, "delivered", None),
    ]
    assert attempts[0]["next_at"] is not None


async def test_retry_after_moves_the_next_try(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/hook", status(429, Retry_After="600")))
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (waiting,) = await outlet.sql("SELECT due_at - now() AS wait FROM deliveries")
    assert timedelta(seconds=590) < waiting["wait"] <= timedelta(seconds=721)


async def test_url_headers_and_secret_are_those_of_the_moment_of_the_try(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/old", status(500)), headers={"X-Key": "old"})
    await outlet.announce()
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    await outlet.deliver(dispatcher)
    async with outlet.edit() as edit:
        patch = service.EndpointPatch(url=receiver.on("/new", status(200)), headers={"X-Key": "new"})
        await service.patch_endpoint(edit, endpoint_id, patch)
    await outlet.make_due()
    await outlet.deliver(dispatcher)
    assert receiver.arrivals("/old")[0].headers["x-key"] == "old"
    assert receiver.arrivals("/new")[0].headers["x-key"] == "new"
    assert receiver.arrivals("/old")[0].webhook_id == receiver.arrivals("/new")[0].webhook_id


async def test_a_tenant_that_is_disabled_sends_nothing(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200)))
    await outlet.announce()
    await outlet.fan_out()
    async with outlet.database.operator() as connection:
        await connection.exec_driver_sql("UPDATE tenants SET disabled_at = now()")
    await outlet.deliver(outlet.dispatcher())
    assert receiver.ledger == []
    async with outlet.database.operator() as connection:
        await connection.exec_driver_sql("UPDATE tenants SET disabled_at = NULL")
    await outlet.deliver(outlet.dispatcher())
    assert len(receiver.ledger) == 1


async def test_the_stored_body_is_what_was_sent(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200)))
    await outlet.announce(
        text="Привіт, «світ» \u2028", number=1.5, none=None, nested={"list": [1, {"a": True}]}
    )
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (stored,) = await outlet.sql("SELECT body FROM message_bodies")
    assert receiver.arrivals()[0].body == stored["body"]
    assert orjson.loads(stored["body"])["data"] == {
        "text": "Привіт, «світ» \u2028",
        "number": 1.5,
        "none": None,
        "nested": {"list": [1, {"a": True}]},
    }
