"""Policies of several keys bind side by side; every timer knows which one gave it, in which version."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

from app.domain.sla import default_policy_document
from app.journal.rebuild import rebuild
from app.sla import comparing
from app.sla.recomputations.loop import Recomputer
from tests.sla.conftest import Bench, acknowledge_within, policy_document

_REPLY = {
    "key": "law_reply", "subject": "case", "start": ["case.opened"], "stop": ["case.replied"],
    "due": {"duration": "PT300S"}, "clock_kind": "statutory",
}  # fmt: skip


def _law(*timers: dict[str, Any], **more: Any) -> dict[str, Any]:
    rules = [{"name": "law", "when": {"kind": "complaint"}, "timers": list(timers or (_REPLY,))}]
    return {"format": 1, "calendar": "24x7", "rules": rules, **more}


async def _timers(bench: Bench) -> set[tuple[str, str, int, float]]:
    items = (await bench.get("/v1/sla/timers?limit=100"))["items"]
    return {
        (item["timer"], item["policy"]["key"], item["policy"]["version"], item["target_seconds"])
        for item in items
    }


def _body(bench: Bench, **more: Any) -> dict[str, Any]:
    now = bench.clock()
    period = {"opened_from": now - timedelta(days=30), "opened_before": now + timedelta(days=1)}
    return {name: at.isoformat() for name, at in period.items()} | more


async def test_each_policy_gives_its_timers_and_announces_under_its_own_key_and_version(bench: Bench) -> None:
    await bench.put_policy(_law(), key="law")
    await bench.case("case.opened", data={"kind": "complaint"})
    assert await _timers(bench) == {("acknowledge", "default", 2, 60.0), ("law_reply", "law", 1, 300.0)}
    await bench.tick(301)
    await bench.tick(2)
    told = {(item.type, item.timer, item.data["policy"]["key"]) for item in await bench.told()}
    assert ("sla.breached", "acknowledge", "default") in told
    assert ("sla.breached", "law_reply", "law") in told
    explained = await bench.get("/v1/sla/explain?subject_kind=case&ref=T-1")
    assert {(item["timer"], item["policy"]["key"]) for item in explained["timers"]} == {
        ("acknowledge", "default"), ("law_reply", "law"),
    }  # fmt: skip
    only = (await bench.get("/v1/sla/timers?policy=law"))["items"]
    assert [item["timer"] for item in only] == ["law_reply"]


async def test_the_policy_of_the_smaller_order_gives_a_timer_that_two_have(bench: Bench) -> None:
    await bench.put_policy(_law(acknowledge_within(30), _REPLY, order=50), key="strict")
    await bench.case("case.opened", "T-1", data={"kind": "complaint"})
    assert await _timers(bench) == {("acknowledge", "strict", 1, 30.0), ("law_reply", "strict", 1, 300.0)}
    await bench.put_policy(_law(acknowledge_within(30), _REPLY, order=200), key="strict")
    await bench.case("case.opened", "T-2", data={"kind": "complaint"})
    assert ("acknowledge", "default", 2, 60.0) in await _timers(bench)


async def test_a_policy_that_came_between_binds_a_case_from_its_reopening(bench: Bench) -> None:
    await bench.case("case.opened", data={"kind": "complaint"}, ago=300)
    await bench.case("case.remedied", ago=250)
    reopened = {**_REPLY, "start": ["case.opened", "case.reopened"]}
    await bench.put_policy(_law(reopened), key="law", effective_from=bench.clock() - timedelta(seconds=200))
    await bench.case("case.reopened", ago=100)
    timers = await _timers(bench)
    assert ("acknowledge", "default", 2, 60.0) in timers
    assert [row[:3] for row in timers if row[0] == "law_reply"] == [("law_reply", "law", 1)]
    sql = "SELECT t::text AS line FROM sla_timers t WHERE tenant_id = $1 ORDER BY 1"
    before = await bench.fetch(sql)
    await rebuild(bench.services.journal, bench.tenant_id)
    assert await bench.fetch(sql) == before


async def test_a_simulation_replaces_the_policy_of_one_key_and_names_it(bench: Bench) -> None:
    await bench.put_policy(_law(), key="law")
    await bench.case("case.opened", data={"kind": "complaint"}, ago=200)
    body = _body(bench, document=_law({**_REPLY, "due": {"duration": "PT100S"}}), key="law")
    found = (await bench.client.post("/v1/sla/simulations", json=body)).json()
    by_timer = {item["timer"]: item for item in found["timers"]}
    assert by_timer["law_reply"]["before"]["policies"] == [{"key": "law", "version": 1}]
    assert by_timer["law_reply"]["after"]["policies"] == [{"key": "law", "version": 0}]
    assert by_timer["acknowledge"]["after"]["policies"] == [{"key": "default", "version": 2}]
    assert (found["counts"]["would_breach"], found["counts"]["removed"]) == (1, 0)
    alone = (await bench.client.post("/v1/sla/simulations", json={**body, "key": None})).json()
    assert alone["counts"]["removed"] == 1, "a draft without a key is tried alone"
    wrong = await bench.client.post("/v1/sla/simulations", json={**body, "document": None})
    assert wrong.status_code == 422


async def test_a_recomputation_by_one_policy_leaves_the_others_bound_as_they_were(bench: Bench) -> None:
    await bench.put_policy(_law(), key="law")
    await bench.case("case.opened", data={"kind": "complaint"}, ago=200)
    later = bench.clock()
    await bench.put_policy(_law({**_REPLY, "due": {"duration": "PT900S"}}), key="law", effective_from=later)
    await bench.put_policy(policy_document(acknowledge_within(900)), effective_from=later)
    body = {**_body(bench), "reason": "the rule was read wrongly", "policy": {"key": "law"}}
    weighed = (await bench.client.post("/v1/sla/recomputations", json=body)).json()["comparison"]
    assert [item["timer"] for item in weighed["timers"]] == ["acknowledge", "law_reply"]
    assert (weighed["counts"]["moved"], weighed["counts"]["saved"]) == (1, 0)
    await bench.client.post("/v1/sla/recomputations", json={**body, "dry_run": False})
    services = bench.services
    await Recomputer(services.database, services.journal, services.timers).step()
    assert await _timers(bench) == {("acknowledge", "default", 2, 60.0), ("law_reply", "law", 2, 900.0)}


async def test_a_dry_run_weighs_every_kind_of_subject_that_opened_in_the_period(bench: Bench) -> None:
    await bench.post("interaction.ended", ("interaction", "call-1"), ago=100)
    await bench.post("interaction.ended", ("interaction", "call-0"), ago=40 * 86_400)
    await bench.case("case.opened", data={"kind": "complaint"}, ago=100)
    offer = policy_document()["rules"][0]["timers"][0]
    slower = policy_document(offer={**offer, "due": {"duration": "PT500S"}})
    await bench.put_policy(slower, effective_from=bench.clock())
    body = {**_body(bench), "reason": "offers may take longer", "policy": {"key": "default"}}
    weighed = (await bench.client.post("/v1/sla/recomputations", json=body)).json()["comparison"]
    assert weighed["counts"] == {"would_breach": 0, "saved": 1, "moved": 0, "added": 0, "removed": 0}
    assert weighed["saved"][0]["subject_id"].startswith("interaction_")
    assert weighed["subjects"] == 2


async def test_a_comparison_that_would_take_too_long_says_where_it_ended(
    bench: Bench, monkeypatch: Any
) -> None:
    for number in range(3):
        await bench.case("case.opened", f"T-{number}", ago=number + 1)
    body = _body(bench, document=default_policy_document("24x7"))
    whole = (await bench.client.post("/v1/sla/simulations", json=body)).json()
    assert (whole["subjects"], whole["truncated"], whole["truncated_by"]) == (3, False, None)
    cut = (await bench.client.post("/v1/sla/simulations", json={**body, "limit": 2})).json()
    assert (cut["opened"], cut["subjects"], cut["truncated_by"]) == (3, 2, "limit")
    assert (await bench.client.post("/v1/sla/simulations", json={**body, "limit": 2})).json() == {
        **cut, "as_of": ANY
    }  # fmt: skip
    monkeypatch.setattr(comparing, "CHUNK", 1)
    monkeypatch.setattr(comparing, "MOST_EVENTS", 1)
    large = (await bench.client.post("/v1/sla/simulations", json=body)).json()
    assert (large["subjects"], large["truncated"], large["truncated_by"]) == (1, True, "events")
    with comparing.one_at_a_time(bench.tenant_id):
        second = await bench.client.post("/v1/sla/simulations", json=body)
    assert (second.status_code, second.json()["code"]) == (409, "comparison_under_way")
