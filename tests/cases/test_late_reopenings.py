"""A case that its source reopens after the fortnight goes on as a new one, whatever became known first."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.builders import event, results_of
from tests.cases.conftest import Desk

OPENING = {"channel": "email", "location": "k1", "cause": "office_process.queue"}
NEW = "reopened:crm:reopened10"


def about(desk: Desk, kind: str, days_ago: float, **more: Any) -> dict[str, Any]:
    when = (desk.clock() - timedelta(days=days_ago)).isoformat()
    name = more.pop("id", f"{kind}{days_ago:g}")
    return event(f"case.{kind}", name, subject="case/T-1", when=when, data=more)


def story(desk: Desk) -> list[dict[str, Any]]:
    """Closed 30 days ago, reopened 10 days ago; then the CRM goes on under the old reference."""
    return [
        about(desk, "opened", 32, **OPENING),
        about(desk, "closed", 30, outcome="upheld"),
        about(desk, "reopened", 10, reason="broken again"),
        about(desk, "acknowledged", 9.9),
        about(desk, "remedied", 8),
    ]


async def tell(desk: Desk, *posts: list[dict[str, Any]]) -> None:
    for body in posts:
        assert "rejected" not in results_of(await desk.client.post("/v1/events", json=body))


async def both(desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settled case, and the one to which its reference leads by now."""
    new = await desk.case("T-1")
    items = (await desk.client.get("/v1/cases")).json()["items"]
    [old] = [item for item in items if item["id"] != new["id"]]
    answer = await desk.client.get(f"/v1/cases/{old['id']}")
    return answer.json(), new


def taken_back(desk: Desk, named: dict[str, Any]) -> dict[str, Any]:
    return event("event.retracted", f"back-{named['id']}", data={"event": named["id"]},
                 when=desk.clock().isoformat())  # fmt: skip


@pytest.mark.parametrize("order", ["together", "backwards", "one by one", "reopened last", "settled last"])
async def test_a_late_reopening_opens_a_case_that_hears_what_is_told_of_the_old_one(
    desk: Desk, order: str
) -> None:
    told = story(desk)
    posts = {
        "together": [told],
        "backwards": [told[::-1]],
        "one by one": [[item] for item in told],
        "reopened last": [[told[n]] for n in (0, 1, 3, 4, 2)],
        "settled last": [[told[n]] for n in (0, 2, 3, 4, 1)],
    }
    await tell(desk, *posts[order])
    old, new = await both(desk)
    assert (new["state"], new["repeat_of"], new["reopened_count"]) == ("remedied", old["id"], 0)
    assert new["opened_at"][:19] == told[2]["occurred_at"][:19]
    assert new["acknowledged_at"][:19] == told[3]["occurred_at"][:19]
    assert (new["channel"], new["location"], new["cause"]) == ("email", "k1", "office_process.queue")
    assert (new["severity"], new["anomalies"]) == ("sev2", [])
    assert (old["state"], old["acknowledged_at"], old["reopened_count"]) == ("closed", None, 0)
    assert [item["reason"] for item in old["anomalies"]] == ["reopened_too_late"]
    assert (old["merged_into"], old["severity"]) == (None, "sev3")
    assert (await desk.case(NEW))["id"] == new["id"]


async def test_what_is_told_with_the_time_of_the_reopening_is_of_the_new_case(desk: Desk) -> None:
    told = story(desk)[:3]
    at_once = {**about(desk, "assigned", 10, assignee="olena"), "occurred_at": told[2]["occurred_at"]}
    await tell(desk, [*told, at_once])
    old, new = await both(desk)
    assert (new["assignee"], old["assignee"]) == ("olena", None)


async def test_a_reopening_within_the_fortnight_opens_nothing(desk: Desk) -> None:
    await tell(desk, [*story(desk)[:2], about(desk, "reopened", 17)])
    assert (await desk.case("T-1"))["reopened_count"] == 1
    assert len((await desk.client.get("/v1/cases")).json()["items"]) == 1


