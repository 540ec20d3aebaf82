"""An inlet looks at its source at every delivery: what was changed counts at the next one."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.builders import assert_problem, query
from tests.conftest import Server
from tests.ingest.test_partners import open_inlet

EVENT: dict[str, Any] = {
    "type": "feedback.received",
    "id": "id",
    "occurred_at": {"received_at": True},
    "data": {"channel": {"value": "web"}, "text": "said"},
}


def mapping(**changed: Any) -> dict[str, Any]:
    return {"mapping": 1, "id": "m", "format": "json", "events": [EVENT | changed]}


async def say(client: httpx.AsyncClient, path: str, number: int, secret: str = "one") -> httpx.Response:
    body = {"id": f"r{number}", "said": "Fine", "also": "Cold"}
    return await client.post(path, json=body, headers={"X-Webhook-Secret": secret})


async def test_every_change_of_a_source_counts_at_the_next_delivery(
    client: httpx.AsyncClient, server: Server
) -> None:
    settings: dict[str, Any] = {"adapter": "mapping", "verification": "secret_header"}
    path = await open_inlet(client, "survey", **settings, mapping=mapping(), secrets=["one"])
    assert (await say(client, path, 1)).json()["events"] == 1

    changed = {"data": EVENT["data"] | {"text": "also"}}
    answer = await client.put("/v1/sources/survey", json=settings | {"mapping": mapping(**changed)})
    assert answer.is_success, answer.text
    assert (await say(client, path, 2)).json()["events"] == 1

    await client.put(
        "/v1/sources/survey", json=settings | {"mapping": mapping(**changed), "secrets": ["two"]}
    )
    assert_problem(await say(client, path, 3), 401, "not_genuine")
    assert (await say(client, path, 3, "two")).is_success

    off = settings | {"mapping": mapping(**changed), "disabled": True}
    await client.put("/v1/sources/survey", json=off)
    assert (await say(client, path, 4, "two")).status_code == 404
    await client.put("/v1/sources/survey", json=off | {"disabled": False})
    assert (await say(client, path, 4, "two")).is_success

    await client.delete("/v1/sources/survey/token")
    assert (await say(client, path, 5, "two")).status_code == 404
    texts = await query(server, "SELECT data->>'text' AS text FROM event_personal")
    assert sorted(row["text"] for row in texts) == ["Cold", "Cold", "Cold", "Fine"]


async def test_deliveries_that_come_together_are_each_kept(client: httpx.AsyncClient, server: Server) -> None:
    path = await open_inlet(client, "survey", adapter="mapping", mapping=mapping())
    answers = await asyncio.gather(*(say(client, path, number) for number in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    kept = await query(server, "SELECT state, event_ids FROM raw_payloads")
    assert sorted(row["event_ids"] for row in kept) == sorted(f'["r{number}"]' for number in range(40))
    # the same again is kept again, and doubles nothing
    await asyncio.gather(*(say(client, path, number) for number in range(40)))
    assert len(await query(server, "SELECT 1 FROM events")) == 40
