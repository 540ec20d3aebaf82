"""Endpoints that answer nothing good: exhausted, disabled, recovered, and never in the way of others."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from app.domain.delivery import MAX_TRIES
from app.kit.ids import public_id
from app.webhooks import service
from app.webhooks.dispatcher import Limits
from tests.receiver import Receiver, after, silence, status
from tests.webhooks.conftest import Outlet, ago


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
