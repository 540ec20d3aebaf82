"""A case counts from the earliest reason for it, whichever of its reasons became known first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.journal.rebuild import rebuild
from app.wiring import Services
from tests.builders import query, rating, results_of
from tests.cases.conftest import Desk
from tests.conftest import Server, Tenant
from tests.journal.world import projections

ANNA = {"type": "email", "value": "anna@example.com"}
REF = "feedback:crm:R"


def review(desk: Desk, version: int, days_ago: int, value: int = 1, **more: Any) -> dict[str, Any]:
    return rating(f"r{version}", value, scale="stars_1_5", question="stars", object="R", version=version,
                  collection_mode="scraped", when=(desk.clock() - timedelta(days=days_ago)).isoformat(),
                  **more)  # fmt: skip


def press(name: str, when: datetime) -> dict[str, Any]:
    return rating(name, 1, scale="csat_1_5", question="exit", collection_mode="passive", touchpoint="exit",
                  location="k1", when=when.isoformat())  # fmt: skip


async def tell(desk: Desk, *posts: list[dict[str, Any]]) -> None:
    for body in posts:
        assert "rejected" not in results_of(await desk.client.post("/v1/events", json=body))


async def standing(desk: Desk, ref: str) -> dict[str, Any]:
    """What must not depend on the order: the case and the readings of its timers."""
    case = await desk.case(ref)
    timers = [(item["timer"], item["state"], item["started_at"], item["due_at"]) for item in case["timers"]]
    names = ("opened_at", "state", "severity", "assignee", "reopened_count", "repeat_of", "anomalies")
    return {**{name: case[name] for name in names}, "timers": sorted(timers)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
async def test_an_earlier_state_that_arrives_last_moves_the_opening_and_its_timers(
    desk: Desk, order: tuple[int, ...], services: Services, a_tenant: Tenant, server: Server
) -> None:
    told = [review(desk, 1, 9), review(desk, 2, 5, 2), review(desk, 3, 3)]
    await tell(desk, *([told[n]] for n in order))
    case = await standing(desk, REF)
    assert case["opened_at"][:19] == told[0]["occurred_at"][:19]
    assert case["timers"]
    assert {item[2][:19] for item in case["timers"]} == {told[0]["occurred_at"][:19]}
    assert case["anomalies"] == []
    opened = await query(server, "SELECT 1 FROM outbox WHERE type = 'case.opened'")
    assert len(opened) == 1
    before = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == before


async def test_a_later_bad_state_moves_nothing_nor_does_an_earlier_good_one(desk: Desk) -> None:
    told = [review(desk, 1, 9, 5), review(desk, 2, 5), review(desk, 3, 3)]
    await tell(desk, [told[1]], [told[2]], [told[0]])
    assert (await desk.case(REF))["opened_at"][:19] == told[1]["occurred_at"][:19]


async def test_the_earlier_press_of_the_day_opens_the_internal_case(desk: Desk) -> None:
    noon = datetime.combine((desk.clock() - timedelta(days=2)).date(), datetime.min.time(), UTC)
    noon += timedelta(hours=12)
    first, second = press("p1", noon - timedelta(hours=2)), press("p2", noon)
    await tell(desk, [second], [first])
    case = await desk.case(f"internal:exit:k1:{noon.date()}")
    assert case["opened_at"][:19] == first["occurred_at"][:19]
    assert case["anomalies"] == []


async def test_when_the_earlier_state_is_taken_back_the_later_one_opens_the_case_again(desk: Desk) -> None:
    told = [review(desk, 1, 9), review(desk, 2, 5, 2)]
    await tell(desk, [told[1]], [told[0]])
    gone = {"type": "event.retracted", "id": "gone", "source": "crm", "data": {"event": "r1"}}
    await tell(desk, [{**gone, "occurred_at": desk.clock().isoformat()}])
    case = await desk.case(REF)
    assert (case["state"], case["opened_at"][:19]) == ("open", told[1]["occurred_at"][:19])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_an_opening_of_the_crm_confirms_the_case_that_an_earlier_bad_word_opens(
    desk: Desk, order: tuple[int, ...], services: Services, a_tenant: Tenant, server: Server
) -> None:
    said, due_at = review(desk, 1, 9), desk.later(days=2)
    opened_at = (desk.clock() - timedelta(days=5)).isoformat()
    opening = {
        "type": "case.opened", "id": "o", "source": "crm", "occurred_at": opened_at,
        "subject": {"kind": "case", "ref": REF},
        "data": {"kind": "complaint", "severity": "sev2", "due_at": due_at},
    }  # fmt: skip
    await tell(desk, *([(said, opening)[n]] for n in order))
    case = await standing(desk, REF)
    assert case["opened_at"][:19] == said["occurred_at"][:19]
    assert (case["severity"], case["anomalies"]) == ("sev2", [])
    assert (await desk.case(REF))["due_given_at"][:19] == due_at[:19]
    assert {item[3][:19] for item in case["timers"] if item[0] == "given_due"} == {due_at[:19]}
    before = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == before


async def test_the_opening_of_a_source_that_comes_after_later_feedback_opens_the_case_once(
    desk: Desk, services: Services, a_tenant: Tenant, server: Server
) -> None:
    def told(ref: str) -> list[dict[str, Any]]:
        opened_at, said_at = (desk.clock() - timedelta(hours=hours) for hours in (9, 5))
        said = rating(
            f"said-{ref}", 1, when=said_at.isoformat(), customer=ANNA | {"value": f"{ref}@example.com"}
        )
        opening = {
            "type": "case.opened",
            "id": f"open-{ref}",
            "source": "crm",
            "occurred_at": opened_at.isoformat(),
        }
        about = {"subject": {"kind": "case", "ref": ref}}
        return [{**opening, **about, "data": {"kind": "complaint", "severity": "sev3"}}, {**said, **about}]

    await tell(desk, *([item] for item in told("T-1")))
    await tell(desk, *([item] for item in reversed(told("T-2"))))
    straight, late = await standing(desk, "T-1"), await standing(desk, "T-2")
    assert late["anomalies"] == straight["anomalies"] == []
    names = ("state", "severity", "assignee", "reopened_count", "repeat_of")
    assert [late[name] for name in names] == [straight[name] for name in names]
    assert [item[:2] for item in late["timers"]] == [item[:2] for item in straight["timers"]]
    before = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == before
