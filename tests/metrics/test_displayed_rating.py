"""What review sites display of us is stored as they state it and never averaged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metrics.asking import MARCH

METRIC = "displayed_rating"


def stated(number: int, source: str, day: int, value: str, count: int = 100, **data: Any) -> dict[str, Any]:
    return {
        "type": "rating.displayed",
        "id": f"d{number}",
        "source": source,
        "occurred_at": f"2026-03-{day:02}T09:00:00Z",
        "data": {"rating": value, "count": count, "location": "kyiv", **data},
    }


async def post(client, *events: dict[str, Any]) -> None:
    answer = await client.post("/v1/events", json=list(events))
    assert all(result["status"] == "created" for result in answer.json()["results"]), answer.text


async def shown(client, *by: str, **more: Any) -> list[tuple[Any, ...]]:
    query = {"metrics": [METRIC], "group_by": by, "order": by, "period": MARCH, **more}
    answer = await client.post("/v1/metrics/query", json=query)
    assert answer.status_code == 200, answer.text
    return [
        (*(row[name] for name in by), row[METRIC], row[f"{METRIC}_n"], row[f"{METRIC}_reasons"])
        for row in answer.json()["rows"]
    ]


async def test_the_last_figure_of_each_site_stands_and_several_are_not_averaged(client) -> None:
    await post(
        client,
        stated(1, "google", 2, "4.6", 100),
        stated(2, "google", 9, "4.4", 120),
        stated(3, "yelp", 3, "3.9", 40),
        stated(4, "yelp", 3, "4.1", 10, location="lviv"),
    )
    assert await shown(client, "source", "location") == [
        ("google", "kyiv", 4.4, 120, []),
        ("yelp", "kyiv", 3.9, 40, []),
        ("yelp", "lviv", 4.1, 10, []),
    ]
    assert await shown(client) == [(None, 170, ["several_sites"])]
    google = [{"dimension": "source", "values": ["google"]}]
    assert await shown(client, filters=google, as_of="2026-03-05T00:00:00Z") == [(4.6, 100, [])]
    by_week = await shown(client, filters=google, granularity="week")
    assert [value for value, *_ in by_week] == [4.6, 4.4]
    taken_back = {"type": "event.retracted", "id": "no", "source": "google", "data": {"event": "d2"}}
    await post(client, {**taken_back, "occurred_at": "2026-03-10T09:00:00Z"})
    assert await shown(client, filters=google) == [(4.6, 100, [])]


@pytest.mark.parametrize(
    ("data", "place"),
    [({"rating": "-1"}, "/data/rating"), ({"rating": "101"}, "/data/rating"), ({"stars": 5}, "/data/stars")],
)
async def test_what_no_site_displays_is_refused(client, data: dict[str, Any], place: str) -> None:
    event = stated(1, "google", 2, "4.6")
    answer = await client.post("/v1/events", json=[{**event, "data": {**event["data"], **data}}])
    [result] = answer.json()["results"]
    assert (result["status"], result["error"]["pointer"]) == ("rejected", place)


async def test_a_touchpoint_that_got_another_name_is_shown_by_it_and_by_the_old_one_as_was_known(
    client,
) -> None:
    await post(client, stated(1, "google", 2, "4.6", touchpoint="shop"))
    known_at = (await client.post("/v1/metrics/query", json={"metrics": [METRIC], "period": MARCH})).json()
    await client.post("/v1/journey/retags", json={"raw": "shop", "touchpoint": "store"})
    await post(client, stated(2, "yelp", 3, "4.0", touchpoint="shop"))
    named = [{"dimension": "touchpoint", "values": ["store"]}]
    assert await shown(client, "source", "touchpoint", filters=named) == [
        ("google", "store", 4.6, 100, []),
        ("yelp", "store", 4.0, 100, []),
    ]
    then = await shown(client, "touchpoint", known_at=known_at["data_seq"])
    assert then == [("shop", 4.6, 100, [])]
