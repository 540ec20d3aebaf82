"""The k of silent customers by type of location: counted in the database, weighed in the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.metrics.asking import MARCH
from tests.metrics.world import Answer, World, several

STAFF = Answer("positive", scale="text_only", measure="staff")
SILENT = {
    "k": 0.5,
    "location_types": {
        "desk": {"locations": ["kyiv", "odesa"], "mode": "calibrated", "followed_up": 60, "dissatisfied": 21}
    },
}


@pytest.fixture
async def asked(world: World) -> World:
    """kyiv: 50 content, 10 not, 40 silent; lviv: 80 content, 20 silent."""
    for location, good, bad, silent in (("kyiv", 50, 10, 40), ("lviv", 80, 0, 20)):
        at = replace(STAFF, location=location)
        await world.commit(
            *several(good, at),
            *several(bad, replace(at, value="negative")),
            *several(silent, replace(at, silent=True)),
        )
    return world


async def test_each_location_is_weighed_by_its_type_and_the_whole_by_all(client, http, asked: World) -> None:
    wanted = {"silent": SILENT, "valid_from": "2026-01-01T00:00:00Z"}
    saved = await client.put("/v1/metrics/terms", json=wanted)
    assert saved.status_code == 200, saved.text

    async def shown(**more: Any) -> list[tuple[Any, ...]]:
        query = {"metrics": ["ink_personal"], "period": MARCH, **more}
        rows = (await http.post("/v1/metrics/query", json=query)).json()["rows"]
        return [(row["ink_personal"], row["ink_personal_k"], row["ink_personal_n"]) for row in rows]

    # kyiv (10 + 0.35 * 40) / 100, lviv 0.5 * 20 / 100, both (10 + 14 + 10) / 200
    by_location = await shown(group_by=["location"], order=["location"])
    assert by_location == [(24.0, 0.35, 100), (10.0, 0.5, 100)]
    assert await shown() == [(17.0, 0.4, 200)]


@pytest.mark.parametrize("types", [{"a": {"locations": []}}, {"a": {"locations": ["x", "x"]}},
                                   {"a": {"locations": ["x"]}, "b": {"locations": ["x"]}},
                                   {"a": {"locations": ["x"], "k": 2}}])  # fmt: skip
async def test_types_that_overlap_or_are_empty_are_refused(client, types: dict[str, Any]) -> None:
    answer = await client.put("/v1/metrics/terms", json={"silent": {"location_types": types}})
    assert answer.status_code == 422, answer.text
