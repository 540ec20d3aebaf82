"""The SLA over HTTP: timers, explanations, the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from tests.conftest import MakeKey
from tests.sla.conftest import Bench, acknowledge_within, policy_document

_PAUSABLE = {
    "key": "remedy",
    "subject": "case",
    "start": ["case.opened"],
    "stop": ["case.remedied"],
    "due": {"duration": "PT100S"},
    "pause": ["waiting_customer"],
}


async def _timers(bench: Bench, query: str) -> list[tuple[str, str]]:
    items = (await bench.get(f"/v1/sla/timers?{query}"))["items"]
    return sorted((item["timer"], item["state"]) for item in items)


async def test_timers_are_listed_in_the_state_that_they_have_now(bench: Bench) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60), _PAUSABLE))
    await bench.case("case.opened", "late", {"severity": "sev2", "location": "kyiv-1"})
    await bench.case("case.opened", "met")
    await bench.case("case.acknowledged", "met")
    await bench.case("case.waiting_customer", "met")
    await bench.case("case.opened", "gone")
    await bench.case("case.withdrawn", "gone")
    await bench.post("interaction.ended", ("interaction", "i-1"))
    bench.clock.advance(seconds=61)
    await bench.case("case.opened", "gone-late", ago=70)
    await bench.case("case.withdrawn", "gone-late")
    await bench.case("case.opened", "met-late", ago=70)
    await bench.case("case.acknowledged", "met-late")
    assert await _timers(bench, "state=met") == [("acknowledge", "met")]
    assert await _timers(bench, "state=met_late") == [("acknowledge", "met_late")]
    assert await _timers(bench, "state=paused") == [("remedy", "paused")]
    assert await _timers(bench, "state=open") == [("remedy", "open")] * 2
    assert (
        await _timers(bench, "state=cancelled")
        == [("acknowledge", "cancelled")] + [("remedy", "cancelled")] * 2
    )
    breached = [("acknowledge", "breached")] * 2 + [("feedback_offer", "breached")]
    assert await _timers(bench, "state=breached") == breached
    assert await _timers(bench, "overdue=true") == [
        ("acknowledge", "breached"),
        ("feedback_offer", "breached"),
    ]
    assert await _timers(bench, "subject_kind=interaction") == [("feedback_offer", "breached")]
    assert await _timers(bench, "severity=sev2") == [("acknowledge", "breached"), ("remedy", "open")]
    assert await _timers(bench, "location=kyiv-1&timer=remedy") == [("remedy", "open")]
    every = await _timers(bench, "")
    halves = [await _timers(bench, f"state={state}") for state in
              ("open", "paused", "breached", "met", "met_late", "cancelled")]  # fmt: skip
    assert sorted(chain.from_iterable(halves)) == every
    due = (bench.clock() + timedelta(seconds=1)).isoformat().replace("+", "%2B")
    assert ("remedy", "open") in await _timers(bench, f"due_from={due}")
    assert ("acknowledge", "breached") not in await _timers(bench, f"due_from={due}")
    assert ("acknowledge", "breached") in await _timers(bench, f"due_to={due}")


async def test_the_list_says_the_same_as_the_clock(bench: Bench) -> None:
    await bench.case("case.opened")
    case_id = (await bench.get("/v1/cases/by-ref/T-1"))["id"]
    for seconds in (0, 59, 2):
        bench.clock.advance(seconds=seconds)
        (reading,) = (await bench.get(f"/v1/cases/{case_id}/sla"))["timers"]
        (row,) = (await bench.get("/v1/sla/timers"))["items"]
        assert row["due_at"] == reading["due_at"]
        assert {"running": "open"}.get(reading["state"], reading["state"]) == row["state"]


async def test_timers_and_announcements_are_paged(bench: Bench) -> None:
    for number in range(5):
        await bench.case("case.opened", f"T-{number}", ago=number)
    await bench.tick(61)
    for path in ("/v1/sla/timers", "/v1/sla/announcements?kind=breached"):
        whole = (await bench.get(path))["items"]
        seen: list[Any] = []
        url = f"{path}{'&' if '?' in path else '?'}limit=2"
        while url:
            answer = await bench.client.get(url)
            seen += answer.json()["items"]
            url = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
        assert seen == whole
        assert len(seen) == 5


async def test_an_explanation_names_the_versions_and_every_interval(bench: Bench) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60), _PAUSABLE))
    await bench.case("case.opened")
    bench.clock.advance(seconds=10)
    await bench.case("case.waiting_customer")
    bench.clock.advance(seconds=30)
    await bench.case("case.resumed")
    bench.clock.advance(seconds=5)
    case_id = (await bench.get("/v1/cases/by-ref/T-1"))["id"]
    explained = await bench.get(f"/v1/cases/{case_id}/sla/explain")
    assert explained["subject"] == {"kind": "case", "id": case_id}
    acknowledge, remedy = explained["timers"]
    assert (acknowledge["policy"], acknowledge["calendar"]["key"]) == (
        {"key": "default", "version": 3},
        "24x7",
    )
    assert [part["kind"] for part in acknowledge["intervals"]] == ["counted"]
    assert [part["kind"] for part in remedy["intervals"]] == ["counted", "paused", "counted"]
    edges = [part["from"] for part in remedy["intervals"][1:]]
    assert edges == [part["to"] for part in remedy["intervals"][:-1]]
    assert 30 <= remedy["paused_seconds"] < 32
    assert remedy["explanation"].startswith("remedy runs from ")
    assert (acknowledge["shifts"], remedy["shifts"]) == ([], [])
    assert [(mark["percent"], mark["to"]) for mark in acknowledge["escalations"]] == [
        (100, "assignee"), (200, "manager"),
    ]  # fmt: skip


async def test_an_explanation_lists_what_moved_the_due_time(bench: Bench) -> None:
    slow, fast = (policy_document(acknowledge_within(seconds))["rules"][-1] for seconds in (600, 60))
    document = policy_document(acknowledge_within(600))
    grave = {**fast, "name": "grave", "when": {"subject": "case", "severity": "sev1"}}
    await bench.put_policy({**document, "rules": [*document["rules"][:-1], grave, slow]})
    await bench.case("case.opened", data={"severity": "sev3"}, ago=20)
    await bench.case("case.assessed", data={"severity": "sev1"}, ago=10)
    (timer,) = (await bench.get("/v1/sla/explain?subject_kind=case&ref=T-1"))["timers"]
    (shift,) = timer["shifts"]
    before, after = (datetime.fromisoformat(at) for at in (shift["due_before"], timer["due_at"]))
    assert (shift["reason"], before - after) == ("severity_change", timedelta(seconds=540))
    assert "Before severity change on" in timer["explanation"]


async def test_an_interaction_is_explained_by_its_reference(bench: Bench) -> None:
    ended_at = await bench.post("interaction.ended", ("interaction", "pbx/2026/7"))
    explained = await bench.get("/v1/interactions/by-ref/pbx/2026/7/sla/explain")
    (timer,) = explained["timers"]
    assert timer["timer"] == "feedback_offer"
    assert datetime.fromisoformat(timer["due_at"]) - ended_at == timedelta(seconds=20)
    for path in ("/v1/interactions/by-ref/nobody/sla/explain", "/v1/cases/case_1/sla"):
        assert (await bench.client.get(path)).status_code == 404


async def test_a_reopened_case_is_bound_by_the_policy_in_force_then(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.case("case.acknowledged")
    await bench.case("case.declined", data={"reason": "no"})
    await bench.put_policy(policy_document(acknowledge_within(30)), effective_from=bench.clock())
    bench.clock.advance(seconds=1)
    await bench.case("case.reopened")
    case_id = (await bench.get("/v1/cases/by-ref/T-1"))["id"]
    first, second = (await bench.get(f"/v1/cases/{case_id}/sla"))["timers"]
    assert (first["policy"]["version"], first["target_seconds"], first["state"]) == (2, 60, "met")
    assert (second["policy"]["version"], second["target_seconds"], second["state"]) == (3, 30, "running")
    listed = (await bench.get("/v1/sla/timers"))["items"]
    assert [(item["policy"]["version"], item["state"]) for item in listed] == [(3, "open"), (2, "met")]


async def test_the_ledger_tells_what_was_announced(bench: Bench) -> None:
    await bench.case("case.opened", "T-1")
    await bench.case("case.opened", "T-2")
    await bench.tick(61)
    await bench.case("case.acknowledged", "T-1", ago=20)
    case_id = (await bench.get("/v1/cases/by-ref/T-1"))["id"]
    rows = (await bench.get(f"/v1/sla/announcements?case={case_id}&timer=acknowledge"))["items"]
    told = sorted((row["kind"], row["revision"]) for row in rows)
    assert told == [("breach_revoked", 0), ("breached", 0), ("escalated", 0), ("met", 1), ("warning", 0)]
    assert {row["subject"]["id"] for row in rows} == {case_id}
    breaches = (await bench.get("/v1/sla/announcements?kind=breached"))["items"]
    assert len(breaches) == 2
    fired_at = breaches[0]["announced_at"].replace("+", "%2B")
    assert (await bench.get(f"/v1/sla/announcements?kind=breached&to={fired_at}"))["items"] == []
    assert len((await bench.get(f"/v1/sla/announcements?kind=breached&from={fired_at}"))["items"]) == 2
    later = (bench.clock() + timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert (await bench.get(f"/v1/sla/announcements?from={later}"))["items"] == []
    events = (await bench.get(f"/v1/cases/{case_id}/events"))["items"]
    assert {row["event_id"] for row in rows} <= {event["event_id"] for event in events}


async def test_bad_parameters_and_missing_scopes_are_refused(bench: Bench, api_key: MakeKey) -> None:
    for query, code in (
        ("timers?state=late", "invalid_request"),
        ("timers?colour=red", "unknown_parameter"),
        ("timers?cursor=abc", "invalid_cursor"),
        ("timers?due_from=2026-11-22T10:00:00", "invalid_request"),
        ("announcements?cursor=WzFd", "invalid_cursor"),
        ("announcements?kind=late", "invalid_request"),
    ):
        answer = await bench.client.get(f"/v1/sla/{query}")
        assert (query, answer.status_code, answer.json()["code"]) == (query, 422, code)
    headers = {"Authorization": f"Bearer {await api_key('events:write', 'metrics:read')}"}
    assert (await bench.client.get("/v1/sla/timers", headers=headers)).status_code == 403
    headers = {"Authorization": f"Bearer {await api_key('cases:write')}"}
    assert (await bench.client.get("/v1/sla/timers", headers=headers)).status_code == 200
