"""Presets of law over HTTP: listed with their sources, adopted as a new version of a policy."""

from __future__ import annotations

from app.domain.sla import default_policy_document
from tests.sla.conftest import Bench


async def test_presets_are_listed_with_their_source_and_the_warning(bench: Bench) -> None:
    listed = (await bench.get("/v1/sla/presets"))["items"]
    assert {"fca_payments", "cfpb_portal", "ua_appeals_art20"} <= {item["key"] for item in listed}
    assert all(item["source"] and "Verify before use" in item["warning"] for item in listed)
    one = await bench.get("/v1/sla/presets/fca_payments")
    assert one["rule"]["timers"][0]["clock_kind"] == "statutory"
    missing = await bench.client.get("/v1/sla/presets/fca_payment")
    assert (missing.status_code, "fca_payments" in missing.text) == (404, True)


async def test_an_adopted_preset_runs_beside_the_internal_timers(bench: Bench) -> None:
    answer = await bench.client.post("/v1/sla/presets/cfpb_portal/adoptions", json={"verified": True})
    assert answer.status_code == 201, answer.text
    policy = answer.json()
    assert policy["document"]["rules"][0]["name"] == "cfpb_portal"
    again = await bench.client.post("/v1/sla/presets/cfpb_portal/adoptions", json={"verified": True})
    assert again.json()["version"] == policy["version"]
    await bench.case("case.opened", data={"kind": "complaint"})
    timers = (await bench.get("/v1/sla/timers"))["items"]
    assert {(timer["timer"], timer["clock_kind"]) for timer in timers} == {
        ("acknowledge", "internal"),
        ("cfpb_response", "statutory"),
        ("cfpb_final", "statutory"),
    }
    audit = await bench.fetch("SELECT detail FROM audit WHERE tenant_id = $1 AND action = 'preset.adopt'")
    assert "verified" in audit[0]["detail"]


async def test_a_preset_needs_a_policy_and_a_calendar_that_exist(bench: Bench) -> None:
    path = "/v1/sla/presets/cfpb_portal/adoptions"
    nowhere = await bench.client.post(path, json={"verified": True, "policy": "nowhere"})
    assert nowhere.status_code == 404
    calendar = await bench.client.post(path, json={"verified": True, "calendar": "moon"})
    assert (calendar.status_code, calendar.json()["code"]) == (422, "unknown_calendar")
    assert (await bench.client.post(path, json={})).status_code == 422


async def test_an_order_a_review_and_an_action_have_their_timers_and_are_explained(bench: Bench) -> None:
    await bench.put_policy(default_policy_document("24x7"))
    await bench.post("order.delay_predicted", ("order", "O-1"))
    await bench.post("review.published", ("review", "R-1"), {"kind": "review", "text": "never again"})
    await bench.post("corrective_action.opened", ("action", "A-1"))
    await bench.post("debrief.opened", ("debrief", "D-1"))
    for kind, ref, timer in (
        ("order", "O-1", "delay_notice"),
        ("review", "R-1", "review_reply"),
        ("action", "A-1", "systemic_fix"),
        ("debrief", "D-1", "staff_debrief"),
    ):
        explained = await bench.get(f"/v1/sla/explain?subject_kind={kind}&ref={ref}")
        assert timer in {item["timer"] for item in explained["timers"]}
        assert f"{timer} runs from" in " ".join(item["explanation"] for item in explained["timers"])
    missing = await bench.client.get("/v1/sla/explain?subject_kind=order&ref=O-2")
    assert missing.status_code == 404


async def test_a_delay_is_announced_at_once_and_missed_after_the_hour(bench: Bench) -> None:
    await bench.put_policy(default_policy_document("24x7"))
    await bench.post("order.delay_predicted", ("order", "O-1"))
    await bench.tick()
    await bench.tick(3601)
    rows = await bench.fetch("SELECT type FROM outbox WHERE tenant_id = $1 AND type LIKE 'delay_notice.%'")
    assert [row["type"] for row in rows] == ["delay_notice.due", "delay_notice.missed"]


async def test_a_told_delay_is_never_missed(bench: Bench) -> None:
    await bench.put_policy(default_policy_document("24x7"))
    await bench.post("order.delay_predicted", ("order", "O-1"))
    await bench.post("customer.notified", ("order", "O-1"))
    await bench.tick(4000)
    rows = await bench.fetch("SELECT type FROM outbox WHERE tenant_id = $1 AND type LIKE 'delay_notice.%'")
    assert "delay_notice.missed" not in [row["type"] for row in rows]
