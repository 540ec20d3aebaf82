"""A bad word after the settlement reopens the case, whichever of the two became known first."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
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


def press(name: str, when: datetime) -> dict[str, Any]:
    return rating(name, 1, scale="csat_1_5", question="exit", collection_mode="passive", touchpoint="exit",
                  location="k1", when=when.isoformat())  # fmt: skip


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (0, 2, 1, 3), (3, 2, 0, 1), "together"])
async def test_presses_after_a_settlement_share_the_next_internal_case_whatever_came_first(
    desk: Desk, order: Any
) -> None:
    noon = datetime.combine((desk.clock() - timedelta(days=2)).date(), time(12), UTC)
    ref = f"internal:exit:k1:{noon.date()}"
    closed = event("case.closed", "c", subject=f"case/{ref}", when=(noon + timedelta(hours=1)).isoformat())
    told = [press("p1", noon), closed, *(press(f"p{n}", noon + timedelta(hours=n)) for n in (2, 3))]
    for body in [told] if order == "together" else [[told[n]] for n in order]:
        assert "rejected" not in results_of(await desk.client.post("/v1/events", json=body))
    first, second = await desk.case(ref), await desk.case(f"{ref}%232")
    assert (first["state"], first["opened_at"][:19]) == ("closed", told[0]["occurred_at"][:19])
    assert (second["state"], second["opened_at"][:19]) == ("open", told[2]["occurred_at"][:19])
    assert first["anomalies"] == second["anomalies"] == []
    assert len((await desk.client.get("/v1/cases")).json()["items"]) == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
async def test_a_press_opens_the_internal_case_whose_stated_opening_is_taken_back(
    desk: Desk, order: tuple[int, ...]
) -> None:
    noon = datetime.combine((desk.clock() - timedelta(days=2)).date(), time(12), UTC)
    ref, before = f"internal:exit:k1:{noon.date()}", (noon - timedelta(hours=2)).isoformat()
    opened = event("case.opened", "o", subject=f"case/{ref}", when=before, data={"kind": "complaint"})
    told = [opened, press("p1", noon), event("event.retracted", "b", data={"event": "o"})]
    for n in order:
        assert "rejected" not in results_of(await desk.client.post("/v1/events", json=[told[n]]))
    case = await desk.case(ref)
    assert (case["state"], case["opened_at"][:19]) == ("open", noon.isoformat()[:19])


async def test_sources_may_name_cases_as_we_name_ours_however_odd(desk: Desk) -> None:
    day = (desk.clock() - timedelta(days=2)).date()
    odd = ("internal:foo#bar", "internal:a:b:9999-12-31", "internal:%00:b:2026-11-20", f"internal:::{day}#²")
    for ref in odd:
        about = {"subject": f"case/{ref}"}
        told = [
            rating(f"f1{ref}", 1, scale="csat_1_5", question="q", when=_ago(desk, 6), **about),
            event("case.opened", f"o{ref}", when=_ago(desk, 7), data={"kind": "complaint"}, **about),
            event("case.remedied", f"r{ref}", when=_ago(desk, 5), **about),
            rating(f"f2{ref}", 1, scale="csat_1_5", question="q", when=_ago(desk, 4), **about),
            event("event.retracted", f"b{ref}", data={"event": f"o{ref}"}),
        ]
        for body in told:
            assert results_of(await desk.client.post("/v1/events", json=[body])) == ["created"], (ref, body)
    cases = (await desk.client.get("/v1/cases")).json()["items"]
    assert [(case["state"], case["reopened_count"]) for case in cases] == [("open", 1)] * len(odd)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
async def test_a_bad_word_after_the_fortnight_opens_a_case_of_its_own(
    desk: Desk, order: tuple[int, ...]
) -> None:
    told = [review(desk, 1, 30), remedied(desk, 25), review(desk, 2, 5, 2)]
    case = await tell(desk, *([told[n]] for n in order))
    own = await desk.case("feedback:crm:r2")
    assert (case["state"], case["reopened_count"]) == ("remedied", 0)
    assert (own["state"], own["repeat_of"]) == ("open", case["id"])
    # the settlement again: it opens nothing twice
    await tell(desk, [event("case.closed", "c", subject=f"case/{REF}", when=_ago(desk, 24))])
    assert len((await desk.client.get("/v1/cases")).json()["items"]) == 2


async def test_a_complaint_of_a_case_whose_opening_nobody_told_waits_for_its_answer(desk: Desk) -> None:
    about = {"subject": "case/T"}
    closed = event("case.closed", "c", when=_ago(desk, 5), **about)
    said = rating("g", 1, scale="csat_1_5", question="q", when=_ago(desk, 3), **about)
    opened = event("case.opened", "o", when=_ago(desk, 6), data={"kind": "complaint"}, **about)
    for body in (closed, said):
        assert results_of(await desk.client.post("/v1/events", json=[body])) == ["created"]
    case = await desk.case("T")
    assert (case["state"], [item["reason"] for item in case["anomalies"]]) == ("open", ["before_opening"])
    assert {item["state"] for item in case["timers"]} <= {"running", "breached"}
    assert results_of(await desk.client.post("/v1/events", json=[opened])) == ["created"]
    case = await desk.case("T")
    assert (case["state"], case["reopened_count"], case["anomalies"]) == ("open", 1, [])
