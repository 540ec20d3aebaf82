"""What happened after a merge belongs to the surviving case, wherever it stands in the batch."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.builders import event, results_of
from tests.cases.conftest import Desk


def told(desk: Desk) -> list[dict[str, Any]]:
    def about(ref: str, kind: str, hours_ago: int, **data: Any) -> dict[str, Any]:
        when = (desk.clock() - timedelta(hours=hours_ago)).isoformat()
        return event(f"case.{kind}", f"{kind}{ref}", subject=f"case/{ref}", when=when, data=data)

    return [
        about("A", "opened", 9),
        about("A", "acknowledged", 8),
        about("B", "opened", 9),
        about("A", "merged", 6, into="B"),
        about("A", "replied", 4),
    ]


@pytest.mark.parametrize("order", list(permutations(range(2, 5))))
async def test_a_reply_after_the_merge_goes_to_the_survivor_anywhere_in_the_batch(
    desk: Desk, order: tuple[int, ...]
) -> None:
    events = told(desk)
    batch = [events[0], *(events[n] for n in order), events[1]]
    assert set(results_of(await desk.client.post("/v1/events", json=batch))) == {"created"}
    survivor = await desk.case("B")
    items = (await desk.client.get("/v1/cases")).json()["items"]
    absorbed = next(item for item in items if item["id"] != survivor["id"])
    assert survivor["first_response_at"][:19] == events[4]["occurred_at"][:19]
    assert (absorbed["state"], absorbed["first_response_at"]) == ("merged", None)
    assert absorbed["merged_into"] == survivor["id"]


async def test_a_step_before_the_merge_stays_with_the_absorbed_case(desk: Desk) -> None:
    assert set(results_of(await desk.client.post("/v1/events", json=told(desk)))) == {"created"}
    assert (await desk.case("B"))["acknowledged_at"] is None
