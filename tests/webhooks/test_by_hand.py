"""What people do with messages and endpoints: resend, test, rotate, delete, and secrets that never show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.domain.delivery import MAX_FAULTS, MAX_TRIES
from app.domain.errors import ConflictError, NotFoundError
from app.domain.signature import Ed25519Secret, HmacSecret
from app.kit.crypto import Sealer, generate_master_key
from app.webhooks import service
from app.webhooks.dispatcher import Dispatcher
from app.webhooks.schemas import RotateIn
from app.webhooks.sender import Sender
from app.webhooks.transport import VettedTransport
from tests.receiver import Arrival, Receiver, after, status
from tests.webhooks.conftest import QUICK, SECRET, Outlet


async def resend(outlet: Outlet, message_id: UUID) -> None:
    async with outlet.edit() as edit:
        await service.resend(edit, message_id)


async def a_failed_message(outlet: Outlet, receiver: Receiver, then: int = 200) -> tuple[UUID, UUID]:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(500), status(then), secret=SECRET.text))
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (message,) = await outlet.messages()
    return endpoint_id, message["message_id"]


async def test_two_clicks_are_two_tries_and_the_waiting_automatic_one_is_dropped(
    outlet: Outlet, receiver: Receiver
) -> None:
    _, message_id = await a_failed_message(outlet, receiver)
    await resend(outlet, message_id)
    await resend(outlet, message_id)
    await outlet.deliver(outlet.dispatcher(), rounds=2)
    assert len(receiver.arrivals()) == 3
    assert len({arrival.webhook_id for arrival in receiver.arrivals()}) == 1
    assert [(row["number"], row["manual"], row["outcome"]) for row in await outlet.attempts()] == [
        (1, False, "failed"),
        (2, True, "delivered"),
        (3, True, "delivered"),
    ]
    assert await outlet.sql("SELECT 1 FROM deliveries") == []


async def test_a_failed_try_by_hand_uses_up_none_of_the_schedule_and_blames_nobody(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id, message_id = await a_failed_message(outlet, receiver, then=500)
    await resend(outlet, message_id)
    await outlet.deliver(outlet.dispatcher())
    (waiting,) = await outlet.sql("SELECT tries, manual FROM deliveries")
    assert (waiting["tries"], waiting["manual"]) == (1, False)
    assert (await outlet.endpoint_row(endpoint_id))["failures"] == 1
    assert [row["state"] for row in await outlet.messages()] == ["pending"]


async def test_a_resend_works_on_a_disabled_endpoint_and_on_what_is_long_delivered(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id, message_id = await a_failed_message(outlet, receiver)
    async with outlet.edit() as edit:
        await service.disable_endpoint(edit, endpoint_id)
    await outlet.make_due()
    await outlet.deliver(outlet.dispatcher())
    assert len(receiver.arrivals()) == 1  # parked
    for count in (2, 3):
        await resend(outlet, message_id)
        await outlet.deliver(outlet.dispatcher())
        assert len(receiver.arrivals()) == count
    assert [row["state"] for row in await outlet.messages()] == ["delivered"]


async def test_an_exhausted_message_is_delivered_by_hand(outlet: Outlet, receiver: Receiver) -> None:
    scripts = [status(500)] * MAX_TRIES
    await outlet.endpoint(receiver.on("/hook", *scripts, status(200)))
    await outlet.announce()
    await outlet.fan_out()
    for _ in range(MAX_TRIES):
        await outlet.deliver(outlet.dispatcher())
        await outlet.make_due()
    (message,) = await outlet.messages()
    assert message["state"] == "exhausted"
    await resend(outlet, message["message_id"])
    await outlet.deliver(outlet.dispatcher())
    (message,) = await outlet.messages()
    assert (message["state"], message["attempts"]) == ("delivered", MAX_TRIES + 1)


async def test_delivered_by_hand_stays_delivered_when_the_automatic_try_in_flight_fails(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/hook", after(0.4, status(500)), status(200)))
    await outlet.announce()
    await outlet.fan_out()
    slow, quick = outlet.dispatcher(), outlet.dispatcher()
    await slow.claim()
    await receiver.wait_for(1)
    await resend(outlet, (await outlet.messages())[0]["message_id"])
    await outlet.deliver(quick)
    assert [row["state"] for row in await outlet.messages()] == ["delivered"]
    await outlet.deliver(slow)
    assert [row["state"] for row in await outlet.messages()] == ["delivered"]
    assert [row["outcome"] for row in await outlet.attempts()] == ["delivered", "failed"]
    assert await outlet.sql("SELECT 1 FROM deliveries") == []


async def test_a_click_too_many_is_refused_while_ten_are_waiting(outlet: Outlet, receiver: Receiver) -> None:
    _, message_id = await a_failed_message(outlet, receiver)
    for _ in range(10):
        await resend(outlet, message_id)
    with pytest.raises(ConflictError):
        await resend(outlet, message_id)


@pytest.mark.parametrize(("code", "state"), [(200, "delivered"), (500, "exhausted")])
async def test_a_test_event_takes_the_usual_way_once_and_quietly(
    outlet: Outlet, receiver: Receiver, code: int, state: str
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(code), secret=SECRET.text))
    await outlet.endpoint(receiver.on("/ops", status(200)), "message.*", "endpoint.*")
    async with outlet.edit() as edit:
        await service.disable_endpoint(edit, endpoint_id)
        await service.send_test(edit, endpoint_id, "sla.breached")
    for _ in range(3):
        await outlet.fan_out()
        await outlet.deliver(outlet.dispatcher())
        await outlet.make_due()
    (arrival,) = receiver.arrivals()
    assert arrival.verified
    assert (arrival.json["type"], arrival.json["data"]["kind"]) == ("sla.breached", "breached")
    assert [row["state"] for row in await outlet.messages()] == [state]
    assert receiver.arrivals("/ops") == []
    assert (await outlet.endpoint_row(endpoint_id))["failures"] == 0


async def test_deleting_an_endpoint_cancels_what_waits_and_workers_live_on(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", after(0.3, status(200))))
    await outlet.announce(count=3)
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    await dispatcher.claim()
    await receiver.wait_for(1)
    async with outlet.edit() as edit:
        await service.delete_endpoint(edit, endpoint_id)
    await outlet.deliver(dispatcher)
    assert {row["state"] for row in await outlet.messages()} == {"cancelled"}
    assert await outlet.sql("SELECT 1 FROM deliveries UNION ALL SELECT 1 FROM endpoint_secrets") == []
    with pytest.raises(NotFoundError):
        await resend(outlet, (await outlet.messages())[0]["message_id"])


def verifies(secret: HmacSecret, arrival: Arrival) -> bool:
    try:
        Webhook(secret.text).verify(arrival.body, arrival.headers)
    except WebhookVerificationError:
        return False
    return True


async def rotate(outlet: Outlet, endpoint_id: UUID, secret: HmacSecret | Ed25519Secret, overlap: int) -> None:
    async with outlet.edit() as edit:
        await service.rotate_secret(edit, endpoint_id, RotateIn(overlap_seconds=overlap), secret)


async def test_in_the_overlap_both_secrets_verify_and_after_it_only_the_new(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)))
    new, newest = HmacSecret(b"n" * 32), HmacSecret(b"N" * 32)

    async def deliver() -> Arrival:
        await outlet.announce()
        await outlet.fan_out()
        await outlet.deliver(outlet.dispatcher())
        return receiver.arrivals()[-1]

    await rotate(outlet, endpoint_id, new, 3600)
    arrival = await deliver()
    assert (verifies(SECRET, arrival), verifies(new, arrival)) == (True, True)
    assert arrival.headers["webhook-signature"].count("v1,") == 2

    async with outlet.database.worker() as tx:  # the overlap is over
        await tx.execute("UPDATE endpoint_secrets SET expires_at = now() WHERE expires_at IS NOT NULL")
    arrival = await deliver()
    assert (verifies(SECRET, arrival), verifies(new, arrival)) == (False, True)

    await rotate(outlet, endpoint_id, newest, 0)  # retired at once
    arrival = await deliver()
    assert (verifies(new, arrival), verifies(newest, arrival)) == (False, True)


async def test_a_receiver_can_change_over_from_a_shared_secret_to_a_public_key(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)))
    await rotate(outlet, endpoint_id, Ed25519Secret(bytes(32)), 3600)
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (arrival,) = receiver.arrivals()
    assert arrival.headers["webhook-signature"].startswith("v1a,")
    assert verifies(SECRET, arrival)


async def test_at_most_ten_secrets_are_live_at_once(outlet: Outlet, receiver: Receiver) -> None:
    endpoint_id = await outlet.endpoint(receiver.url())
    for number in range(9):
        await rotate(outlet, endpoint_id, HmacSecret(bytes([number]) * 32), 3600)
    with pytest.raises(ConflictError):
        await rotate(outlet, endpoint_id, HmacSecret(b"x" * 32), 3600)
    await rotate(outlet, endpoint_id, HmacSecret(b"x" * 32), 0)


async def test_no_secret_and_no_header_value_stands_in_the_database(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(
        receiver.on("/hook", status(200)), headers={"Authorization": "Bearer hunter2hunter2"}
    )
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    assert receiver.arrivals()[0].headers["authorization"] == "Bearer hunter2hunter2"
    dump = ""
    for table in ("endpoints", "endpoint_secrets", "message_bodies", "deliveries", "attempts"):
        dump += "".join(row["text"] for row in await outlet.sql(f"SELECT t::text AS text FROM {table} t"))
    for plain in (SECRET.key, SECRET.text.encode(), b"hunter2hunter2"):
        assert plain.hex() not in dump
        assert plain.decode("latin-1") not in dump
    assert "Authorization" in dump  # the twin: names are shown, so a plain value would have been found


async def test_a_secret_that_cannot_be_opened_is_our_fault_and_quarantined_while_others_go_on(
    outlet: Outlet, receiver: Receiver
) -> None:
    endpoint_id = await outlet.endpoint(receiver.on("/hook", status(200)))
    await outlet.announce()
    await outlet.fan_out()
    sender = Sender(VettedTransport(outlet.guard))
    keyless = Dispatcher(
        outlet.database, sender, Sealer([generate_master_key("other")]), outlet.wakeup, QUICK
    )
    for _ in range(MAX_FAULTS):
        await outlet.deliver(keyless)
        await outlet.make_due()
    (message,) = await outlet.messages()
    assert (message["state"], message["last_failure"]) == ("quarantined", "unknown_key")
    assert [row["outcome"] for row in await outlet.attempts()] == ["internal"] * MAX_FAULTS
    assert (await outlet.endpoint_row(endpoint_id))["failures"] == 0
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    assert len(receiver.arrivals()) == 1


async def test_a_message_whose_body_is_gone_is_quarantined_and_cannot_be_resent(
    outlet: Outlet, receiver: Receiver
) -> None:
    _, message_id = await a_failed_message(outlet, receiver)
    async with outlet.database.worker() as tx:
        await tx.execute("DELETE FROM message_bodies")
    for _ in range(MAX_FAULTS):
        await outlet.make_due()
        await outlet.deliver(outlet.dispatcher())
    assert [row["state"] for row in await outlet.messages()] == ["quarantined"]
    with pytest.raises(ConflictError):
        await resend(outlet, message_id)


async def test_enabling_spreads_what_is_parked_over_a_minute(outlet: Outlet, receiver: Receiver) -> None:
    endpoint_id, _ = await a_failed_message(outlet, receiver)
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE deliveries SET due_at = now() + interval '20 hours'")
    async with outlet.edit() as edit:
        await service.disable_endpoint(edit, endpoint_id)
        await service.enable_endpoint(edit, endpoint_id)
    (waiting,) = await outlet.sql("SELECT due_at FROM deliveries")
    assert waiting["due_at"] < datetime.now(UTC) + timedelta(seconds=61)
    row = await outlet.endpoint_row(endpoint_id)
    assert (row["failures"], row["disabled_reason"]) == (0, None)
