"""The list of cases, one case and its history, and cases opened by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx

from tests.cases.conftest import Desk
from tests.conftest import MakeKey, Services, make_key, make_tenant


async def _refs(desk: Desk, query: str = "") -> list[str]:
    """References of the listed cases, in order."""
    answer = await desk.client.get(f"/v1/cases?{query}")
    assert answer.status_code == 200, answer.text
    return [item["refs"][0] for item in answer.json()["items"]]


async def test_the_list_is_filtered_by_every_dimension(desk: Desk) -> None:
    await desk.post(
        "case.opened",
        "A",
        {"kind": "complaint", "severity": "sev1", "channel": "call", "location": "kyiv-1", "product": "tea",
         "touchpoint": "till", "employee": "olena", "segment": "vip", "cause": "staff.rudeness",
         "assignee": "ivan",
         "attributes": {"loud": True, "floor": 2, "team": "north"}},
        ago=timedelta(hours=3),
    )  # fmt: skip
    await desk.post("case.opened", "B", {"kind": "question", "severity": "sev4"}, ago=timedelta(hours=2))
    await desk.post("case.opened", "C", {"kind": "complaint", "location": "lviv-1"}, ago=timedelta(hours=1))
    await desk.post("case.withdrawn", "C")
    await desk.post("case.acknowledged", "D")
    expected: Sequence[tuple[str, list[str]]] = (
        ("", ["D", "C", "B", "A"]),
        ("severity=sev1", ["A"]),
        ("severity=sev1&severity=sev4", ["B", "A"]),
        ("kind=question", ["B"]),
        ("channel=call", ["A"]),
        ("location=kyiv-1&location=lviv-1", ["C", "A"]),
        ("location=kyiv-1&severity=sev4", []),
        ("touchpoint=till", ["A"]),
        ("employee=olena", ["A"]),
        ("product=tea", ["A"]),
        ("segment=vip", ["A"]),
        ("cause=staff.rudeness", ["A"]),
        ("assignee=ivan", ["A"]),
        ("source=crm&state=withdrawn", ["C"]),
        ("source=elsewhere", []),
        ("state=awaiting_opening", ["D"]),
        ("attributes.team=north", ["A"]),
        ("attributes.loud=true&attributes.floor=2", ["A"]),
        ("attributes.team=south", []),
    )
    for query, refs in expected:
        assert (query, await _refs(desk, query)) == (query, refs)
    at = (await desk.case("B"))["opened_at"].replace("+", "%2B")
    assert await _refs(desk, f"opened_from={at}") == ["D", "C", "B"]
    assert await _refs(desk, f"opened_to={at}") == ["A"]


async def test_overdue_cases_are_those_with_an_open_timer_past_its_due_time(desk: Desk) -> None:
    soon = {"due_at": desk.later(hours=1)}
    for ref in ("late", "done"):
        await desk.post("case.opened", ref, soon)
    await desk.post("case.opened", "in-time", {"due_at": desk.later(days=300), "severity": "sev4"})
    await desk.post("case.withdrawn", "done")
    assert await _refs(desk, "overdue=true") == []
    desk.clock.advance(hours=2)
    overdue = await _refs(desk, "overdue=true")
    assert "late" in overdue
    assert "done" not in overdue


async def test_the_work_list_begins_with_the_deadline_that_is_nearest(desk: Desk) -> None:
    await desk.post("case.opened", "missed", {"due_at": desk.later(days=-1)}, ago=timedelta(days=2))
    for ref, days in (("given", 40), ("urgent", 20)):
        await desk.post("case.opened", ref, {"due_at": desk.later(days=days)})
    await desk.post("case.opened", "no-deadline")
    await desk.post("case.withdrawn", "no-deadline")
    pages, cursor = [], ""
    while True:
        page = (await desk.client.get(f"/v1/cases?sort=due&limit=1{cursor}")).json()
        pages += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    dues = [item["next_due"]["due_at"] for item in pages]
    assert sorted(item["refs"][0] for item in pages) == ["given", "missed", "urgent"]
    assert dues == sorted(dues)
    for item, due in zip(pages, dues, strict=True):
        timers = (await desk.case(item["refs"][0]))["timers"]
        assert due == min(timer["due_at"] for timer in timers if timer["stopped_at"] is None)
    assert {item["refs"][0]: item["next_due"]["is_overdue"] for item in pages}["missed"]
    listed = (await desk.client.get("/v1/cases")).json()["items"]
    assert {item["refs"][0]: item["next_due"] is None for item in listed}["no-deadline"]


async def test_a_cursor_of_one_order_is_refused_by_the_other(desk: Desk) -> None:
    for ref in ("A", "B"):
        await desk.post("case.opened", ref)
    cursor = (await desk.client.get("/v1/cases?limit=1")).json()["next_cursor"]
    refused = await desk.client.get(f"/v1/cases?limit=1&sort=due&cursor={cursor}")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_cursor")


async def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    for number in range(5):
        await desk.post("case.opened", f"T-{number}", {"kind": "complaint"}, ago=timedelta(minutes=number))
    seen: list[str] = []
    url = "/v1/cases?limit=2&kind=complaint"
    pages = 0
    while url:
        answer = await desk.client.get(url)
        body = answer.json()
        seen += [item["id"] for item in body["items"]]
        pages += 1
        link = answer.headers.get("Link", "")
        assert bool(link) == (body["next_cursor"] is not None)
        url = link.partition(">")[0].removeprefix("<")
    assert (pages, len(seen), len(set(seen))) == (3, 5, 5)


async def test_bad_parameters_name_the_place(desk: Desk) -> None:
    for query, code in (
        ("colour=red", "unknown_parameter"),
        ("attributes.=1", "unknown_parameter"),
        ("severity=sev9", "invalid_value"),
        ("cursor=abc", "invalid_cursor"),
        ("cursor=WzEsMl0", "invalid_cursor"),
        ("limit=0", "invalid_request"),
        ("opened_from=yesterday", "invalid_request"),
        ("&".join(["location=x"] * 101), "too_many_values"),
    ):
        answer = await desk.client.get(f"/v1/cases?{query}")
        assert (query, answer.status_code, answer.json()["code"]) == (query, 422, code)
        assert answer.json()["errors"][0]["pointer"].startswith("query:")
    for path, status in (
        ("by-ref/nobody", 404),
        ("by-ref/%00", 400),
        ("case_1", 404),
        ("case_1/events", 404),
    ):
        assert (path, (await desk.client.get(f"/v1/cases/{path}")).status_code) == (path, status)
    case_id = await desk.open()
    answer = await desk.client.get(f"/v1/cases/{case_id}?as_of=now")
    assert answer.json()["code"] == "unknown_parameter"
    answer = await desk.client.get(f"/v1/cases/{case_id}/events?cursor=WyJhIl0")
    assert answer.json()["code"] == "invalid_cursor"


async def test_a_case_shows_its_steps_its_misfits_and_its_timers_as_they_are_now(desk: Desk) -> None:
    case_id = await desk.open("T-1", severity="sev1", due_at=desk.later(hours=8))
    await desk.post("case.resumed", "T-1")
    await desk.done(case_id, "acknowledge")
    case = await desk.case("T-1")
    assert set(case["cycles"][0]["steps"]) == {"received", "thanked"}
    assert [anomaly["reason"] for anomaly in case["anomalies"]] == ["resumed_without_waiting"]
    states = {timer["timer"]: timer["state"] for timer in case["timers"]}
    assert states.items() >= {
        "acknowledge": "met", "first_response": "running", "given_due": "running", "remedy": "running",
    }.items()  # fmt: skip
    version = case["version"]
    desk.clock.advance(hours=2)
    later = await desk.case("T-1")
    states = {timer["timer"]: timer["state"] for timer in later["timers"]}
    assert (states["first_response"], states["remedy"], later["version"]) == ("breached", "running", version)


async def test_the_history_tells_texts_only_to_who_may_read_feedback(
    desk: Desk, services: Services, api_key: MakeKey
) -> None:
    case_id = await desk.open("T-1")
    await desk.done(case_id, "reply", {"text": "dear Olena"})
    path = f"/v1/cases/{case_id}/events"
    seen: dict[str, httpx.Response] = {}
    for scope in ("cases:write", "feedback:read", "metrics:read"):
        headers = {"Authorization": f"Bearer {await api_key(scope)}"}
        seen[scope] = await desk.client.get(path, headers=headers)
    assert seen["metrics:read"].status_code == 403
    assert "dear Olena" in seen["feedback:read"].text
    assert seen["cases:write"].status_code == 200
    assert "dear Olena" not in seen["cases:write"].text
    types = [event["type"] for event in seen["cases:write"].json()["items"]]
    assert types == ["case.opened", "case.replied"] + ["sla.met"] * (len(types) - 2)
    refused = await desk.client.post(
        f"/v1/cases/{case_id}/reply", headers={"Authorization": f"Bearer {await api_key('feedback:read')}"}
    )
    assert refused.status_code == 403


async def test_the_history_is_paged_in_the_order_of_the_journal(desk: Desk) -> None:
    case_id = await desk.open("T-1")
    for _ in range(4):
        await desk.done(case_id, "reply")
    whole = (await desk.client.get(f"/v1/cases/{case_id}/events")).json()["items"]
    paged: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await desk.client.get(f"/v1/cases/{case_id}/events?limit=2{cursor}")).json()
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == whole
    assert [event["sequence"] for event in whole] == sorted(event["sequence"] for event in whole)


async def test_another_tenant_sees_and_moves_nothing(desk: Desk, services: Services) -> None:
    case_id = await desk.open("T-1")
    key = await make_key(services, await make_tenant(services, "other"))
    headers = {"Authorization": f"Bearer {key}"}
    assert (await desk.client.get("/v1/cases", headers=headers)).json()["items"] == []
    for path in (case_id, "by-ref/T-1", f"{case_id}/events", f"{case_id}/sla", f"{case_id}/sla/explain"):
        assert (await desk.client.get(f"/v1/cases/{path}", headers=headers)).status_code == 404
    moved = await desk.client.post(f"/v1/cases/{case_id}/acknowledge", headers=headers)
    assert moved.status_code == 404
    assert "thanked" not in (await desk.case("T-1"))["cycles"][0]["steps"]


async def test_a_case_opened_by_hand_is_a_case_like_any_other(desk: Desk) -> None:
    await desk.open("old")
    body = {
        "ref": "H-1", "text": "a letter came", "channel": "letter", "location": "kyiv-1",
        "cause": "safety.glass",
        "customer": {"type": "email", "value": "a@example.com"}, "due_at": desk.later(days=3),
        "repeat_of": "old", "assignee": "olena", "attributes": {"page": 2},
    }  # fmt: skip
    answer = await desk.client.post("/v1/cases", json=body, headers={"Idempotency-Key": "open-1"})
    assert answer.status_code == 201, answer.text
    case = await desk.case("H-1")
    assert answer.headers["Location"] == f"/v1/cases/{case['id']}"
    assert (case["severity"], case["assignee"], case["channel"]) == ("sev1", "olena", "letter")
    assert case["detection"]["rule_id"] == "by_hand"
    assert case["repeat_of"] == (await desk.case("old"))["id"]
    assert "given_due" in {timer["timer"] for timer in case["timers"]}
    assert "a letter came" not in answer.text
    again = await desk.client.post("/v1/cases", json=body, headers={"Idempotency-Key": "open-1"})
    assert (again.status_code, again.json()) == (201, answer.json())
    taken = await desk.client.post("/v1/cases", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "case_exists")
    unknown = await desk.client.post("/v1/cases", json={"repeat_of": "nobody"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_case")


async def test_without_a_reference_every_opening_is_a_new_case(desk: Desk) -> None:
    one = (await desk.client.post("/v1/cases", json={})).json()["case"]
    two = (await desk.client.post("/v1/cases", json={"kind": "question"})).json()["case"]
    assert one["id"] != two["id"]
    assert (one["severity"], two["severity"]) == ("sev3", "sev4")
    assert one["refs"] and (await desk.case(one["refs"][0]))["id"] == one["id"]


async def test_a_case_known_by_a_later_fact_alone_is_opened_by_hand_under_its_reference(desk: Desk) -> None:
    await desk.post("case.acknowledged", "T-1")
    assert (await desk.case("T-1"))["state"] == "awaiting_opening"
    answer = await desk.client.post("/v1/cases", json={"ref": "T-1", "occurred_at": desk.later(hours=-1)})
    assert answer.status_code == 201, answer.text
    case = await desk.case("T-1")
    assert (case["state"], case["anomalies"]) == ("open", [])
