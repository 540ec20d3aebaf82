"""From the outbox to the receiver and back into the attempt log."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import orjson
import pytest

from app.domain.delivery import MAX_TRIES
from app.kit.ids import public_id
from app.webhooks import service
from app.webhooks.dispatcher import Limits
from tests.conftest import make_tenant
from tests.receiver import Receiver, after, silence, status
from tests.webhooks.conftest import SECRET, Outlet, ago


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


async def test_after_the_last_try_a_message_is_exhausted_and_the_others_are_told(
    outlet: Outlet, receiver: Receiver
) -> None:
    dead = await outlet.endpoint(receiver.on("/dead", status(500)))
    await outlet.endpoint(receiver.on("/ops", status(200)), "message.*", "endpoint.*")
    await outlet.announce()
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    for _ in range(MAX_TRIES + 2):
        await outlet.deliver(dispatcher)
        await outlet.make_due()
    await outlet.fan_out()
    await outlet.fan_out()
    await outlet.deliver(dispatcher)

    (message,) = await outlet.messages("type = 'sla.breached'")
    assert (message["state"], message["attempts"]) == ("exhausted", MAX_TRIES)
    assert [row["number"] for row in await outlet.attempts(message["message_id"])] == list(
        range(1, MAX_TRIES + 1)
    )
    assert len(receiver.arrivals("/dead")) == MAX_TRIES  # and it is not told of its own failure
    (told,) = receiver.arrivals("/ops")
    assert told.json["type"] == "message.exhausted"
    assert told.json["data"]["endpoint_id"] == public_id("ep", dead)
    assert told.json["data"]["message_id"] == public_id("msg", message["message_id"])
    assert told.json["data"]["sequence"] > 0


async def test_two_dead_endpoints_do_not_tell_each_other_of_their_deaths_for_ever(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/a", status(500)))
    await outlet.endpoint(receiver.on("/b", status(500)))
    await outlet.announce()
    dispatcher = outlet.dispatcher(Limits(poll_seconds=0.05, retry_per_endpoint=16))
    for _ in range(3 * MAX_TRIES):
        await outlet.fan_out()
        await outlet.deliver(dispatcher)
        await outlet.make_due()
    # one event for two, and one notice about each to the other: four messages, and then silence
    assert sorted((row["type"], row["state"]) for row in await outlet.messages()) == [
        ("message.exhausted", "exhausted"),
        ("message.exhausted", "exhausted"),
        ("sla.breached", "exhausted"),
        ("sla.breached", "exhausted"),
    ]


async def test_gone_disables_once_parks_what_waits_and_enabling_sends_it(
    outlet: Outlet, receiver: Receiver
) -> None:
    gone = await outlet.endpoint(receiver.on("/gone", status(410), status(410), status(200)), "sla.*")
    await outlet.endpoint(receiver.on("/ops", status(200)), "endpoint.*")
    await outlet.announce(count=2)
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    await outlet.deliver(dispatcher)
    await outlet.announce()  # nobody is asked any more
    for _ in range(3):
        await outlet.make_due()
        await outlet.fan_out()
        await outlet.deliver(dispatcher)

    row = await outlet.endpoint_row(gone)
    assert row["disabled_reason"] == "gone"
    assert [item["state"] for item in await outlet.messages("type = 'sla.breached'")] == ["pending"] * 2
    assert len(receiver.arrivals("/gone")) == 2
    (told,) = receiver.arrivals("/ops")
    assert (told.json["type"], told.json["data"]["reason"]) == ("endpoint.disabled", "gone")
    async with outlet.database.write(outlet.tenant.tenant_id) as tx:
        entries = await tx.fetch("SELECT actor, target FROM audit WHERE action = 'endpoint.disabled'")
    assert [(entry["actor"], entry["target"]) for entry in entries] == [("vidhuk", public_id("ep", gone))]

    async with outlet.edit() as edit:
        await service.enable_endpoint(edit, gone)
    await outlet.make_due()
    await outlet.deliver(dispatcher)
    assert [item["state"] for item in await outlet.messages("type = 'sla.breached'")] == ["delivered"] * 2


@pytest.mark.parametrize(
    ("failing_since", "last_failure_at", "disabled"),
    [
        (ago(days=6), ago(hours=1), True),
        (ago(days=4), ago(hours=1), False),
        (ago(days=6), ago(days=4), False),  # silence between is no failure
    ],
)
async def test_days_of_only_failures_disable_and_less_does_not(
    outlet: Outlet, receiver: Receiver, failing_since: datetime, last_failure_at: datetime, disabled: bool
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(500)))
    async with outlet.database.worker() as tx:
        await tx.execute(
            "UPDATE endpoints SET failing_since = $1, last_failure_at = $2, failures = 9",
            failing_since,
            last_failure_at,
        )
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    row = await outlet.endpoint_row(endpoint_id)
    assert (row["disabled_reason"] == "failing") is disabled
    if disabled:  # what comes now is kept for the day when it is enabled again
        await outlet.announce()
        await outlet.fan_out()
        assert len(await outlet.messages("state = 'pending'")) == 2


async def test_a_success_ends_the_run_and_a_long_one_is_announced_as_recovered(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)), "sla.*")
    await outlet.endpoint(receiver.on("/ops", status(200)), "endpoint.*")
    async with outlet.database.worker() as tx:
        await tx.execute(
            "UPDATE endpoints SET failing_since = $1, last_failure_at = $2, failures = 9 "
            "WHERE endpoint_id = $3",
            ago(days=4),
            ago(hours=1),
            endpoint_id,
        )
    await outlet.announce()
    dispatcher = outlet.dispatcher()
    for _ in range(3):
        await outlet.fan_out()
        await outlet.deliver(dispatcher)
    row = await outlet.endpoint_row(endpoint_id)
    assert (row["failures"], row["failing_since"]) == (0, None)
    (told,) = receiver.arrivals("/ops")
    assert (told.json["type"], told.json["data"]["failures"]) == ("endpoint.recovered", 9)


async def test_a_failure_is_counted_in_the_endpoint_but_a_refused_address_is_too(
    outlet: Outlet, receiver: Receiver
) -> None:
    inside = await outlet.endpoint("http://10.0.0.1/hook")
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (attempt,) = await outlet.attempts()
    assert (attempt["failure"], attempt["status"]) == ("address_refused", None)
    assert "10.0.0.1" in attempt["detail"]
    assert (await outlet.endpoint_row(inside))["failures"] == 1


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


async def test_a_dead_endpoint_with_a_backlog_does_not_hold_up_its_neighbours(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/dead", silence()), "sla.met")
    await outlet.endpoint(receiver.on("/live", status(200)), "case.opened")
    limits = Limits(
        poll_seconds=0.05, first_slots=8, first_per_endpoint=6, retry_slots=4, retry_per_endpoint=2
    )
    await outlet.announce("sla.met", 100)
    async with outlet.running(outlet.dispatcher(limits, deadline_seconds=1.0)):
        await receiver.wait_for(6, "/dead")
        started = asyncio.get_running_loop().time()
        await outlet.announce("case.opened", 5)
        await receiver.wait_for(5, "/live")
        assert asyncio.get_running_loop().time() - started < 0.8  # less than one attempt at the dead one


async def test_a_failing_endpoint_keeps_to_the_slots_of_retries(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/slow", after(0.2, status(500))))
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE endpoints SET failures = 50, failing_since = now(), last_failure_at = now()")
    await outlet.announce(count=20)
    await outlet.fan_out()
    dispatcher = outlet.dispatcher(Limits(retry_slots=4, retry_per_endpoint=2))
    await dispatcher.claim()
    await asyncio.sleep(0.1)
    assert len(receiver.arrivals("/slow")) == 2
    assert dispatcher.in_hand == 4
    await dispatcher.close()


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
