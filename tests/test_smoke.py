from __future__ import annotations

import httpx


async def test_posting_one_rating_stores_it(client: httpx.AsyncClient) -> None:
    event = {"type": "feedback.received", "id": "a1", "source": "crm", "occurred_at": "2026-11-22T01:00:00Z",
             "data": {"channel": "call", "question": "nps", "scale": "nps_0_10", "value": 9,
                      "customer": {"type": "email", "value": "A@x.y"}, "text": "ok", "location": "kyiv-1"}}
    answer = await client.post("/v1/events", json=event)
    assert answer.status_code == 201, answer.text
    again = await client.post("/v1/events", json=event)
    assert again.json()["status"] == "duplicate", again.text
    other = {**event, "data": {**event["data"], "value": 3}}
    assert (await client.post("/v1/events", json=other)).status_code == 409
