"""What a message about a timer says: enough to act on it without asking back."""

from __future__ import annotations

from app.domain.sla import default_policy_document
from tests.sla.conftest import Bench

_ROUTING = {
    "owners": [{"employee": "olena"}],
    "rules": [{"name": "all", "when": {"kind": "complaint"}, "assignee": "ivan"}],
    "managers": {"ivan": "taras"},
}


async def test_each_rung_names_the_person_and_the_case_as_it_stands(bench: Bench) -> None:
    assert (await bench.client.put("/v1/routing", json=_ROUTING)).status_code == 200
    await bench.case("case.opened", data={"kind": "complaint", "channel": "email"})
    await bench.case("case.linked", data={"ref": "crm-9"})
    await bench.case("case.assessed", data={"severity": "sev2", "cause": "office_process.queue"})
    await bench.tick(61)
    await bench.tick(61)
    told = {item.type: item.data for item in await bench.told() if item.timer == "acknowledge"}
    rungs = {item.data["to"]: item.data["to_employee"] for item in await bench.told() if item.data["to"]}
    assert rungs == {"assignee": "ivan", "manager": "taras"}
    breached = told["sla.breached"]
    assert breached["subject"]["refs"] == ["T-1", "crm-9"]
    assert {name: breached["standing"][name] for name in ("state", "severity", "assignee", "cause")} == {
        "state": "open", "severity": "sev2", "assignee": "ivan", "cause": "office_process.queue",
    }  # fmt: skip
    assert (breached["to"], breached["to_employee"]) == (None, None)


async def test_without_routing_a_rung_names_only_an_assignee(bench: Bench) -> None:
    await bench.case("case.opened", data={"kind": "complaint", "assignee": "ivan"})
    await bench.tick(61)
    await bench.tick(61)
    rungs = {item.data["to"]: item.data["to_employee"] for item in await bench.told() if item.data["to"]}
    assert rungs == {"assignee": "ivan", "manager": None}


async def test_a_review_and_an_order_are_told_with_what_their_facts_said_last(bench: Bench) -> None:
    await bench.put_policy(default_policy_document("24x7"))
    review = {"kind": "review", "source_url": "https://maps.example/r/1", "lang": "uk", "question": "stars",
              "scale": "stars_1_5", "value": 1, "channel": "review", "location": "kyiv-1"}  # fmt: skip
    await bench.post("review.published", ("review", "R-1"), review)
    promised_at = bench.clock().replace(microsecond=0)
    await bench.post(
        "order.delay_predicted", ("order", "O-1"), {"promised_at": promised_at.isoformat(), "product": "bike"}
    )
    await bench.tick(4 * 86_400)
    rows = await bench.fetch("SELECT type, data FROM outbox WHERE tenant_id = $1 ORDER BY sequence")
    found = {row["type"]: row["data"] for row in rows}
    unanswered = found["review.unanswered"]
    assert unanswered["standing"]["source_url"] == "https://maps.example/r/1"
    [score] = unanswered["standing"]["scores"]
    assert (score["question"], score["value"], score["class"]) == ("stars", "1", "negative")
    missed = found["delay_notice.missed"]
    assert missed["subject"]["refs"] == ["O-1"]
    assert missed["standing"]["promised_at"].startswith(promised_at.isoformat()[:19])
    assert missed["standing"]["last_event"]["type"] == "order.delay_predicted"