async def test_a_settlement_told_late_that_mends_the_fortnight_takes_the_new_case_back(desk: Desk) -> None:
    told = story(desk)
    await tell(desk, told)
    _, new = await both(desk)
    # it had been reopened before, and closed anew: the reopening is in time after all
    await tell(desk, [about(desk, "reopened", 20), about(desk, "closed", 15)])
    case = await desk.case("T-1")
    assert (case["reopened_count"], case["state"], case["anomalies"]) == (2, "remedied", [])
    assert (await desk.client.get(f"/v1/cases/{new['id']}")).json()["state"] == "invalid"
    # and that was not so
    await tell(desk, [taken_back(desk, {"id": "reopened20"}), taken_back(desk, {"id": "closed15"})])
    again = await desk.case("T-1")
    assert (again["id"], again["state"], again["anomalies"]) == (new["id"], "remedied", [])


@pytest.mark.parametrize("late", [False, True])
async def test_a_reopening_taken_back_takes_the_new_case_with_it(desk: Desk, late: bool) -> None:
    told = story(desk)
    await tell(desk, *([[told[0], *told[2:]], [told[1]]] if late else [told]))
    _, new = await both(desk)
    await tell(desk, [taken_back(desk, told[2])])
    old = await desk.case("T-1")
    assert old["id"] != new["id"]
    assert [item["reason"] for item in old["anomalies"]] == ["after_closing", "after_closing"]
    assert (await desk.client.get(f"/v1/cases/{new['id']}")).json()["state"] == "invalid"


@pytest.mark.parametrize("order", [*permutations((2, 5, 6))])
async def test_a_second_late_reopening_continues_the_new_case(desk: Desk, order: tuple[int, ...]) -> None:
    told = [
        about(desk, "opened", 62),
        about(desk, "closed", 60),
        about(desk, "reopened", 40),
        about(desk, "acknowledged", 39),
        about(desk, "assigned", 19, assignee="olena"),
        about(desk, "closed", 38),
        about(desk, "reopened", 20),
    ]
    await tell(desk, [told[0], told[1], told[3], told[4]], *([told[n]] for n in order))
    third = await desk.case("T-1")
    second = (await desk.client.get(f"/v1/cases/{third['repeat_of']}")).json()
    first = (await desk.client.get(f"/v1/cases/{second['repeat_of']}")).json()
    assert [case["state"] for case in (first, second, third)] == ["closed", "closed", "open"]
    assert (second["acknowledged_at"][:19], third["assignee"]) == (told[3]["occurred_at"][:19], "olena")
    assert third["opened_at"][:19] == told[6]["occurred_at"][:19]


async def test_a_merge_told_of_the_old_case_is_about_the_one_that_continues_it(desk: Desk) -> None:
    other = event("case.opened", "o2", subject="case/T-2", when=desk.clock().isoformat())
    await tell(desk, story(desk)[:3], [other], [about(desk, "merged", 5, into="T-2")],
               [about(desk, "acknowledged", 4)])  # fmt: skip
    survivor = await desk.case("T-1")
    assert survivor["id"] == (await desk.case("T-2"))["id"] == (await desk.case(NEW))["id"]
    items = {item["state"]: item for item in (await desk.client.get("/v1/cases")).json()["items"]}
    assert set(items) == {"closed", "merged", "open"}
    assert (items["merged"]["repeat_of"], items["closed"]["merged_into"]) == (items["closed"]["id"], None)
    assert survivor["acknowledged_at"] is not None


@pytest.mark.parametrize(("asked", "cases"), [(False, 1), (True, 2)])
async def test_history_opens_no_case_unless_it_is_asked_to(desk: Desk, asked: bool, cases: int) -> None:
    flags = {"backfill": "true", "open_cases": str(asked).lower()}
    answer = await desk.client.post("/v1/events", json=story(desk)[:3], params=flags)
    assert answer.status_code == 200, answer.text
    assert len((await desk.client.get("/v1/cases")).json()["items"]) == cases
