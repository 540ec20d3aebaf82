"""Alerts on real rows: told once when raised, once when cleared, and never twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from app.main import create_api
from app.metrics.alerts.watch import watch
from app.wiring import Services
from tests.builders import query as sql
from tests.conftest import MakeKey, Server
from tests.metrics.world import NOON, Answer, World, several

NOW = NOON + timedelta(days=1)
Json = dict[str, Any]


@pytest.fixture
async def http(services: Services, api_key: MakeKey):
    headers = {"Authorization": f"Bearer {await api_key('admin')}"}
    transport = httpx.ASGITransport(app=create_api(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test", headers=headers) as http:
        yield http


async def put(http: httpx.AsyncClient, key: str, **rule: Any) -> Json:
    answer = await http.put(f"/v1/metrics/alerts/{key}", json=rule)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(server: Server) -> list[tuple[str, str, Json]]:
    import orjson

    rows = await sql(server, "SELECT type, data::text AS data FROM outbox ORDER BY sequence")
    found = [(row["type"], orjson.loads(row["data"])) for row in rows]
    return [(kind, data["state"], data) for kind, data in found]


async def look(world: World, at: datetime = NOW) -> int:
    return await watch(world.database, world.tenant_id, at)


async def test_an_alert_is_told_once_for_each_change_of_state(
    http: httpx.AsyncClient, world: World, server: Server
) -> None:
    query = {"metrics": ["nps"], "group_by": ["location"], "period": "28d"}
    await put(http, "nps", kind="metric.threshold_breached", query=query, below=0)
    await world.commit(*several(40, Answer(0, location="kyiv")), *several(40, Answer(10, location="lviv")))
    assert await look(world) == 1
    assert await look(world, NOW + timedelta(hours=1)) == 0  # still so: no noise
    [(kind, state, data)] = await told(server)
    assert (kind, state, data["unit"]["location"]) == ("metric.threshold_breached", "raised", "kyiv")
    assert (data["value"], data["n"], data["below"], data["judged_by"]) == (-100.0, 40, 0, "interval")
    assert data["sequence"] > 0
    [rule] = (await http.get("/v1/metrics/alerts")).json()["items"]
    assert rule["raised"][0]["unit"]["location"] == "kyiv"

    world.seq = 100  # the announcement took a place of its own
    await world.commit(*several(400, Answer(10, location="kyiv")))
    assert await look(world, NOW + timedelta(hours=2)) == 1
    assert [state for _, state, _ in await told(server)] == ["raised", "cleared"]
    [rule] = (await http.get("/v1/metrics/alerts")).json()["items"]
    assert rule["raised"] == []


async def test_rudeness_is_told_by_its_count_however_small_and_over_when_nothing_is_left(
    http: httpx.AsyncClient, world: World, server: Server
) -> None:
    rude = [{"dimension": "cause", "values": ["staff.rudeness"]}]
    query = {"metrics": ["cases_opened"], "group_by": ["employee"], "period": "28d", "filters": rude}
    await put(http, "rude", kind="metric.threshold_breached", query=query, above=2)
    for employee, cases in (("olena", 3), ("petro", 2)):
        for _ in range(cases):
            await world.case(NOON, employee=employee, cause="staff.rudeness")
    assert await look(world) == 1
    assert await look(world, NOON + timedelta(days=40)) == 1
    assert [(state, data["unit"]["employee"], data["value"]) for _, state, data in await told(server)] == [
        ("raised", "olena", 3),
        ("cleared", "olena", 0),
    ]


async def test_a_rule_is_written_over_only_by_who_has_seen_it(http: httpx.AsyncClient, world: World) -> None:
    address = "/v1/metrics/alerts/nps"
    rule = {"kind": "metric.threshold_breached", "query": {"metrics": ["nps"], "period": "28d"}, "below": 0}
    early = await http.put(address, json=rule, headers={"If-Match": '"seen"'})
    assert (early.status_code, early.json()["code"]) == (412, "changed_meanwhile")
    first = (await http.put(address, json=rule)).headers["ETag"]
    await world.commit(*several(40, Answer(0)))
    assert await look(world) == 1
    seen = await http.get(address)
    assert (seen.headers["ETag"], len(seen.json()["raised"])) == (first, 1)  # a finding is no edit
    second = await http.put(address, json={**rule, "below": 10}, headers={"If-Match": first})
    assert (second.status_code, second.headers["ETag"] != first) == (200, True)
    assert (await http.put(address, json=rule, headers={"If-Match": first})).status_code == 412
    assert (await http.delete(address, headers={"If-Match": first})).status_code == 412
    assert (await http.get(address)).json()["below"] == 10
    assert (await http.delete(address, headers={"If-Match": second.headers["ETag"]})).status_code == 204
    assert (await http.get(address)).status_code == 404


async def test_a_rule_is_looked_at_as_often_as_it_says(http: httpx.AsyncClient, world: World) -> None:
    query = {"metrics": ["nps"], "period": "28d"}
    await put(http, "nps", kind="metric.threshold_breached", query=query, below=0, every_seconds=3600)
    assert await look(world) == 0
    await world.commit(*several(40, Answer(0)))
    assert await look(world, NOW + timedelta(minutes=59)) == 0
    assert await look(world, NOW + timedelta(minutes=60)) == 1


async def test_a_change_is_told_unless_the_series_is_broken(
    http: httpx.AsyncClient, world: World, server: Server
) -> None:
    await world.commit(
        *several(60, Answer(10, at=NOON - timedelta(days=20))), *several(60, Answer(0, at=NOON))
    )
    query = {"metrics": ["nps"], "period": "14d", "compare": "previous_period"}
    broken = {"starts_at": (NOON - timedelta(days=5)).isoformat(), "title": "new wording"}
    assert (await http.put("/v1/metrics/annotations/wording", json=broken)).status_code == 200
    await put(http, "change", kind="metric.significant_change", query=query)
    assert await look(world) == 0
    compared = {**query, "compare": "previous_period"}
    answer = (await http.post("/v1/metrics/query", json={**compared, "period": {"from": "2026-03-01",
        "to": "2026-03-31"}, "compare": {"from": "2026-02-01", "to": "2026-02-28"}})).json()  # fmt: skip
    assert answer["rows"][0]["nps_verdict"] == "series_broken"
    assert [told["key"] for told in answer["annotations"]] == ["wording"]
    assert (await http.delete("/v1/metrics/annotations/wording")).status_code == 204
    assert await look(world, NOW + timedelta(hours=1)) == 1
    [(kind, _, data)] = await told(server)
    assert (kind, data["difference"]) == ("metric.significant_change", -200.0)


async def test_a_silent_touchpoint_is_told_of(http: httpx.AsyncClient, world: World, server: Server) -> None:
    await world.commit(
        Answer(9, touchpoint="checkout"), Answer(9, at=NOON - timedelta(days=9), touchpoint="app")
    )
    await put(
        http, "silence", kind="touchpoint.no_data", touchpoints=["checkout", "app", "desk"], quiet_hours=48
    )
    assert await look(world) == 2
    assert [data["unit"]["touchpoint"] for _, _, data in await told(server)] == ["app", "desk"]
    world.seq = 50
    await world.commit(Answer(9, touchpoint="app"))
    assert await look(world, NOW + timedelta(hours=1)) == 1


async def test_coverage_below_the_terms_is_told(
    http: httpx.AsyncClient, world: World, server: Server
) -> None:
    act = Answer(1, scale="button_3", measure="recommend", mode="passive", location="kyiv")
    await world.commit(*several(40, act))
    await world.count("visitors", 100, location="kyiv")
    query = {"metrics": ["iel"], "group_by": ["location"], "period": "28d"}
    await put(http, "cover", kind="representativeness.failed", query=query)
    assert await look(world) == 0  # nobody has set a threshold
    terms = {
        "coverage": {"locations": {"kyiv": 0.5}},
        "silent": {"k": 0.3},
        "valid_from": "2026-01-01T00:00:00Z",
    }
    answer = await http.put("/v1/metrics/terms", json=terms)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert (await http.put("/v1/metrics/terms", json=terms)).json()["version"] == 1  # says nothing new
    assert await look(world, NOW + timedelta(hours=1)) == 1
    [(kind, _, data)] = await told(server)
    assert (kind, data["status"], data["terms_version"]) == ("representativeness.failed", "unverified", 1)
    assert "coverage_below_threshold" in data["reasons"]


async def test_two_workers_tell_it_once(http: httpx.AsyncClient, world: World, server: Server) -> None:
    import asyncio

    query = {"metrics": ["nps"], "period": "28d"}
    await put(http, "nps", kind="metric.threshold_breached", query=query, below=0)
    await world.commit(*several(40, Answer(0)))
    assert sorted(await asyncio.gather(*(look(world) for _ in range(3)))) == [0, 0, 1]
    assert len(await told(server)) == 1


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "metric.threshold_breached", "query": {"metrics": ["nps"]}},
        {"kind": "metric.threshold_breached", "below": 1},
        {"kind": "metric.significant_change", "query": {"metrics": ["nps"]}},
        {"kind": "metric.threshold_breached", "query": {"metrics": ["nps", "iel"]}, "below": 1},
        {"kind": "metric.threshold_breached", "query": {"metrics": ["nqs"]}, "below": 1},
        {"kind": "reliability.failed", "query": {"metrics": ["nps"]}},
        {"kind": "nothing"},
    ],
)
async def test_a_rule_that_could_never_be_judged_is_refused(http: httpx.AsyncClient, rule: Json) -> None:
    answer = await http.put("/v1/metrics/alerts/bad", json=rule)
    assert answer.status_code == 422, answer.text


async def test_the_k_that_was_valid_then_is_used(http: httpx.AsyncClient, world: World) -> None:
    act = Answer(None, silent=True, scale="button_3", measure="staff", mode="invited")
    await world.commit(*several(50, act))
    for k, day in ((0.2, "2026-01-01"), (0.8, "2026-03-20")):
        terms = {"silent": {"k": k}, "valid_from": f"{day}T00:00:00Z"}
        assert (await http.put("/v1/metrics/terms", json=terms)).status_code == 200
    march = {"from": "2026-03-01", "to": "2026-04-01"}
    query = {"metrics": ["ink_personal"], "period": march}
    for as_of, k, version in (("2025-12-01", 0.5, 0), ("2026-03-15", 0.2, 1), ("2026-03-25", 0.8, 2)):
        answer = (await http.post("/v1/metrics/query", json={**query, "as_of": as_of})).json()
        row = answer["rows"][0]
        assert (row["ink_personal"], row["ink_personal_k"], answer["terms_version"]) == (100 * k, k, version)
    assert (await http.put("/v1/metrics/terms", json={"silent": {"k": 1.1}})).status_code == 422
    assert len((await http.get("/v1/metrics/terms/versions")).json()["items"]) == 2
