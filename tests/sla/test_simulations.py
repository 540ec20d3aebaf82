"""Simulations and recomputations: the same clock over past cases, with other versions, telling nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.journal.rebuild import rebuild
from app.sla.recomputations.loop import Recomputer
from tests.sla.conftest import Bench, acknowledge_within, policy_document


def _period(bench: Bench, **more: Any) -> dict[str, Any]:
    now = bench.clock()
    opened_from, opened_before = now - timedelta(days=30), now + timedelta(days=1)
    return {"opened_from": opened_from.isoformat(), "opened_before": opened_before.isoformat(), **more}


async def _simulate(bench: Bench, **body: Any) -> Any:
    answer = await bench.client.post("/v1/sla/simulations", json=_period(bench, **body))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _three_cases(bench: Bench) -> None:
    """Acknowledged after 20 s, after 50 s, never; one minute is allowed."""
    for number, after in enumerate((20, 50)):
        await bench.case("case.opened", f"T-{number}", ago=200)
        await bench.case("case.acknowledged", f"T-{number}", ago=200 - after)
    await bench.case("case.opened", "T-2", ago=200)


async def test_a_stricter_draft_says_who_would_have_breached_and_writes_nothing(bench: Bench) -> None:
    await _three_cases(bench)
    before = await bench.fetch("SELECT * FROM sla_timers WHERE tenant_id = $1 ORDER BY subject_id, timer")
    told = await bench.types()
    found = await _simulate(bench, document=policy_document(acknowledge_within(30)))
    (timer,) = [item for item in found["timers"] if item["timer"] == "acknowledge"]
    assert (timer["before"]["met"], timer["before"]["breached"]) == (2, 1)
    assert (timer["after"]["met"], timer["after"]["breached"]) == (1, 2)
    assert (timer["before"]["attainment"], timer["after"]["attainment"]) == (0.666667, 0.333333)
    assert (len(found["would_breach"]), found["saved"], found["subjects"]) == (1, [], 3)
    after = await bench.fetch("SELECT * FROM sla_timers WHERE tenant_id = $1 ORDER BY subject_id, timer")
    assert (before, told) == (after, await bench.types())


async def test_a_draft_that_would_be_refused_at_save_is_refused_with_its_place(bench: Bench) -> None:
    bad = policy_document(acknowledge_within(0))
    answer = await bench.client.post("/v1/sla/simulations", json=_period(bench, document=bad))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"].startswith("/document/rules/1/timers/0/due")
    nothing = await bench.client.post("/v1/sla/simulations", json=_period(bench))
    assert nothing.status_code == 422


async def test_a_preset_of_law_is_tried_beside_what_binds(bench: Bench) -> None:
    await bench.case("case.opened", data={"kind": "complaint"}, ago=17 * 86_400)
    found = await _simulate(bench, preset="cfpb_portal")
    by_timer = {item["timer"]: item for item in found["timers"]}
    assert by_timer["cfpb_response"]["after"]["breached"] == 1
    assert by_timer["acknowledge"]["before"] == by_timer["acknowledge"]["after"]
    assert found["counts"]["added"] == 2


async def _close_all_days(bench: Bench) -> None:
    """The forgotten holiday: a version of the calendar in which yesterday, today and tomorrow are closed."""
    (row,) = await bench.fetch(
        "SELECT document FROM calendars WHERE tenant_id = $1 AND key = '24x7' ORDER BY version DESC LIMIT 1"
    )
    days = [(bench.clock() + timedelta(days=shift)).date().isoformat() for shift in (-1, 0, 1)]
    document = {**row["document"], "exceptions": [{"date": day, "closed": True} for day in days]}
    answer = await bench.client.put("/v1/calendars/24x7", json=document)
    assert answer.status_code == 200, answer.text


def _business_minute() -> dict[str, Any]:
    return policy_document(acknowledge_within(60, due={"duration": "PT60S", "clock": "business"}))


async def _recompute(bench: Bench, **more: Any) -> Any:
    body = {"opened_from": _period(bench)["opened_from"], "reason": "a forgotten day off", **more}
    answer = await bench.client.post("/v1/sla/recomputations", json=body)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


async def test_a_forgotten_holiday_is_weighed_then_applied_without_a_word(bench: Bench) -> None:
    await bench.put_policy(_business_minute())
    await bench.case("case.opened")
    await bench.tick(61)
    told = await bench.types()
    assert "sla.breached" in told
    await _close_all_days(bench)
    weighed = await _recompute(bench)
    assert weighed["comparison"]["counts"]["saved"] == 1
    assert [row["state"] for row in (await bench.get("/v1/sla/timers"))["items"]] == ["breached"]
    begun = (await _recompute(bench, dry_run=False))["recomputation"]
    assert begun["state"] == "applying"
    services = bench.services
    await Recomputer(services.database, services.journal, services.timers).step()
    done = await bench.get(f"/v1/sla/recomputations/{begun['id']}")
    assert (done["state"], done["counts"]) == ("done", {"subjects": 1, "changed": 1})
    assert [row["state"] for row in (await bench.get("/v1/sla/timers"))["items"]] == ["open"]
    await bench.tick(5)
    assert await bench.types() == told
    audit = await bench.fetch("SELECT detail FROM audit WHERE tenant_id = $1 AND action = 'sla.recompute'")
    assert "forgotten" in audit[0]["detail"]


async def test_what_falls_due_after_a_recomputation_is_announced(bench: Bench) -> None:
    await bench.put_policy(policy_document(acknowledge_within(600)))
    await bench.case("case.opened")
    await bench.put_policy(policy_document(acknowledge_within(30)))
    await _recompute(bench, dry_run=False, policy={"key": "default"})
    await bench.tick(40)
    assert await bench.types() == []
    services = bench.services
    await Recomputer(services.database, services.journal, services.timers).step()
    await bench.tick(3)
    assert await bench.types() == []
    await bench.tick(40)
    assert await bench.types() == ["sla.escalated"]


async def test_closed_periods_are_frozen_and_a_rebuild_finds_the_recomputed_timers(bench: Bench) -> None:
    await bench.put_policy(_business_minute())
    await bench.case("case.opened", "old", ago=1000)
    await bench.case("case.opened", "new", ago=100)
    await _close_all_days(bench)
    frozen = (bench.clock() - timedelta(seconds=500)).isoformat()
    await _recompute(bench, dry_run=False, opened_from=frozen)
    services = bench.services
    await Recomputer(services.database, services.journal, services.timers).step()
    sql = "SELECT t::text AS line FROM sla_timers t WHERE tenant_id = $1 ORDER BY 1"
    before = [row["line"] for row in await bench.fetch(sql)]
    states = sorted(row["state"] for row in (await bench.get("/v1/sla/timers"))["items"])
    assert states == ["breached", "open"]
    await rebuild(services.journal, bench.tenant_id)
    assert [row["line"] for row in await bench.fetch(sql)] == before


async def test_a_second_recomputation_waits_for_the_first(bench: Bench) -> None:
    await _recompute(bench, dry_run=False)
    body = {"opened_from": _period(bench)["opened_from"], "reason": "again", "dry_run": False}
    answer = await bench.client.post("/v1/sla/recomputations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "recomputation_under_way")
    listed = (await bench.get("/v1/sla/recomputations"))["items"]
    assert [item["state"] for item in listed] == ["applying"]
