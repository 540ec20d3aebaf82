"""What happened after a merge belongs to the surviving case, wherever it stands in the batch."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.builders import event, rating, results_of
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


def about(desk: Desk, ref: str, kind: str, hours_ago: float, **data: Any) -> dict[str, Any]:
    when = (desk.clock() - timedelta(hours=hours_ago)).isoformat()
    return event(f"case.{kind}", f"{kind}{ref}", subject=f"case/{ref}", when=when, data=data)


async def tell(desk: Desk, *events: dict[str, Any]) -> None:
    assert set(results_of(await desk.client.post("/v1/events", json=list(events)))) == {"created"}


async def fcr(desk: Desk, **more: Any) -> dict[str, Any]:
    answer = await desk.client.post("/v1/metrics/query", json={"metrics": ["fcr"], "period": "28d", **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_merge_told_last_takes_what_is_later_with_it_and_its_retraction_gives_it_back(
    desk: Desk,
) -> None:
    opened = [about(desk, ref, "opened", 9) for ref in "AB"]
    later = [about(desk, "A", "customer_contacted", 4), about(desk, "A", "acknowledged", 4)]
    await tell(desk, *opened, *later, about(desk, "B", "remedied", 3))
    one, other = await desk.case("A"), await desk.case("B")
    known_at = (await fcr(desk))["data_seq"]
    assert (await fcr(desk))["rows"][0]["fcr_once"] == 1
    await tell(desk, about(desk, "A", "merged", 6, into="B"))
    survivor = await desk.case("A")
    assert (survivor["id"], survivor["refs"]) == (other["id"], ["A", "B"])
    assert survivor["version"] > other["version"]
    assert survivor["acknowledged_at"] == one["acknowledged_at"]
    assert (
        (await fcr(desk))["rows"][0]["fcr_once"],
        (await fcr(desk, known_at=known_at))["rows"][0]["fcr_once"],
    ) == (
        0,
        1,
    )
    absorbed = (await desk.client.get(f"/v1/cases/{one['id']}")).json()
    assert (absorbed["state"], absorbed["acknowledged_at"], absorbed["refs"]) == ("merged", None, [])
    assert absorbed["merged_into"] == other["id"]
    refused = await desk.send(one["id"], "reply", {"text": "hello"})
    assert (refused.status_code, refused.json()["code"]) == (409, "case_merged")
    await tell(
        desk, event("event.retracted", "back", when=desk.clock().isoformat(), data={"event": "mergedA"})
    )
    names = ("state", "acknowledged_at", "refs", "merged_into")
    assert [(await desk.case("A"))[name] for name in names] == [one[name] for name in names]
    assert (await fcr(desk))["rows"][0]["fcr_once"] == 1


async def test_a_survivor_keeps_its_ground_when_that_of_the_absorbed_case_falls(desk: Desk) -> None:
    when = (desk.clock() - timedelta(hours=9)).isoformat()
    await tell(desk, rating("bad", 1, when=when, customer={"type": "email", "value": "a@example.com"}))
    await desk.open("B")
    absorbed = (await desk.case("feedback:crm:bad"))["id"]
    await desk.post("case.merged", "feedback:crm:bad", {"into": "B"}, ago=timedelta(hours=2))
    await tell(desk, event("event.retracted", "back", when=desk.clock().isoformat(), data={"event": "bad"}))
    assert (await desk.case("B"))["state"] == "open"
    assert (await desk.client.get(f"/v1/cases/{absorbed}")).json()["state"] == "merged"


async def test_a_command_on_the_survivor_is_its_own_whatever_references_lead_to_it(desk: Desk) -> None:
    survivor = await desk.open("Z")
    await desk.open("A")
    await desk.post("case.merged", "A", {"into": "Z"})
    # before the merge: filed under the reference of the absorbed case it would become that one's
    done = await desk.done(survivor, "acknowledge")
    assert done["case"]["id"] == survivor
    back = await desk.client.get(f"/v1/cases/{survivor}/events")
    assert [item["type"] for item in back.json()["items"] if item["id"].startswith("command")] == [
        "case.acknowledged"
    ]
