"""A complaint's journey through one real process: HTTP in, breach, signed webhook, recovery, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.wiring import Services
from app.worker import run_worker
from tests.receiver import Arrival, Receiver, status

OFFER_SECONDS = 2
ACKNOWLEDGE_SECONDS = 3

POLICY = {
    "format": 1,
    "calendar": "24x7",
    "rules": [
        {
            "name": "offers",
            "when": {"subject": "interaction"},
            "timers": [
                {
                    "key": "feedback_offer",
                    "subject": "interaction",
                    "start": ["interaction.ended"],
                    "stop": ["feedback.offered", "feedback.received"],
                    "due": {"duration": {"seconds": OFFER_SECONDS}},
                    "events": {"breached": "feedback_offer.missed"},
                }
            ],
        },
        {
            "name": "cases",
            "when": {"subject": "case"},
            "timers": [
                {
                    "key": "acknowledge",
                    "subject": "case",
                    "start": ["case.opened"],
                    "stop": ["case.acknowledged"],
                    "due": {"duration": {"seconds": ACKNOWLEDGE_SECONDS}},
                    "warnings": [50],
                }
            ],
        },
    ],
}


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """The background loops of a process, drained at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(services, stop))
    try:
        yield
    finally:
        stop.set()
        services.bell.ring("sla", "fanout", "deliver", "fold")
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def subscribed(client: httpx.AsyncClient) -> AsyncIterator[Receiver]:
    """A receiver that has subscribed to everything and verifies each signature independently."""
    async with Receiver() as receiver:
        url = receiver.url("/hook")
        made = await client.post("/v1/webhooks/endpoints", json={"url": url, "event_types": ["*"]})
        assert made.status_code == 201, made.text
        receiver.on("/hook", status(204), secret=made.json()["secret"])
        yield receiver


async def told(receiver: Receiver, event_type: str, *, within_seconds: float = 8.0) -> Arrival:
    """The first webhook of this type."""
    async with asyncio.timeout(within_seconds):
        while True:
            for arrival in receiver.arrivals("/hook"):
                if arrival.json["type"] == event_type:
                    return arrival
            await asyncio.sleep(0.02)


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def event(kind: str, name: str, at: datetime, data: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    return {"type": kind, "id": name, "source": "e2e", "occurred_at": stamp(at), "data": data, **envelope}


def four_channels(at: datetime) -> list[dict[str, Any]]:
    """A call that ended, a sale, visitors, and what four customers said; one of them is unhappy."""
    return [
        event(
            "interaction.ended",
            "call",
            at,
            {"channel": "call"},
            subject={"kind": "interaction", "ref": "c-1"},
        ),
        event("visitors.counted", "door", at, {"count": 40, "location": "kyiv"}),
        event("transaction.completed", "till", at, {"location": "kyiv", "amount": 99.5, "currency": "UAH"}),
        event(
            "feedback.received",
            "unhappy",
            at,
            {
                "channel": "call",
                "question": "nps_call",
                "scale": "nps_0_10",
                "value": 2,
                "text": "Ніхто не відповів",
                "customer": {"type": "phone", "value": "+380501234567"},
                "collection_mode": "invited",
            },
        ),
        event("feedback.received", "chat", at, {"channel": "chat", "scale": "csat_1_5", "value": 5}),
        event("feedback.received", "store", at, {"channel": "store", "scale": "csat_1_5", "value": 4}),
        event("feedback.received", "review", at, {"channel": "review", "scale": "stars_1_5", "value": 4}),
    ]


async def test_a_missed_deadline_reaches_the_subscriber_signed_and_is_revoked_by_what_is_learned_late(
    client: httpx.AsyncClient, services: Services
) -> None:
    saved = await client.put("/v1/sla/policies/default", json=POLICY)
    assert saved.is_success, saved.text
    async with running(services), subscribed(client) as receiver:
        began = datetime.now(UTC)
        posted = await client.post("/v1/events", json=four_channels(began))
        assert posted.json()["counts"]["created"] == 7, posted.text

        opened = await told(receiver, "case.opened")
        warning = await told(receiver, "sla.warning")
        missed = await told(receiver, "feedback_offer.missed")
        breach = await told(receiver, "sla.breached")

        reading = breach.json["data"]["reading"]
        assert datetime.fromisoformat(reading["due_at"]) == began + timedelta(seconds=ACKNOWLEDGE_SECONDS)
        assert reading["breached_at"] == reading["due_at"]
        assert breach.json["data"]["confidence"] == "final"
        assert warning.json["data"]["subject"] == breach.json["data"]["subject"]
        assert missed.json["data"]["subject"]["refs"] == ["c-1"]

        case_id = opened.json["data"]["case"]["id"]
        late = await client.post(f"/v1/cases/{case_id}/acknowledge", json={"text": "Дякуємо"})
        assert late.status_code == 200, late.text
        assert (await told(receiver, "sla.met_late")).json["data"]["subject"]["id"] == case_id

        ref = breach.json["data"]["subject"]["refs"][0]
        in_time = event(
            "case.acknowledged",
            "in-time",
            began + timedelta(seconds=1),
            {},
            subject={"kind": "case", "ref": ref},
        )
        assert (await client.post("/v1/events", json=in_time)).status_code == 201
        revoked = await told(receiver, "sla.breach_revoked")
        assert revoked.json["data"]["reading"]["state"] == "met"
        assert revoked.json["data"]["sequence"] > breach.json["data"]["sequence"]

        arrivals = receiver.arrivals("/hook")
        assert all(arrival.verified for arrival in arrivals)
        assert len({arrival.webhook_id for arrival in arrivals}) == len(arrivals)


async def test_the_same_run_can_be_asked_for_by_metric(client: httpx.AsyncClient, services: Services) -> None:
    now = datetime.now(UTC)
    await client.post("/v1/events", json=four_channels(now))
    async with running(services):
        query = {"metrics": ["responses", "happiness"], "period": "28d"}
        answer = await client.post("/v1/metrics/query", json=query)
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["rows"]
    assert row["responses"] == 4
    # three of four are positive; fewer than five answers are shown to those who may read the rows, and marked
    assert row["happiness_n"] == 4
    assert row["happiness_status"] == "suppressed"


async def test_a_receiver_that_was_down_gets_everything_once_it_is_back(
    client: httpx.AsyncClient, services: Services
) -> None:
    async with running(services), subscribed(client) as receiver:
        receiver.on("/hook", status(503), status(503), status(204))
        opened = await client.post("/v1/cases", json={"kind": "complaint", "severity": "sev3"})
        assert opened.status_code == 201, opened.text
        first = await told(receiver, "case.opened")
        messages = await client.get("/v1/messages")
        (message,) = messages.json()["items"]
        assert message["id"] == first.webhook_id
        resent = await client.post(f"/v1/messages/{message['id']}/resend")
        assert resent.is_success, resent.text
        arrivals = await receiver.wait_for(2, "/hook")
        assert {arrival.webhook_id for arrival in arrivals} == {message["id"]}
