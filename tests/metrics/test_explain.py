"""The SQL of an answer, and its parameters as readable JSON, whatever their type."""

from __future__ import annotations

import json as std_json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.domain.measures.registry import METRICS
from app.kit import json
from app.metrics.explain import parameter
from tests.metrics.asking import MARCH
from tests.metrics.world import World


async def test_the_sql_of_an_answer_is_told_to_those_who_may_read_rows(
    http, api, api_key, world, march
) -> None:
    asked = {"metrics": ["happiness", "cases_opened"], "period": MARCH}
    plain = await http.post("/v1/metrics/query", json=asked)
    told = await http.post("/v1/metrics/query?explain=true", json=asked)
    assert "statements" not in plain.json()
    assert told.json()["rows"] == plain.json()["rows"]
    feedback, opened = told.json()["statements"]
    assert (feedback["population"], opened["population"]) == ("feedback", "cases_opened")
    assert str(world.tenant_id) in feedback["parameters"]
    assert f"${len(feedback['parameters'])}" in feedback["sql"]
    assert f"${len(feedback['parameters']) + 1}" not in feedback["sql"]
    others = {"Authorization": f"Bearer {await api_key('metrics:read')}"}
    refused = await http.post("/v1/metrics/query?explain=true", json=asked, headers=others)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (timedelta(days=90), "90 days"),
        (timedelta(days=1, hours=2), "1 day 02:00:00"),
        (timedelta(seconds=15), "00:00:15"),
        (timedelta(milliseconds=7.5), "00:00:00.0075"),
        (timedelta(0), "00:00:00"),
        (timedelta(hours=-1), "-1 days +23:00:00"),
        (datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01T00:00:00+00:00"),
        (date(2026, 3, 1), "2026-03-01"),
        (Decimal("0.10"), "0.10"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (b"\x00\xff", "\\x00ff"),
        (2**63, "9223372036854775808"),
        (["a", None, True, 1.5, timedelta(days=2)], ["a", None, True, 1.5, "2 days"]),
        ({"k": (1, b"")}, {"k": [1, "\\x"]}),
    ],
)
def test_a_parameter_of_any_type_is_readable_json(given: Any, told: Any) -> None:
    assert parameter(given) == told
    assert json.loads(json.dumps(parameter(given))) == told


async def test_a_duration_is_written_as_the_database_writes_it(world: World) -> None:
    same = text("SELECT CAST(CAST(:given AS interval) AS text) = :told")
    async with world.database.tenant(world.tenant_id) as connection:
        for given in (timedelta(days=-2, hours=5, microseconds=7), timedelta(days=1), timedelta(hours=30)):
            found = await connection.execute(same, {"told": parameter(given), "given": given})
            assert found.scalar_one(), parameter(given)


async def test_every_metric_tells_its_sql(http: httpx.AsyncClient, march: World) -> None:
    await march.relational("nps")
    for metric in METRICS:
        asked = {"metrics": [metric], "period": MARCH, "granularity": "day", "compare": "previous_period"}
        told = await http.post("/v1/metrics/query?explain=true", json=asked)
        assert told.status_code == 200, (metric, told.text)
        for statement in told.json()["statements"]:
            assert f"${len(statement['parameters'])}" in statement["sql"]


@pytest.mark.parametrize(
    "value", [10**30, -(2**63) - 1, 1e308, "\ud800", "\x00", "\U0001f600", True], ids=ascii
)
async def test_no_value_of_a_filter_is_too_odd_to_answer(http, world: World, value: Any) -> None:
    await world.attribute("size", "number")
    await world.attribute("name")
    for name in ("attributes.size", "attributes.name", "channel"):
        query = {"metrics": ["responses"], "filters": [{"dimension": name, "op": "eq", "values": [value]}]}
        body = std_json.dumps(query)
        for path in ("/v1/metrics/query?explain=true", "/v1/metrics/query"):
            answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (200, 422), answer.text
