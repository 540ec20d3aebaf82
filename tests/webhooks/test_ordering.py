"""Ordered endpoints: within a key one after another, between keys at once, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from app.webhooks import service
from app.webhooks.claim_sql import CLAIM
from app.webhooks.dispatcher import Limits
from app.webhooks.ordering import _HELD, _PROMOTE
from app.webhooks.retention import prune
from app.webhooks.schemas import EndpointPatch
from tests.conftest import Server
from tests.receiver import Arrival, Receiver, Script, after, silence, status
from tests.webhooks.conftest import Outlet, ago


def about(case: str, n: int) -> dict[str, Any]:
    return {"subject": {"kind": "case", "id": case}, "n": n}


async def tell(outlet: Outlet, case: str, *numbers: int) -> None:
    for n in numbers:
        await outlet.announce("case.opened", **about(case, n))


def told(arrivals: list[Arrival]) -> dict[str, list[int]]:
    """What came, by case, in the order in which it came."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for arrival in arrivals:
        data = arrival.json["data"]
        found[data["subject"]["id"]].append(data["n"])
    return dict(found)


async def queued(outlet: Outlet) -> list[tuple[str, bool]]:
    """Key and whether it is held back, of all that waits."""
    rows = await outlet.sql(
        "SELECT order_key, due_at = 'infinity' AS held FROM deliveries ORDER BY order_key, order_sequence"
    )
    return [(row["order_key"], row["held"]) for row in rows]


async def test_of_each_subject_one_message_is_in_the_queue_and_the_next_follows_when_it_is_taken(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200)), ordering="subject")
    await tell(outlet, "case_a", 1, 2, 3)
    await tell(outlet, "case_b", 1)
    await outlet.fan_out()
    held = [("case_a", False), ("case_a", True), ("case_a", True), ("case_b", False)]
    assert await queued(outlet) == held
    await outlet.deliver(outlet.dispatcher())
    assert told(receiver.arrivals()) == {"case_a": [1], "case_b": [1]}
    await outlet.deliver(outlet.dispatcher(), rounds=2)
    assert told(receiver.arrivals()) == {"case_a": [1, 2, 3], "case_b": [1]}
    assert await queued(outlet) == []


async def test_a_failing_message_holds_up_its_own_subject_and_no_other(
    outlet: Outlet, receiver: Receiver
) -> None:
    async def refuse_the_first(arrival: Arrival, *rest: Any) -> None:
        is_bad = arrival.json["data"] == about("case_a", 1)
        await status(500 if is_bad else 200)(arrival, *rest)

    await outlet.endpoint(receiver.on("/hook", refuse_the_first), ordering="subject")
    for n in (1, 2, 3):
        await tell(outlet, "case_a", n)
        await tell(outlet, "case_b", n)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher(), rounds=4)
    assert told(receiver.arrivals()) == {"case_a": [1], "case_b": [1, 2, 3]}
    first, *others = await outlet.messages("subject = 'case_a'")
    assert (first["attempts"], [row["attempts"] for row in others]) == (1, [0, 0])


async def test_given_up_refused_for_good_or_resent_it_makes_way(outlet: Outlet, receiver: Receiver) -> None:
    url = receiver.on("/hook", status(500), status(422, webhook_delivery="abort-message"), status(500))
    await outlet.endpoint(url, ordering="subject", retry_delays_seconds=[])
    await tell(outlet, "case_a", 1, 2)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher(), rounds=2)
    assert [row["state"] for row in await outlet.messages()] == ["exhausted", "cancelled"]

    url = receiver.on("/other", status(500), status(200))
    await outlet.endpoint(url, "case.*", ordering="subject")
    await tell(outlet, "case_b", 1, 2)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    stuck = (await outlet.messages("subject = 'case_b' AND state = 'pending' AND attempts = 1"))[0]
    async with outlet.edit() as edit:
        await service.resend(edit, stuck["message_id"])
    await outlet.deliver(outlet.dispatcher())
    await outlet.sweep.step()
    await outlet.deliver(outlet.dispatcher())
    assert told(receiver.arrivals("/other")) == {"case_b": [1, 1, 2]}


