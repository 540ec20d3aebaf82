"""What cannot be answered is refused with its place in the query and the nearest thing that can."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import MakeKey
from tests.metrics.asking import refused
from tests.metrics.world import World


@pytest.mark.parametrize(
    ("query", "code", "pointer", "near"),
    [
        ({"metrics": ["npss"]}, "unknown_metric", "/metrics/0", "'nps'"),
        ({"group_by": ["chanel"]}, "unknown_dimension", "/group_by/0", "is 'channel'"),
        ({"group_by": ["attributes.agencyy"]}, "unknown_dimension", "/group_by/0", "'attributes.agency'"),
        ({"group_by": ["attributes.note"]}, "attribute_not_groupable", "/group_by/0", "groupable"),
        ({"group_by": ["timer"]}, "dimension_not_valid", "/group_by/0", "channel"),
        (
            {"filters": [{"dimension": "locations"}]},
            "unknown_dimension",
            "/filters/0/dimension",
            "'location'",
        ),
        (
            {"filters": [{"dimension": "state", "values": ["x"]}]},
            "dimension_not_valid",
            "/filters/0/dimension",
            "",
        ),
        (
            {"filters": [{"dimension": "channel", "op": "eq"}]},
            "wrong_number_of_values",
            "/filters/0/values",
            "in",
        ),
        (
            {"filters": [{"dimension": "channel", "op": "is_null", "values": ["x"]}]},
            "wrong_number_of_values",
            "",
            "",
        ),
        (
            {"filters": [{"dimension": "channel", "op": "gte", "values": ["x"]}]},
            "operator_not_supported",
            "",
            "",
        ),
        (
            {"filters": [{"dimension": "channel", "values": [5]}]},
            "wrong_type_of_value",
            "/filters/0/values/0",
            "",
        ),
        ({"filters": [{"dimension": "channel", "values": ["a\x00"]}]}, "wrong_type_of_value", "", ""),
        ({"time_zone": "Europe/Kiyv"}, "unknown_time_zone", "/time_zone", "'Europe/Kyiv'"),
        ({"period": "28 days"}, "invalid_period", "/period", "28d"),
        ({"order": ["npss"]}, "unknown_column", "/order/0", "'nps'"),
        ({"metrics": ["nps", "visitors"]}, "metrics_not_together", "/metrics/1", "query of its own"),
        ({"granularity": "hour", "period": "9000d"}, "too_many_buckets", "/granularity", "coarser"),
    ],
)
async def test_what_is_unknown_is_refused_with_its_place_and_the_nearest(
    http: httpx.AsyncClient, world: World, query: dict[str, Any], code: str, pointer: str, near: str
) -> None:
    await world.attribute("agency")
    await world.attribute("note", groupable=False)
    problem = await refused(http, **query)
    assert problem["code"] == code
    assert problem["pointer"].startswith(pointer)
    assert near in problem["cure"]


@pytest.mark.parametrize(
    "query",
    [
        {"metrics": []},
        {"metrics": "nps"},
        {"metric": ["nps"]},
        {"limit": 0},
        {"limit": 20_001},
        {"granularity": "minute"},
        {"respondents": "everyone"},
        {"filters": [{"dimension": "channel", "values": [None]}]},
        {"filters": [{"dimension": "channel", "values": ["x"], "negate": True}]},
        {"period": {"from": "2026-03-01"}},
        {"known_at": -1},
    ],
)
async def test_a_malformed_query_is_refused_with_its_place(http: httpx.AsyncClient, query) -> None:
    assert (await refused(http, **query))["pointer"].startswith("/")


@pytest.mark.parametrize(
    ("flat", "pointer"),
    [
        ("metrics=npss", "query:metrics"),
        ("metrics=nps&chanel=web", "query:chanel"),
        ("metrics=nps&group_by=chanel", "query:group_by"),
        ("metrics=nps&filter=chanel:eq:web", "query:filter"),
        ("metrics=nps&filter=channel:is:web", "query:filters.0.op"),
        ("metrics=nps&granularity=minute", "query:granularity"),
        ("metrics=nps&from=2026-03-01", "query:period"),
        ("metrics=nps&from=2026-03-01&to=soon", "query:to"),
        ("metrics=nps&attributes.nothing=1", "query:filter"),
        ("metrics=nps&limit=many", "query:limit"),
        ("metrics=nps&time_zone=Mars", "query:time_zone"),
        ("group_by=channel", "query:metrics"),
    ],
)
async def test_a_flat_refusal_names_the_parameter(http: httpx.AsyncClient, flat: str, pointer: str) -> None:
    answer = await http.get(f"/v1/metrics/query?{flat}")
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_key_without_the_scope_is_refused(api: FastAPI, api_key: MakeKey) -> None:
    headers = {"Authorization": f"Bearer {await api_key('events:write')}"}
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test", headers=headers) as http:
        assert (await http.get("/v1/metrics")).status_code == 403
        assert (await http.post("/v1/metrics/query", json={"metrics": ["nps"]})).status_code == 403
