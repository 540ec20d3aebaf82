"""Retention takes what is old with all that belongs to it, and leaves what is young."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.webhooks.retention import MessageRetention, days_kept, prune
from tests.conftest import make_tenant
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet, ago


async def counts(outlet: Outlet) -> dict[str, int]:
    tables = ("messages", "message_bodies", "attempts", "deliveries")
    return {table: len(await outlet.sql(f"SELECT 1 FROM {table}")) for table in tables}


async def test_old_messages_go_with_bodies_attempts_and_what_still_waited(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(500)))
    await outlet.announce(count=3)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    async with outlet.database.worker() as tx:
        for table, column in (
            ("messages", "created_at"),
            ("message_bodies", "created_at"),
            ("attempts", "attempted_at"),
        ):
            await tx.execute(f"UPDATE {table} SET {column} = $1", ago(days=40))
    await outlet.announce()
    await outlet.fan_out()
    assert await counts(outlet) == {"messages": 4, "message_bodies": 4, "attempts": 3, "deliveries": 4}

    await prune(outlet.database, before=ago(days=30))
    assert await counts(outlet) == {"messages": 1, "message_bodies": 1, "attempts": 0, "deliveries": 1}


async def test_a_body_stays_as_long_as_one_message_needs_it(outlet: Outlet, receiver: Receiver) -> None:
    for path in ("/a", "/b"):
        await outlet.endpoint(receiver.on(path, status(200)))
    await outlet.announce()
    await outlet.fan_out()
    async with outlet.database.worker() as tx:
        await tx.execute("UPDATE message_bodies SET created_at = $1", ago(days=40))
        await tx.execute(
            "UPDATE messages SET created_at = $1 WHERE number = (SELECT min(number) FROM messages)",
            ago(days=40),
        )
    await prune(outlet.database, before=ago(days=30))
    assert await counts(outlet) == {"messages": 1, "message_bodies": 1, "attempts": 0, "deliveries": 1}
    assert await prune(outlet.database, before=datetime.now(UTC) + timedelta(days=1)) == 3


async def test_messages_of_a_tenant_go_with_the_words_it_keeps_and_only_its_own(
    outlet: Outlet, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    other = await make_tenant(outlet.services, "other")
    for tenant in (outlet.tenant, other):
        await outlet.endpoint(receiver.on("/hook", status(500)), tenant=tenant)
        await outlet.announce(tenant=tenant)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    clock = outlet.services.clock
    assert (await client.put("/v1/privacy/retention", json={"text_days": 30})).is_success
    for days, left in ((29, 2), (31, 1), (89, 1), (91, 0)):
        retention = MessageRetention(outlet.database, lambda: clock() + timedelta(days=days), days=90)  # noqa: B023
        await retention.step()
        rows = await outlet.sql("SELECT tenant_id FROM messages")
        assert len(rows) == left, days
        assert all(row["tenant_id"] == other.tenant_id for row in rows) or left == 2
        assert set((await counts(outlet)).values()) == {left}, days


@pytest.mark.parametrize(
    ("text_days", "message_days", "expected"),
    [
        (None, None, (90, 90)),
        (30, None, (30, 30)),
        (30, 60, (60, 30)),
        (30, 7, (7, 7)),
        (None, 7, (7, 7)),
        (400, 365, (90, 90)),
        (5, 365, (90, 5)),
    ],
)
def test_words_never_outlive_their_originals_nor_messages_the_services_days(
    text_days: int | None, message_days: int | None, expected: tuple[int, int]
) -> None:
    assert days_kept(90, text_days, message_days) == expected


async def test_the_record_of_what_was_sent_may_outlive_its_words(
    outlet: Outlet, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    rules = {"text_days": 30, "message_days": 60}
    assert (await client.put("/v1/privacy/retention", json=rules)).is_success
    await outlet.endpoint(receiver.on("/hook", status(200, b"thanks, Olena"), status(500, b"no, Olena")))
    await outlet.announce(count=2)
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    clock = outlet.services.clock
    for days, left in (
        (29, {"messages": 2, "message_bodies": 2, "attempts": 2, "deliveries": 1}),
        (31, {"messages": 2, "message_bodies": 0, "attempts": 2, "deliveries": 0}),
        (61, {"messages": 0, "message_bodies": 0, "attempts": 0, "deliveries": 0}),
    ):
        retention = MessageRetention(outlet.database, lambda: clock() + timedelta(days=days), days=90)  # noqa: B023
        await retention.step()
        assert await counts(outlet) == left, days
        if days == 31:
            assert {row["state"] for row in await outlet.messages()} == {"delivered", "cancelled"}
            kept = [(row["status"], row["reply_excerpt"]) for row in await outlet.attempts()]
            assert sorted(kept) == [(200, None), (500, None)]
            shown = (await client.get("/v1/messages?state=delivered")).json()["items"][0]
            assert (await client.get(f"/v1/messages/{shown['id']}")).json()["body"] is None
            assert (await client.post(f"/v1/messages/{shown['id']}/resend")).status_code == 409
