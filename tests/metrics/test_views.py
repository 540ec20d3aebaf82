"""Pareto, headline, journey coverage, before and after, and the expert's worklist over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from app.db.tables.configuration import directory
from app.domain.measures.pareto import pareto, sample
from app.main import create_api
from app.wiring import Services
from tests.conftest import MakeKey
from tests.metrics.world import Answer, World, several

FIX = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=40)


@pytest.fixture
async def http(services: Services, api_key: MakeKey):
    headers = {"Authorization": f"Bearer {await api_key('admin')}"}
    transport = httpx.ASGITransport(app=create_api(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test", headers=headers) as http:
        yield http


async def noun(world: World, kind: str, name: str, **details: Any) -> None:
    row = {"kind": kind, "key": name, "details": details, "uncategorised": False, "first_seen_at": FIX}
    async with world.database.tenant(world.tenant_id) as connection:
        await connection.execute(insert(directory), [{"tenant_id": world.tenant_id, **row}])


def test_the_vital_few_make_eighty_percent() -> None:
    rows = pareto({"queue": 60, "rude": 25, None: 5, "price": 10, "never": 0})
    assert [(row.group, row.total, row.is_vital) for row in rows] == [
        ("queue", 60, True),
        ("rude", 25, True),
        ("price", 10, False),
        (None, 5, False),
    ]
    assert [round(row.cumulative_share, 2) for row in rows] == [0.6, 0.85, 0.95, 1.0]
    assert pareto({}) == []


def test_a_sample_is_the_same_for_its_seed_and_steered_by_nobody() -> None:
    ids = [f"answer-{n}" for n in range(200)]
    chosen = sample(ids, 20, "seed")
    assert sample(list(reversed(ids)), 20, "seed") == chosen
    assert set(chosen) != set(sample(ids, 20, "other"))
    grown = sample([*ids, "answer-new"], 21, "seed")
    assert set(chosen) <= set(grown)


async def test_causes_by_weight(http: httpx.AsyncClient, world: World) -> None:
    now = datetime.now(UTC) - timedelta(days=1)
    for cause, count in (("office_process.queue", 6), ("staff.rudeness", 2), (None, 2)):
        for _ in range(count):
            await world.case(now, cause=cause)
    answer = await http.post("/v1/metrics/pareto", json={"metric": "cases_opened", "dimension": "cause"})
    body = answer.json()
    assert body["total"] == 10
    assert [(row["group"], row["share"], row["cumulative_share"]) for row in body["rows"]] == [
        ("office_process.queue", 60.0, 60.0),
        ("staff.rudeness", 20.0, 80.0),
        (None, 20.0, 100.0),
    ]
    assert (await http.post("/v1/metrics/pareto", json={"metric": "nps"})).status_code == 422
    assert (await http.post("/v1/metrics/pareto", json={"dimension": "stag"})).status_code == 422


async def test_the_headline_is_what_the_terms_name(http: httpx.AsyncClient, world: World) -> None:
    await world.commit(*several(8, Answer(10, at=datetime.now(UTC) - timedelta(days=1))))
    assert (await http.get("/v1/metrics/headline")).json()["headline_metric"] == "csat_t2b"
    await http.put("/v1/metrics/terms", json={"headline_metric": "nps"})
    body = (await http.get("/v1/metrics/headline?period=7d")).json()
    assert (body["headline_metric"], body["rows"][0]["nps"]) == ("nps", 100.0)
    assert (await http.put("/v1/metrics/terms", json={"headline_metric": "npz"})).status_code == 422


async def test_touchpoints_without_data_come_first(http: httpx.AsyncClient, world: World) -> None:
    await noun(world, "touchpoint", "checkout", key=True)
    await noun(world, "touchpoint", "parking")
    await noun(world, "touchpoint", "app", key=True)
    await world.commit(*several(6, Answer(9, at=datetime.now(UTC) - timedelta(hours=3), touchpoint="app")))
    body = (await http.get("/v1/metrics/journey-coverage")).json()
    assert (body["touchpoints"], body["with_data"], body["key_without_data"]) == (3, 1, 1)
    assert [(item["touchpoint"], item["status"]) for item in body["items"]] == [
        ("checkout", "no_data"),
        ("parking", "no_data"),
        ("app", "low_n"),
    ]


async def test_before_and_after_a_fix(http: httpx.AsyncClient, world: World) -> None:
    before, after = FIX - timedelta(days=5), FIX + timedelta(days=10)
    for at, count in ((before, 8), (after, 2), (FIX + timedelta(days=1), 5)):  # the last ones settle
        for number in range(count):
            await world.case(at, cause="office_process.queue" if number % 2 else "office_process")
    await world.count("transactions", 1200, before)
    await world.count("transactions", 1000, after)
    for number, (old, new) in enumerate([(2, 4), (3, 4), (1, 4), (5, 5)]):
        customer = bytes([number])
        csat = {"scale": "csat_1_5", "customer": customer}
        await world.commit(Answer(old, at=before, **csat), Answer(new, at=after, **csat))
    asked = {"deployed_at": FIX.isoformat(), "cause": "office_process", "cost_per_contact": 5}
    body = (await http.post("/v1/metrics/before-after", json=asked)).json()
    assert (body["before"]["cases"], body["after"]["cases"], body["after"]["transactions"]) == (8, 2, 1000)
    assert body["recurrence"]["ratio"] == 0.3  # (2 / 1000) / (8 / 1200)
    assert body["recurrence"]["avoided_contacts"] == 4.667
    assert body["recurrence"]["saving"] == 23.333
    assert body["recurrence"]["provisional"] is False
    # four customers are too few to speak of, and five are few
    assert body["csat"] == {**dict.fromkeys(body["csat"]), "pairs": 4, "status": "suppressed"}
    fifth = {"scale": "csat_1_5", "customer": b"5"}
    await world.commit(Answer(4, at=before, **fifth), Answer(4, at=after, **fifth))
    csat = (await http.post("/v1/metrics/before-after", json=asked)).json()["csat"]
    assert (csat["pairs"], csat["delta"], csat["status"]) == (5, 1.2, "low_n")
    narrow = (await http.post("/v1/metrics/before-after", json={**asked, "cause": "office"})).json()
    assert (narrow["before"]["cases"], narrow["recurrence"]["ratio"]) == (0, 1.2)  # 0.5 added to both
    for wrong in (
        {"deployed_at": "0001-01-01T00:00:00Z"},
        {"deployed_at": FIX.isoformat(), "cause": "a\x00"},
    ):
        assert (await http.post("/v1/metrics/before-after", json=wrong)).status_code == 422


async def test_the_expert_never_judges_himself_or_his_people(http: httpx.AsyncClient, world: World) -> None:
    await noun(world, "employee", "anna", manager="boris")
    await noun(world, "employee", "clara")
    act = {"scale": "button_3", "measure": "staff", "at": datetime.now(UTC) - timedelta(days=1)}
    await world.commit(
        *several(3, Answer(1, employee="anna", **act)),
        *several(3, Answer(-1, employee="boris", **act)),
        *several(4, Answer(1, employee="clara", **act)),
        *several(2, Answer(-1, employee="clara", **act)),
        Answer(-1, employee="clara", qualification="valid", **act),
        Answer(0, employee="clara", **act),
    )
    body = (await http.get("/v1/metrics/worklist?reviewer=boris&size=3")).json()
    assert {item["employee"] for item in body["items"]} == {"clara"}
    assert [item["side"] for item in body["items"]] == ["positive"] * 3 + ["negative"] * 2
    assert (body["left_out"], body["checked_positive"], body["checked_negative"]) == (6, 0, 1)
    again = (await http.get("/v1/metrics/worklist?reviewer=boris&size=3")).json()
    assert again == body
    assert (await http.get("/v1/metrics/worklist")).status_code == 422


async def test_the_first_answer_about_a_case_counts(http: httpx.AsyncClient, world: World) -> None:
    at = datetime.now(UTC) - timedelta(days=1)
    case_id = await world.case(at)
    await world.commit(
        Answer(1, at=at + timedelta(hours=2), case_id=case_id),
        Answer(10, at=at + timedelta(hours=1), case_id=case_id),
        *several(5, Answer(10, at=at)),
    )
    query = {"metrics": ["nps"], "period": "7d"}
    assert (await http.post("/v1/metrics/query", json=query)).json()["rows"][0]["nps_detractors"] == 1
    body = (await http.post("/v1/metrics/query", json={**query, "respondents": "first_per_case"})).json()
    assert (body["rows"][0]["nps"], body["rows"][0]["nps_n"]) == (100.0, 6)
