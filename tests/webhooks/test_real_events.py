"""What the journal really announces has the fields that the catalogue shows, and tells nothing secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.kit import json
from app.kit.logging import configure_logging
from app.sla.loop import SlaLoop
from app.webhooks.catalogue import OUTGOING
from app.webhooks.fanout import message_body
from tests.conftest import MovedClock
from tests.receiver import Receiver, reset, status
from tests.webhooks.conftest import SECRET, Outlet

OPEN = {"data.facts", "data.case.steps", "data.details"}


def fields(value: Any, path: str = "data") -> set[str]:
    """Paths of a document; what is open (names depend on the tenant) is one."""
    if not isinstance(value, Mapping) or path in OPEN:
        return {path}
    return {path}.union(*(fields(inner, f"{path}.{name}") for name, inner in value.items()))


async def test_the_examples_have_the_fields_of_real_events(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, clock: MovedClock
) -> None:
    await outlet.endpoint(receiver.on("/hook", status(200)), "*")
    event = {
        "type": "feedback.received",
        "id": "f-1",
        "source": "crm",
        "occurred_at": datetime.now(UTC).isoformat(),
        "data": {"channel": "call", "kind": "complaint", "text": "nobody called back"},
    }
    assert (await client.post("/v1/events", json=event)).is_success
    services = outlet.services
    clock.advance(days=40)
    loop = SlaLoop(services.database, services.journal, services.bell, poll_seconds=0.1)
    for _ in range(5):
        await loop.step()
    await outlet.fan_out()
    dispatcher = outlet.dispatcher()
    while await outlet.sql("SELECT 1 FROM deliveries"):
        await outlet.deliver(dispatcher)
    seen = {arrival.json["type"]: arrival.json["data"] for arrival in receiver.arrivals()}
    assert {"case.opened", "sla.warning", "sla.breached"} <= seen.keys()
    for event_type, data in seen.items():
        assert fields(data) == fields(OUTGOING[event_type].example), event_type
        assert "nobody called back" not in str(data)
    # times are written as the examples have them
    assert [arrival.body for arrival in receiver.arrivals() if b"+00:00" in arrival.body] == []
    assert seen["sla.breached"]["detected_at"].endswith("Z")


def test_times_in_a_body_end_in_z_and_words_stay_as_they_are() -> None:
    moment = datetime(2026, 11, 22, 12, 15, 0, 21_000, UTC)
    data = {
        "at": moment,
        "local": "2026-11-22T12:15:00+02:00",
        "text": 'at "2026-11-22T12:15:00+00:00"',
        "steps": ["2026-11-22T12:15:00+00:00"],
    }
    body = message_body("case.opened", moment, json.dumps_text(data))
    assert json.loads(body) == {
        "type": "case.opened",
        "timestamp": "2026-11-22T12:15:00.021000Z",
        "data": {**data, "at": "2026-11-22T12:15:00.021000Z", "steps": ["2026-11-22T12:15:00Z"]},
    }


async def test_no_secret_stands_in_a_log_at_the_lowest_level(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug", as_json=True)
    try:
        receiver.on("/hook", status(500), reset(), status(200))
        body = {"url": receiver.url(), "secret": SECRET.text, "headers": {"X-Key": "hunter2"}}
        created = (await client.post("/v1/webhooks/endpoints", json=body)).json()
        await client.post(f"/v1/webhooks/endpoints/{created['id']}/rotate-secret", json={})
        await client.post("/v1/webhooks/endpoints", json={**body, "headers": {"X-Key": "hunter2\r\n"}})
        await outlet.announce()
        await outlet.fan_out()
        for _ in range(3):
            await outlet.deliver(outlet.dispatcher())
            await outlet.make_due()
    finally:
        configure_logging("warning", as_json=True)
    written = "".join(capfd.readouterr())
    assert '"event": "attempt"' in written  # the log was on
    for secret in (SECRET.text, SECRET.text.removeprefix("whsec_"), "hunter2", repr(SECRET.key)):
        assert secret not in written
