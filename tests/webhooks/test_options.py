"""What an endpoint may ask for: filter, shape, pace, limits, its own schedule, and to be left alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.kit.ids import public_id
from app.webhooks import service
from app.webhooks.dispatcher import Limits
from app.webhooks.schemas import EndpointPatch
from tests.receiver import Receiver, after, silence, status
from tests.webhooks.conftest import SECRET, Outlet, ago

SEVERE = {"field": "data.facts.severity", "op": "in", "values": ["sev1"]}


async def test_a_filter_lets_through_what_it_holds_for_and_nothing_else(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/severe", status(200)), "sla.*", filter=SEVERE)
    await outlet.endpoint(receiver.on("/rest", status(200)), "sla.*", filter={"not": SEVERE})
    await outlet.announce(facts={"severity": "sev1"})
    await outlet.announce(facts={"severity": "sev3"})
    await outlet.announce(facts={})
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    assert [item.json["data"]["facts"] for item in receiver.arrivals("/severe")] == [{"severity": "sev1"}]
    assert len(receiver.arrivals("/rest")) == 2


@pytest.mark.parametrize(
    ("payload", "form", "content_type", "keys"),
    [
        ("thin", "standard", "application/json", {"type", "timestamp", "data"}),
        ("full", "cloudevents", "application/cloudevents+json", {"specversion", "id", "source", "data"}),
        ("thin", "cloudevents", "application/cloudevents+json", {"specversion", "id", "source", "data"}),
    ],
)
async def test_every_shape_is_signed_as_it_is_sent_and_kept_over_retries(
    outlet: Outlet, receiver: Receiver, payload: str, form: str, content_type: str, keys: set[str]
) -> None:
    url = receiver.on("/hook", status(500), status(200), secret=SECRET.text)
    endpoint_id = await outlet.endpoint(url, payload=payload, format=form)
    await outlet.announce(subject={"kind": "case", "id": "case_1", "refs": ["r"]}, facts={"employee": "o"})
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    await outlet.deliver(dispatcher)
    async with outlet.edit() as edit:  # holds for new messages only
        await service.patch_endpoint(edit, endpoint_id, EndpointPatch(payload="full", format="standard"))
    await outlet.make_due()
    await outlet.deliver(dispatcher)

    first, second = receiver.arrivals()
    assert first.verified
    assert second.verified
    assert first.body == second.body
    assert first.headers["content-type"] == content_type
    assert keys <= first.json.keys()
    assert ("facts" in first.json["data"]) is (payload == "full")


async def test_a_throttle_paces_what_is_sent_and_really_limits(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/slow", status(200)), throttle={"messages": 20, "seconds": 1})
    await outlet.endpoint(receiver.on("/minute", status(200)), throttle={"messages": 1, "seconds": 60})
    await outlet.endpoint(receiver.on("/free", status(200)))
    await outlet.announce(count=60)
    workers = [outlet.dispatcher() for _ in range(2)]
    async with outlet.running(*workers):
        await receiver.wait_for(60, "/free")
        await receiver.wait_for(1, "/slow")
        before = len(receiver.arrivals("/slow"))
        await asyncio.sleep(1.5)
    sent = len(receiver.arrivals("/slow")) - before
    assert 20 <= sent <= 36  # 30 in 1.5 s, and a quarter of a second's worth of burst
    assert len(receiver.arrivals("/minute")) == 1


async def test_a_limit_holds_for_all_workers_together(outlet: Outlet, receiver: Receiver) -> None:
    running, most = 0, 0

    async def count(_arrival: Any, _reader: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    await outlet.endpoint(receiver.on("/hook", count), concurrency=2)
    await outlet.announce(count=30)
    async with outlet.running(*(outlet.dispatcher() for _ in range(3))):
        await receiver.wait_for(30)
    assert most == 2


async def test_an_own_deadline_and_an_own_schedule_hold(outlet: Outlet, receiver: Receiver) -> None:
    await outlet.endpoint(receiver.on("/hook", silence()), deadline_ms=100, retry_delays_seconds=[40])
    await outlet.announce()
    await outlet.fan_out()
    dispatcher = outlet.dispatcher(deadline_seconds=5)
    await outlet.deliver(dispatcher)
    (attempt,) = await outlet.attempts()
    assert attempt["failure"] == "timeout"
    assert 100 <= attempt["duration_ms"] < 400
    assert timedelta(seconds=39) < attempt["next_at"] - attempt["attempted_at"] < timedelta(seconds=49)
    await outlet.make_due()
    await outlet.deliver(dispatcher)
    assert [row["state"] for row in await outlet.messages()] == ["exhausted"]


async def test_a_receiver_may_refuse_one_message_for_good_without_being_blamed(
    outlet: Outlet, receiver: Receiver
) -> None:
    script = status(422, webhook_delivery="abort-message")
    endpoint_id = await outlet.endpoint(receiver.on("/hook", script))
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (message,) = await outlet.messages()
    assert (message["state"], message["last_status"]) == ("cancelled", 422)
    assert "abort-message" in (await outlet.attempts())[0]["detail"]
    assert (await outlet.endpoint_row(endpoint_id))["failures"] == 0
    assert await outlet.sql("SELECT 1 FROM deliveries") == []


@pytest.mark.parametrize(("code", "state"), [(200, "delivered"), (503, "pending")])
async def test_a_receiver_may_ask_to_be_switched_off(
    outlet: Outlet, receiver: Receiver, code: int, state: str
) -> None:
    script = status(code, webhook_delivery="disable")
    endpoint_id = await outlet.endpoint(receiver.on("/hook", script), "sla.*")
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    row = await outlet.endpoint_row(endpoint_id)
    assert (row["disabled_reason"], [item["state"] for item in await outlet.messages()]) == ("asked", [state])
    (notice,) = await outlet.sql("SELECT type, data::text AS data FROM notices")
    assert notice["type"] == "endpoint.disabled"
    assert '"reason": "asked"' in notice["data"]


async def test_an_open_circuit_is_asked_by_one_probe_and_a_success_lets_all_through(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", *[status(500)] * 12, status(200)))
    await outlet.announce(count=12)
    await outlet.fan_out()
    first, second = outlet.dispatcher(), outlet.dispatcher()
    await outlet.deliver(first)
    row = await outlet.endpoint_row(endpoint_id)
    assert row["failures"] == 12
    assert timedelta(seconds=5) < row["open_until"] - datetime.now(UTC) <= timedelta(seconds=10)

    await outlet.announce(count=20)
    await outlet.fan_out()
    for worker in (first, second):
        await worker.claim()
    assert len(receiver.arrivals()) == 12  # the circuit is open: nothing is tried, and no try is used up
    await outlet.make_due()  # half open
    await first.claim()
    await second.claim()
    assert (first.in_hand, second.in_hand) == (1, 0)
    await receiver.wait_for(13)
    await outlet.deliver(first)
    row = await outlet.endpoint_row(endpoint_id)
    assert (row["failures"], row["open_until"]) == (0, None)
    await outlet.deliver(first, rounds=3)
    assert {item["state"] for item in await outlet.messages()} == {"delivered"}


async def test_a_failed_probe_opens_the_circuit_again(outlet: Outlet, receiver: Receiver) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(500)))
    async with outlet.database.worker() as tx:
        await tx.execute(
            "UPDATE endpoints SET failing_since = $1, last_failure_at = $1, failures = 20, "
            "open_until = now()",
            ago(hours=1),
        )
    await outlet.announce(count=3)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher(), rounds=3)
    row = await outlet.endpoint_row(endpoint_id)
    assert len(receiver.arrivals()) == 1
    assert timedelta(seconds=290) < row["open_until"] - datetime.now(UTC) <= timedelta(seconds=300)


async def test_429_with_retry_after_holds_the_whole_endpoint_until_a_probe_passes(
    outlet: Outlet, receiver: Receiver
) -> None:
    slow_one = after(0.2, status(200))  # under way when the other is told to wait: it must not end the pause
    endpoint_id = await outlet.endpoint(
        receiver.on("/hook", slow_one, status(429, Retry_After="30"), status(200))
    )
    await outlet.announce(count=2)
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    await outlet.deliver(dispatcher)
    await outlet.announce(count=5)
    await outlet.fan_out()
    await outlet.deliver(dispatcher)
    assert len(receiver.arrivals()) == 2
    row = await outlet.endpoint_row(endpoint_id)
    assert timedelta(seconds=25) < row["open_until"] - datetime.now(UTC) <= timedelta(seconds=30)
    for _ in range(3):
        await outlet.make_due()
        await outlet.deliver(dispatcher)
    assert {item["state"] for item in await outlet.messages()} == {"delivered"}
    assert (await outlet.endpoint_row(endpoint_id))["open_until"] is None


async def test_a_failing_endpoint_is_warned_of_once_a_level(outlet: Outlet, receiver: Receiver) -> None:
    endpoint_id = await outlet.endpoint(
        receiver.on("/hook", status(500)), "sla.*", retry_delays_seconds=[9] * 9
    )
    async with outlet.database.worker() as tx:
        await tx.execute(
            "UPDATE endpoints SET failing_since = $1, last_failure_at = $2, failures = 9",
            ago(days=2.6),
            ago(hours=1),
        )
    await outlet.announce()
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    for _ in range(3):
        await outlet.deliver(dispatcher)
        await outlet.make_due()
    (notice,) = await outlet.sql(
        "SELECT type, data->>'percent' AS percent, data->>'disables_at' AS at FROM notices"
    )
    assert (notice["type"], notice["percent"]) == ("endpoint.failing", "50")
    assert abs(datetime.fromisoformat(notice["at"]) - (datetime.now(UTC) + timedelta(days=2.4))) < timedelta(
        minutes=1
    )
    assert (await outlet.endpoint_row(endpoint_id))["warned_percent"] == 50


async def test_a_new_url_is_asked_at_once(outlet: Outlet, receiver: Receiver) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/old", status(500)))
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE endpoints SET failures = 20, open_until = now() + interval '5 minutes'")
    async with outlet.edit() as edit:
        patch = EndpointPatch(url=receiver.on("/new", status(200)))
        await service.patch_endpoint(edit, endpoint_id, patch)
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher(Limits(poll_seconds=0.05)))
    assert len(receiver.arrivals("/new")) == 1


async def test_what_was_sent_is_on_record_with_its_url_and_signature(
    outlet: Outlet, receiver: Receiver
) -> None:
    url = receiver.on("/hook", status(200))
    await outlet.endpoint(url, headers={"X-Secret": "hidden-value"})
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (attempt,) = await outlet.attempts()
    (arrival,) = receiver.arrivals()
    assert (attempt["url"], attempt["signature"]) == (url, arrival.headers["webhook-signature"])
    assert arrival.webhook_id == public_id("msg", attempt["message_id"])
    assert "hidden-value" not in str(dict(attempt))
