"""Survey moments: planned after an event, told once when they are due, shifted, held or missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.asking.plans.loop import MomentLoop
from app.kit import json
from app.wiring import Services
from tests.builders import Json, event, query
from tests.conftest import MovedClock, Server

KYIV = ZoneInfo("Europe/Kyiv")
OLENA = {"type": "email", "value": "olena@example.com"}


@pytest.fixture
def loop(services: Services) -> MomentLoop:
    return MomentLoop(services.journal, services.asking_policies, services.bell)


async def adopt(client: httpx.AsyncClient, *moments: Json, **more: Any) -> None:
    document = {"format": 1, "moments": list(moments), **more}
    answer = await client.put("/v1/asking/policy", json=document)
    assert answer.status_code == 200, answer.text


def sold(event_id: str, clock: MovedClock, **data: Any) -> Json:
    when = clock().isoformat()
    return event("transaction.completed", event_id, when=when, data={"transaction": event_id, **data})


def to_noon(clock: MovedClock) -> None:
    """Move to the next noon in Kyiv."""
    now = clock().astimezone(KYIV)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    clock.offset += (noon if noon > now else noon + timedelta(days=1)) - now


async def told(server: Server) -> list[Any]:
    return await query(server, "SELECT type, data FROM outbox ORDER BY outbox_id")


async def decisions(server: Server) -> list[tuple[bool, str | None]]:
    rows = await query(server, "SELECT allowed, rule FROM ask_decisions ORDER BY decision_id")
    return [(row["allowed"], row["rule"]) for row in rows]


FOLLOWUP = {"key": "followup", "on": ["transaction.completed"], "not_before": "PT12H", "not_after": "PT72H"}


async def test_a_sale_makes_a_survey_due_once_in_the_morning_after(
    client: httpx.AsyncClient, loop: MomentLoop, clock: MovedClock, server: Server
) -> None:
    await adopt(client, FOLLOWUP | {"question": "nps"})
    to_noon(clock)
    await client.post("/v1/events", json=sold("R1", clock, customer=OLENA, product="espresso"))
    [plan] = (await client.get("/v1/asking/plans")).json()["items"]
    local = datetime.fromisoformat(plan["ask_at"]).astimezone(KYIV)
    assert (plan["moment"], local.hour, local.minute) == ("followup", 9, 0)
    await loop.step()
    assert await told(server) == []
    clock.advance(hours=22)
    await loop.step()
    await loop.step()
    [row] = await told(server)
    assert row["type"] == "survey.due"
    data = json.loads(row["data"])
    assert (data["moment"], data["question"], data["product"]) == ("followup", "nps", "espresso")
    assert data["subject"] == {"kind": "transaction", "ref": "R1"}
    assert data["trigger"]["id"] == "R1"
    assert "olena" not in str(data)
    assert await decisions(server) == [(True, None)]


async def test_an_open_complaint_holds_a_survey_back_until_its_window_is_over(
    client: httpx.AsyncClient, loop: MomentLoop, clock: MovedClock, server: Server
) -> None:
    await adopt(client, FOLLOWUP)
    to_noon(clock)
    await client.post("/v1/events", json=sold("R1", clock, customer=OLENA))
    opened = {"kind": "complaint", "customer": OLENA}
    when = clock().isoformat()
    await client.post("/v1/events", json=event("case.opened", "c", when=when, subject="case/C", data=opened))
    before = len(await told(server))
    clock.advance(hours=24)
    await loop.step()
    assert await decisions(server) == []
    assert len((await client.get("/v1/asking/plans")).json()["items"]) == 1
    clock.advance(hours=49)
    await loop.step()
    assert await decisions(server) == [(False, "window_missed")]
    assert len(await told(server)) == before


async def test_a_resolution_is_followed_by_a_resurvey_whatever_was_asked_before(
    client: httpx.AsyncClient, loop: MomentLoop, clock: MovedClock, server: Server
) -> None:
    resurvey = {"key": "post_resolution", "kind": "resurvey", "on": ["case.remedied"], "not_before": "PT24H",
                "not_after": "PT48H", "held": False, "capped": False}  # fmt: skip
    await adopt(client, resurvey)
    to_noon(clock)
    when = clock().isoformat()
    asked = {"customer": OLENA, "channel": "email"}
    opened = {"kind": "complaint", "customer": OLENA, "channel": "call"}
    await client.post(
        "/v1/events",
        json=[
            event("survey.started", "s", when=when, data=asked),
            event("case.opened", "c1", when=when, subject="case/C", data=opened),
            event("case.remedied", "c2", when=when, subject="case/C", data={"customer": OLENA}),
        ],
    )
    clock.advance(hours=24.1)
    await loop.step()
    types = [row["type"] for row in await told(server)]
    assert types.count("resurvey.due") == 1


async def test_who_was_asked_already_or_is_no_sampled_line_is_left_in_peace(
    client: httpx.AsyncClient, loop: MomentLoop, clock: MovedClock, server: Server
) -> None:
    sampled = {**FOLLOWUP, "key": "sampled", "sampled": True}
    await adopt(client, FOLLOWUP, sampled, sampling={"dimension": "product", "second": "newest"})
    to_noon(clock)
    sales = [
        sold("R1", clock, product="yacht", amount=900_000),
        sold("R2", clock, product="pencil", amount=1),
        sold("R3", clock, product="mug", amount=2),
    ]
    for sale in sales:
        await client.post("/v1/events", json=sale)
    lines = (await client.get("/v1/asking/lines")).json()
    assert lines == {"dimension": "product", "profitable": "yacht", "second": "mug", "second_by": "newest"}
    started = event("survey.started", "s", when=clock().isoformat(), subject="transaction/R1")
    await client.post("/v1/events", json=started)
    clock.advance(hours=24)
    await loop.step()
    rows = await query(server, "SELECT moment, allowed, rule FROM ask_decisions")
    assert sorted((row["moment"], row["allowed"], row["rule"]) for row in rows if row["rule"]) == [
        ("followup", False, "asked_already"), ("sampled", False, "asked_already"),
        ("sampled", False, "not_sampled"),
    ]  # fmt: skip
    assert len([row for row in rows if row["allowed"]]) == 3


async def test_a_sale_that_was_taken_back_and_one_that_came_too_late_ask_nobody(
    client: httpx.AsyncClient, loop: MomentLoop, clock: MovedClock, server: Server
) -> None:
    await adopt(client, FOLLOWUP)
    to_noon(clock)
    await client.post("/v1/events", json=sold("R1", clock))
    back = event("event.retracted", "x", when=clock().isoformat(), data={"event": "R1"})
    old = event("transaction.completed", "R0", when=(datetime.now(UTC) - timedelta(days=5)).isoformat())
    await client.post("/v1/events", json=[back, old])
    clock.advance(hours=24)
    await loop.step()
    assert await told(server) == []
    assert await decisions(server) == [(False, "window_missed")]


async def test_coupons_are_handed_out_in_three_copies(client: httpx.AsyncClient) -> None:
    issued = event("coupon.issued", "k1", data={"coupon": "spring", "customer": OLENA})
    used = [event("coupon.activated", f"k{n}", data={"coupon": "spring"}) for n in (2, 3)]
    await client.post(
        "/v1/events", json=[issued, *used, event("referral.made", "r1", data={"customer": OLENA})]
    )
    found = (await client.get("/v1/asking/referrals")).json()
    assert found == {"referrals": 1, "copies_issued": 3, "activated": 2, "activation": pytest.approx(2 / 3)}
