"""Pages of an answer follow each other by cursors that no other query takes."""

from __future__ import annotations

import httpx
import pytest

from tests.metrics.asking import post, refused
from tests.metrics.world import Answer, World, several


async def test_pages_follow_each_other_without_gap_or_repeat(http: httpx.AsyncClient, world: World) -> None:
    places = [f"l{n:02}" for n in range(7)]
    for number, place in enumerate(places):
        await world.commit(*several(5 + number % 3, Answer(9, location=place)))
    query = {"group_by": ["location"], "order": ["-nps_n"], "limit": 3}
    whole = [row["location"] for row in (await post(http, "nps", **query | {"limit": 100}))["rows"]]
    seen: list[str] = []
    cursor = None
    while True:
        page = await post(http, "nps", **query, cursor=cursor)
        seen += [row["location"] for row in page["rows"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == whole
    assert sorted(seen) == places


async def test_a_flat_page_links_to_the_next_one(http: httpx.AsyncClient, march: World) -> None:
    url = "/v1/metrics/query?metrics=nps&group_by=location&from=2026-03-01&to=2026-04-01&limit=2"
    first = await http.get(url)
    following = await http.get(first.links["next"]["url"])
    assert [row["location"] for row in following.json()["rows"]] == ["lviv"]
    assert "next" not in following.links


@pytest.mark.parametrize("cursor", ["x", "", "W10", "WzEsMl0", "\x00", "é" * 9])
async def test_a_cursor_of_another_query_is_refused(
    http: httpx.AsyncClient, march: World, cursor: str
) -> None:
    page = await post(http, "nps", group_by=["location"], limit=1)
    for wrong in (cursor, page["next_cursor"]):
        problem = await refused(http, group_by=["channel"], cursor=wrong)
        assert (problem["code"], problem["pointer"]) == ("invalid_cursor", "/cursor")
