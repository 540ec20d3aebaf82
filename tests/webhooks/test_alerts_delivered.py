"""A raised alert reaches its receiver: facts in over HTTP, the worker's look, fan-out, a signed delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.metrics.alerts.watch import AlertWatch
from app.webhooks.catalogue import OUTGOING
from tests.conftest import MovedClock
from tests.receiver import Receiver, status
from tests.webhooks.conftest import SECRET, Outlet
from tests.webhooks.test_real_events import fields


def ratings(count: int, value: int, mark: str) -> list[dict[str, Any]]:
    answer = {"question": "loyalty", "scale": "nps_0_10", "measure": "nps", "value": value}
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    envelope = {"type": "feedback.received", "source": "crm", "occurred_at": at}
    data = {"channel": "call", "location": "kyiv", "answers": [answer]}
    return [{**envelope, "id": f"{mark}-{number}", "data": data} for number in range(count)]


async def test_a_raised_alert_arrives_signed_and_once_and_so_does_its_end(
    client: httpx.AsyncClient, outlet: Outlet, receiver: Receiver, clock: MovedClock
) -> None:
    services, dispatcher = outlet.services, outlet.dispatcher()
    rung: list[int] = []
    watch = AlertWatch(services.database, clock, lambda: rung.append(1))
    url = receiver.on("/hook", status(503), status(200), secret=SECRET.text)
    await outlet.endpoint(url, "metric.threshold_breached")
    query = {"metrics": ["nps"], "group_by": ["location"], "period": "28d"}
    rule = {"kind": "metric.threshold_breached", "query": query, "below": 0}
    assert (await client.put("/v1/metrics/alerts/nps", json=rule)).status_code == 200

    async def look() -> None:
        await watch.step()
        await outlet.fan_out()
        await outlet.deliver(dispatcher)
        clock.advance(minutes=6)

    assert (await client.post("/v1/events", json=ratings(40, 0, "bad"))).is_success
    await look()
    await outlet.make_due()  # the first try was answered 503
    await outlet.deliver(dispatcher)
    await look()  # still so: no noise
    refused, raised = receiver.arrivals()
    assert (refused.webhook_id, refused.body) == (raised.webhook_id, raised.body)
    assert raised.verified is True
    assert raised.json["type"] == "metric.threshold_breached"
    told = raised.json["data"]
    assert (told["alert"], told["state"], told["unit"]["location"]) == ("nps", "raised", "kyiv")
    assert (told["metric"], told["value"], told["n"], told["below"]) == ("nps", -100.0, 40, 0)
    assert fields(told) - fields(told["unit"], "data.unit") == fields(
        OUTGOING["metric.threshold_breached"].example
    ) - fields(OUTGOING["metric.threshold_breached"].example["unit"], "data.unit")

    assert (await client.post("/v1/events", json=ratings(400, 10, "good"))).is_success
    await look()
    over = receiver.arrivals()[-1]
    assert (len(receiver.arrivals()), over.verified, over.json["data"]["state"]) == (3, True, "cleared")
    assert over.webhook_id != raised.webhook_id
    assert len(rung) == 2
