"""What a dispatcher that ends leaves behind: attempts ended, the rest given back."""

from __future__ import annotations

import asyncio
from collections import Counter

from app.webhooks.dispatcher import Limits
from tests.receiver import Receiver, after, status
from tests.webhooks.conftest import Outlet


async def test_closing_lets_attempts_end_and_gives_the_rest_back_at_once(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/hook", after(0.3, status(200))))
    await outlet.announce(count=30)
    await outlet.fan_out()
    dispatcher = outlet.dispatcher(Limits(lease_seconds=60, first_slots=10, first_per_endpoint=8))
    await dispatcher.claim()
    await receiver.wait_for(8)
    held = dispatcher.in_hand
    await dispatcher.close(grace_seconds=2)

    assert held == 16
    assert Counter(row["state"] for row in await outlet.messages()) == {"delivered": 8, "pending": 22}
    waiting = await outlet.sql("SELECT claim_id, tries, losses, due_at <= now() AS due FROM deliveries")
    assert {(row["claim_id"], row["tries"], row["losses"], row["due"]) for row in waiting} == {
        (None, 0, 0, True)
    }
    assert len(await outlet.attempts()) == 8


async def test_an_attempt_cut_short_by_shutdown_counts_for_nothing(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", after(5, status(200)), status(200)))
    await outlet.announce()
    await outlet.fan_out()
    first = outlet.dispatcher(deadline_seconds=10)
    await first.claim()
    await receiver.wait_for(1)
    await first.close(grace_seconds=0.1)
    assert await outlet.attempts() == []
    assert (await outlet.endpoint_row(endpoint_id))["failures"] == 0
    await outlet.deliver(outlet.dispatcher())
    assert [row["outcome"] for row in await outlet.attempts()] == ["delivered"]


async def test_closing_an_idle_dispatcher_and_closing_it_before_it_began_lose_nothing(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.queue(receiver, 3)
    dispatcher = outlet.dispatcher()
    await dispatcher.close()
    await dispatcher.claim()
    await dispatcher.close(grace_seconds=0.0)  # tasks that never ran are given back too
    assert {row["claim_id"] for row in await outlet.sql("SELECT claim_id FROM deliveries")} <= {None}
    await outlet.deliver(outlet.dispatcher())
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}


async def test_a_delivery_that_waited_too_long_for_a_slot_is_given_back_unsent(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/hook", after(0.6, status(200))))
    await outlet.announce(count=3)
    await outlet.fan_out()
    # a lease of 1.6 s less a deadline of 1 s and a tenth for the margin: nothing starts after 0.44 s
    limits = Limits(lease_seconds=1.6, first_slots=2, first_per_endpoint=1, poll_seconds=0.05)
    dispatcher = outlet.dispatcher(limits, deadline_seconds=1.0)
    await dispatcher.claim()
    assert dispatcher.in_hand == 2
    while dispatcher.in_hand:
        await asyncio.sleep(0.01)
        await dispatcher.settle()
    assert len(receiver.arrivals()) == 1
    await outlet.deliver(dispatcher, rounds=2)
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}
    assert {row["losses"] for row in await outlet.sql("SELECT losses FROM deliveries")} <= {0}