async def test_an_endpoint_in_one_order_gets_one_at_a_time(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/hook", after(0.02, status(200))), ordering="endpoint")
    for n in range(1, 6):
        await tell(outlet, f"case_{n % 2}", n)
    async with outlet.running(outlet.dispatcher(), outlet.dispatcher()):
        arrivals = await receiver.wait_for(5)
        await asyncio.sleep(0.1)
    assert [arrival.json["data"]["n"] for arrival in arrivals] == [1, 2, 3, 4, 5]
    assert all(later.at - earlier.at >= 0.02 for earlier, later in pairwise(arrivals))


def flaky(seed: int, share: float) -> Script:
    chance = random.Random(seed)

    async def play(arrival: Arrival, *rest: Any) -> None:
        await asyncio.sleep(chance.random() * 0.01)
        await status(503 if chance.random() < share else 200)(arrival, *rest)

    return play


@pytest.mark.parametrize("ordering", ["subject", "none"])
async def test_whatever_fails_no_subject_is_told_out_of_order_and_without_order_some_are(
    outlet: Outlet, receiver: Receiver, ordering: str
) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    await outlet.endpoint(receiver.on("/hook", flaky(seed, 0.2)), ordering=ordering)
    dispatchers = [outlet.dispatcher(Limits(lease_seconds=30, poll_seconds=0.02)) for _ in range(2)]
    for n in range(1, 16):
        for case in range(6):
            await tell(outlet, f"case_{case}", n)
    async with asyncio.timeout(30), outlet.running(*dispatchers):
        while await outlet.messages("state <> 'delivered'") or len(await outlet.messages()) < 90:
            await outlet.make_due()
            await asyncio.sleep(0.05)
    # the first arrival of each: what the receiver sees of it for the first time
    first = {case: list(dict.fromkeys(numbers)) for case, numbers in told(receiver.arrivals()).items()}
    in_order = all(numbers == sorted(numbers) for numbers in told(receiver.arrivals()).values())
    assert {tuple(sorted(numbers)) for numbers in first.values()} == {tuple(range(1, 16))}
    assert in_order is (ordering == "subject")


async def test_what_left_in_another_way_is_followed_within_a_sweep(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(500), status(200)), ordering="subject")
    await tell(outlet, "case_a", 1, 2)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    await outlet.sql("UPDATE messages SET created_at = now() - interval '9 days' WHERE attempts = 1")
    await prune(outlet.database, before=ago(days=5))
    assert await queued(outlet) == [("case_a", True)]
    await outlet.sweep.step()
    await outlet.deliver(outlet.dispatcher())
    assert told(receiver.arrivals()) == {"case_a": [1, 2]}


async def test_switched_off_the_order_is_lifted_and_enabling_brings_only_heads_forward(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(410), status(200)), ordering="subject")
    await tell(outlet, "case_a", 1, 2, 3)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    async with outlet.edit() as edit:
        await service.enable_endpoint(edit, endpoint_id)
    held = [("case_a", False), ("case_a", True), ("case_a", True)]
    assert await queued(outlet) == held
    async with outlet.edit() as edit:
        await service.patch_endpoint(edit, endpoint_id, EndpointPatch(ordering="none"))
    await outlet.make_due()
    await outlet.deliver(outlet.dispatcher())
    assert sorted(told(receiver.arrivals())["case_a"]) == [1, 1, 2, 3]


async def test_a_lost_lease_keeps_the_order_and_the_fence(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/hook", silence(), status(200)), ordering="subject")
    await tell(outlet, "case_a", 1, 2)
    await outlet.fan_out()
    lost = outlet.dispatcher()
    await lost.claim()
    await receiver.wait_for(1)
    await outlet.sql("UPDATE deliveries SET due_at = now() WHERE claim_id IS NOT NULL")
    await outlet.deliver(outlet.dispatcher(), rounds=2)
    assert told(receiver.arrivals()) == {"case_a": [1, 1, 2]}
    await lost.close(grace_seconds=0)


async def test_a_second_row_of_a_key_in_the_queue_is_refused_by_the_database(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.url(), ordering="subject")
    await tell(outlet, "case_a", 1, 2)
    await outlet.fan_out()
    with pytest.raises(asyncpg.UniqueViolationError):
        await outlet.sql("UPDATE deliveries SET due_at = now()")


_FILL = """
INSERT INTO deliveries (tenant_id, delivery_id, message_id, endpoint_id, due_at, manual, first_try, tries,
                        faults, losses, order_key, order_sequence)
SELECT $1, gen_random_uuid(), gen_random_uuid(), $2,
       CASE WHEN n % 50 = 0 THEN now() + interval '1 hour' ELSE 'infinity' END, false, true, 0, 0, 0,
       'case_' || n / 50, n
  FROM generate_series(1, 20000) n
"""


async def test_with_20_000_held_back_claim_promotion_and_sweep_still_read_an_index(
    outlet: Outlet, receiver: Receiver, server: Server
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)), ordering="subject")
    await outlet.sql(_FILL, outlet.tenant.tenant_id, endpoint_id)
    connection = await asyncpg.connect(server.superuser)
    await connection.execute("ANALYZE")
    await connection.close()
    asked = {
        "claim": (CLAIM, (True, 100, 32, [], [], endpoint_id, timedelta(seconds=90), 5)),
        "promotion": (_PROMOTE, ([endpoint_id], ["case_7"])),
        "sweep": (_HELD, (endpoint_id, "", 1_000)),
    }
    for name, (query, arguments) in asked.items():
        plan = "\n".join(row[0] for row in await outlet.sql("EXPLAIN " + query, *arguments))
        assert "Seq Scan on deliveries" not in plan, f"{name}\n{plan}"
    started = datetime.now(UTC)
    for _ in range(10):
        await outlet.sweep.step()
    assert datetime.now(UTC) - started < timedelta(seconds=2)
