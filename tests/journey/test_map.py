"""The map over HTTP: a template is placed, rules find touchpoints, findings are shown, names change."""

from __future__ import annotations

from typing import Any

import httpx

from app.journal.rebuild import rebuild
from app.wiring import Services
from tests.builders import assert_problem, event, rating
from tests.conftest import Server, Tenant
from tests.journal.world import projections


async def found(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/v1/journey/coverage")
    assert answer.status_code == 200, answer.text
    return {**answer.json(), "by_key": {item["key"]: item for item in answer.json()["touchpoints"]}}


async def test_a_template_is_placed_and_key_touchpoints_without_a_survey_are_findings(
    client: httpx.AsyncClient,
) -> None:
    items = (await client.get("/v1/journey/templates/telecom", params={"lang": "uk"})).json()["items"]
    for item in items:
        item["owner"] = "olena"
        item["questions"] = ["csat_chat"] if item["key"] == "online_chat" else []
    assert (await client.put("/v1/journey/touchpoints", json={"items": items})).status_code == 200
    chat = {"question": "csat_chat", "scale": "csat_1_5"}
    await client.post(
        "/v1/events",
        json=[
            rating("f1", 5, touchpoint="online_chat", **chat),
            rating("f2", 4, touchpoint="kiosk-7", **chat),
        ],
    )
    shown = await found(client)
    assert shown["by_key"]["online_chat"]["title"] == "Онлайн-чат"
    assert shown["by_key"]["online_chat"]["findings"] == []
    assert shown["by_key"]["call_centre"]["findings"] == ["no_survey"]
    assert shown["by_key"]["kiosk-7"]["findings"] == ["uncategorised"]
    assert (shown["key_covered"], shown["key_touchpoints"]) == (1, 6)
    assert shown["findings"] == ["whole_journey_not_asked"]
    overall = {"question": "journey", "scale": "csat_1_5", "measure": "journey_overall"}
    await client.post("/v1/events", json=rating("f3", 5, **overall))
    shown = await found(client)
    assert (shown["findings"], shown["without_touchpoint"]) == ([], 1)


async def test_rules_name_the_touchpoint_and_the_map_its_stage_and_a_retag_moves_what_is_stored(
    client: httpx.AsyncClient, services: Services, server: Server, a_tenant: Tenant
) -> None:
    place = {"items": [{"key": "chat", "stage": "after"}]}
    await client.put("/v1/journey/touchpoints", json=place)
    await client.post("/v1/events", json=rating("old", 9, touchpoint="web-chat-2"))
    rules = {"format": 1, "rules": [{"when": {"channel_raw": ["widget"]}, "touchpoint": "chat"}]}
    assert (await client.put("/v1/journey/rules", json=rules)).json()["version"] == 1
    assert_problem(
        await client.put("/v1/journey/rules", json={"format": 1, "rules": [{"when": {}}]}), 422, "missing_key"
    )
    raw = {"touchpoint": "w-1", "channel_raw": "widget"}
    await client.post("/v1/events", json=rating("new", 8, **raw))
    items = (await client.get("/v1/feedback", params={"touchpoint": "chat"})).json()["items"]
    assert [(item["stage"], item["value"]) for item in items] == [("after", 8.0)]

    moved = await client.post("/v1/journey/retags", json={"raw": "web-chat-2", "touchpoint": "chat"})
    assert moved.json()["answers"] == 1
    await client.post("/v1/events", json=rating("late", 7, touchpoint="web-chat-2"))
    counted = await client.post(
        "/v1/metrics/query",
        json={"metrics": ["responses"], "period": "28d", "group_by": ["touchpoint"]},
    )
    assert [(row["touchpoint"], row["responses"]) for row in counted.json()["rows"]] == [("chat", 3)]
    same = await client.post("/v1/journey/retags", json={"raw": "chat", "touchpoint": "chat"})
    assert_problem(same, 422, "same_touchpoint")

    before = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == before


async def test_volumes_are_counted_by_location_and_employee_as_counts_and_as_events(
    client: httpx.AsyncClient,
) -> None:
    where, taras = {"location": "k1", "employee": "olena"}, {"location": "k1", "employee": "taras"}
    facts = [
        event("visitors.counted", "v1", object="door", version=1, data={**where, "count": 40}),
        event("visitors.counted", "v2", object="door", version=2, data={**where, "count": 50}),
        event("transactions.counted", "t1", data={**where, "count": 9}),
        event("transaction.completed", "t2", data={**where, "transaction": "R1", "amount": 10}),
        event("interactions.counted", "i1", data={**taras, "count": 5}),
        event(
            "interaction.ended", "i2", subject="interaction/C1", data={"location": "k1", "employee": "taras"}
        ),
    ]
    await client.post("/v1/events", json=facts)
    answer = await client.post(
        "/v1/metrics/query",
        json={
            "metrics": ["visitors", "transactions", "interactions"],
            "period": "28d",
            "group_by": ["location", "employee"],
        },
    )
    rows = {
        row["employee"]: (row["visitors"], row["transactions"], row["interactions"])
        for row in answer.json()["rows"]
    }
    assert rows["olena"][:2] == (50, 10)
    assert rows["taras"][2] == 6
