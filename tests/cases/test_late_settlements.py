"""A bad word after the settlement reopens the case, whichever of the two became known first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import event, rating, results_of
from tests.cases.conftest import Desk

REF = "feedback:crm:R"


def review(desk: Desk, version: int, days_ago: int, value: int = 1) -> dict[str, Any]:
    return rating(f"r{version}", value, scale="stars_1_5", question="stars", object="R", version=version,
                  collection_mode="scraped", when=_ago(desk, days_ago))  # fmt: skip


def remedied(desk: Desk, days_ago: int) -> dict[str, Any]:
    return event("case.remedied", f"rem{days_ago}", subject=f"case/{REF}", when=_ago(desk, days_ago))


def _ago(desk: Desk, days: int) -> str:
    return (desk.clock() - timedelta(days=days)).isoformat()


async def tell(desk: Desk, *posts: list[dict[str, Any]]) -> dict[str, Any]:
    for body in posts:
        assert "rejected" not in results_of(await desk.client.post("/v1/events", json=body))
    return await desk.case(REF)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), "together", "backwards"])
async def test_the_bad_word_reopens_the_case_whatever_came_first(desk: Desk, order: Any) -> None:
    told = [review(desk, 1, 9), remedied(desk, 7), review(desk, 2, 5, 2)]
    posts = {"together": [told], "backwards": [told[::-1]]}
    case = await tell(desk, *(posts[order] if isinstance(order, str) else [[told[n]] for n in order]))
    assert case["opened_at"][:19] == told[0]["occurred_at"][:19]
    assert (case["state"], case["reopened_count"], case["is_double_deviation"]) == ("open", 1, True)
    assert case["cycles"][1]["started_at"][:19] == told[2]["occurred_at"][:19]
    # the settlement again, of another system: it reopens nothing twice
    case = await tell(desk, [event("case.closed", "c", subject=f"case/{REF}", when=_ago(desk, 6))])
    assert case["reopened_count"] == 1


async def test_neither_a_good_word_nor_one_before_the_settlement_reopens(desk: Desk) -> None:
    case = await tell(
        desk, [review(desk, 1, 9)], [review(desk, 2, 8)], [review(desk, 3, 5, 5)], [remedied(desk, 7)]
    )
    assert (case["state"], case["reopened_count"]) == ("remedied", 0)
