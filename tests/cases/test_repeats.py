"""A repeated complaint is found in whichever order, and in whatever pieces, the two became known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import event, rating, results_of
from tests.cases.conftest import Desk

ANNA = {"type": "email", "value": "anna@example.com"}
CAUSE = "office_process.queue"


def complaints(desk: Desk, *days_ago: int, by: dict[str, str] = ANNA) -> list[dict[str, Any]]:
    return [
        rating(f"f{days}", 1, scale="csat_1_5", question="call", customer=by, cause=CAUSE,
               when=(desk.clock() - timedelta(days=days)).isoformat())
        for days in days_ago
    ]  # fmt: skip


async def tell(desk: Desk, *posts: list[dict[str, Any]]) -> None:
    for body in posts:
        assert set(results_of(await desk.client.post("/v1/events", json=body))) == {"created"}


@pytest.mark.parametrize("order", ["straight", "reversed", "together", "together reversed"])
async def test_the_later_complaint_is_the_repeated_one_however_they_arrive(desk: Desk, order: str) -> None:
    first, second = complaints(desk, 4, 1)
    told = [second, first] if "reversed" in order else [first, second]
    await tell(desk, *([told] if "together" in order else [[item] for item in told]))
    earlier, later = await desk.case("feedback:crm:f4"), await desk.case("feedback:crm:f1")
    assert (earlier["severity"], earlier["repeat_of"]) == ("sev3", None)
    assert (later["severity"], later["repeat_of"]) == ("sev2", earlier["id"])
    assert [item["trigger"] for item in earlier["deviations"]] == ["second_complaint"]
    assert later["deviations"] == []


async def test_a_complaint_of_the_crm_is_repeated_too_and_its_stated_severity_stays(desk: Desk) -> None:
    more = {"customer": ANNA, "severity": "sev4"}
    await desk.post("case.opened", "T-2", more, ago=timedelta(days=1))
    await desk.post("case.opened", "T-1", {"customer": ANNA}, ago=timedelta(days=3))
    first, second = await desk.case("T-1"), await desk.case("T-2")
    assert (second["severity"], second["repeat_of"]) == ("sev4", first["id"])
    assert first["repeat_of"] is None


async def test_neither_another_customer_nor_a_complaint_of_long_ago_is_repeated(desk: Desk) -> None:
    other = {**ANNA, "value": "ben@example.com"}
    await tell(desk, complaints(desk, 1), complaints(desk, 5, by=other), complaints(desk, 300))
    items = (await desk.client.get("/v1/cases")).json()["items"]
    assert [(item["repeat_of"], item["severity"]) for item in items] == [(None, "sev3")] * 3


async def test_of_three_that_come_in_one_batch_between_known_ones_each_repeats_the_one_before(
    desk: Desk,
) -> None:
    await tell(desk, complaints(desk, 5), complaints(desk, 9, 2))
    found = {days: await desk.case(f"feedback:crm:f{days}") for days in (9, 5, 2)}
    assert found[9]["repeat_of"] is None
    assert found[5]["repeat_of"] == found[9]["id"]
    assert found[2]["repeat_of"] == found[5]["id"]


@pytest.mark.parametrize("order", ["straight", "together"])
async def test_a_later_question_repeats_no_complaint_however_they_arrive(desk: Desk, order: str) -> None:
    [complaint] = complaints(desk, 4)
    when = (desk.clock() - timedelta(days=1)).isoformat()
    about = {"kind": "question", "customer": ANNA, "cause": CAUSE}
    stated = event("case.opened", "Q", when=when, subject="case/Q-1", data=about)
    asked = rating("q", 5, scale="csat_1_5", question="call", when=when, **about)
    told = {
        "straight": [[complaint], [stated, asked]],
        "together": [[stated, asked, complaint]],
    }
    await tell(desk, *told[order])
    earlier = await desk.case("feedback:crm:f4")
    assert earlier["deviations"] == []
    for ref in ("Q-1", "feedback:crm:q"):
        question = await desk.case(ref)
        assert (question["kind"], question["repeat_of"]) == ("question", None)
