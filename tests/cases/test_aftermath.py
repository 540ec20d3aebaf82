"""What comes after a remedy, and what time alone does to a case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.cases.upkeep import CaseUpkeep
from app.wiring import Services
from tests.builders import rating
from tests.cases.conftest import Desk, outgoing
from tests.conftest import Server


async def test_a_customer_waited_for_in_vain_is_told_and_then_the_case_closes(
    desk: Desk, services: Services
) -> None:
    case_id = await desk.open()
    await desk.done(case_id, "wait-customer")
    upkeep = CaseUpkeep(services.database, services.journal, lambda: None)
    desk.clock.advance(days=14)
    await upkeep.step()
    assert "case.closing_notified" in await desk.event_types(case_id)
    told = await desk.client.get(f"/v1/cases/{case_id}/events")
    [notice] = [item for item in told.json()["items"] if item["type"] == "case.closing_notified"]
    assert notice["data"]["closes_at"] == (await desk.case("T-1"))["next_attention_at"].replace("Z", "+00:00")
    desk.clock.advance(days=1)
    await upkeep.step()
    assert (await desk.case("T-1"))["state"] == "waiting_customer"
    desk.clock.advance(days=4)  # two working days, whatever day of the week it is
    await upkeep.step()
    case = await desk.case("T-1")
    assert (case["state"], case["outcome"], case["anomalies"]) == ("closed", "customer_silent", [])


async def test_a_customer_who_answers_is_not_closed_away(desk: Desk, services: Services) -> None:
    case_id = await desk.open()
    await desk.done(case_id, "wait-customer")
    await desk.post("case.customer_contacted", "T-1")
    desk.clock.advance(days=40)
    await CaseUpkeep(services.database, services.journal, lambda: None).step()
    assert (await desk.case("T-1"))["state"] == "open"


async def test_a_bad_word_after_the_remedy_reopens_the_case_and_is_told_once(
    desk: Desk, server: Server
) -> None:
    await desk.post("case.opened", "T-1", {"kind": "complaint"}, ago=timedelta(hours=5))
    await desk.post("case.remedied", "T-1", ago=timedelta(hours=3))
    answer = {"question": "resolved", "scale": "csat_1_5", "measure": "csat", "value": 1}
    await desk.post("survey.answered", "T-1", {"answers": [answer]}, ago=timedelta(hours=1))
    case = await desk.case("T-1")
    assert (case["state"], case["reopened_count"], case["is_double_deviation"]) == ("open", 1, True)
    assert {item["trigger"] for item in case["deviations"]} == {"reopened", "post_resolution_negative"}
    await desk.post("case.replied", "T-1")
    told = await outgoing(server)
    assert (told.count("case.double_deviation"), told.count("case.reopened")) == (1, 1)
    listed = (await desk.client.get("/v1/cases?is_double_deviation=true")).json()["items"]
    assert [item["id"] for item in listed] == [case["id"]]


async def test_a_promoter_after_the_remedy_is_recovered_and_an_ambassador(desk: Desk, server: Server) -> None:
    await desk.post("case.opened", "T-1", {"kind": "complaint"}, ago=timedelta(hours=5))
    await desk.post("case.remedied", "T-1", ago=timedelta(hours=3))
    answer = {"question": "recommend", "scale": "nps_0_10", "measure": "nps", "value": 10}
    await desk.post("survey.answered", "T-1", {"answers": [answer]}, ago=timedelta(hours=1))
    case = await desk.case("T-1")
    assert (case["is_ambassador"], case["resurvey_class"], case["reopened_count"]) == (True, "positive", 0)
    assert case["recovered_at"] is not None
    lists = {item["name"]: item["completeness"] for item in case["checklists"]}
    assert lists == {"reply": 0, "loyalty_conversion": 0, "recovery": pytest.approx(1 / 3)}
    ticked = {"checklist": "loyalty_conversion", "ticked": ["fix", "report"]}
    lists = (await desk.done(case["id"], "tick", ticked))["case"]["checklists"]
    assert next(item for item in lists if item["name"] == "loyalty_conversion")["completeness"] == 0.25
    assert (await outgoing(server)).count("case.recovered") == 1


async def test_a_press_on_a_settled_internal_case_begins_the_next_one_of_the_day(desk: Desk) -> None:
    async def press(name: str) -> None:
        body = rating(name, 1, scale="csat_1_5", question="till", touchpoint="till",
                      collection_mode="passive", when=desk.clock().isoformat())  # fmt: skip
        assert (await desk.client.post("/v1/events", json=body)).status_code == 201

    await press("p1")
    first = (await desk.client.get("/v1/cases")).json()["items"][0]["id"]
    await press("p2")
    assert len((await desk.client.get("/v1/cases")).json()["items"]) == 1
    await desk.done(first, "remedy")
    desk.clock.advance(seconds=30)
    await press("p3")
    await press("p4")
    items = (await desk.client.get("/v1/cases")).json()["items"]
    assert [item["state"] for item in items] == ["open", "remedied"]
    assert [item["customer_facing"] for item in items] == [False, False]


async def test_a_customer_who_complains_again_raises_the_severity_and_marks_the_earlier_case(
    desk: Desk, server: Server
) -> None:
    customer = {"type": "email", "value": "anna@example.com"}
    await desk.post(
        "case.opened", "T-1", {"customer": customer, "cause": "staff.manner"}, ago=timedelta(days=2)
    )
    await desk.post(
        "case.opened", "T-2", {"customer": customer, "cause": "office_process.complaint_mechanism"}
    )
    first, second = await desk.case("T-1"), await desk.case("T-2")
    assert (first["severity"], second["severity"], second["repeat_of"]) == ("sev3", "sev2", first["id"])
    assert [item["trigger"] for item in first["deviations"]] == ["second_complaint"]
    assert (await outgoing(server)).count("case.double_deviation") == 1
    await desk.post("case.opened", "T-3", {"customer": {**customer, "value": "other@example.com"}})
    assert (await desk.case("T-3"))["repeat_of"] is None
