"""What comes late, out of order or not at all: silent sources, starts taken back, merged receipts."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest

from app.sla.silence import SourceWatch
from tests.sla.conftest import Bench, acknowledge_within, policy_document


async def _watch(bench: Bench, key: str = "crm", *, every: int, handles_cases: bool = True) -> SourceWatch:
    await bench.execute(
        "UPDATE sources SET handles_cases = $3, expected_every_seconds = $4 "
        "WHERE tenant_id = $1 AND key = $2",
        key,
        handles_cases,
        every,
    )
    await bench.execute("UPDATE tenant_head SET config_version = config_version + 1 WHERE tenant_id = $1")
    return SourceWatch(bench.services.database, bench.services.journal, bench.services.bell)


async def _silences(bench: Bench) -> list[dict[str, Any]]:
    rows = await bench.fetch("SELECT data FROM outbox WHERE tenant_id = $1 AND type = 'source.silent'")
    return [row["data"] for row in rows]


async def test_each_outage_of_a_source_is_told_once(bench: Bench) -> None:
    await bench.case("case.opened")
    watch = await _watch(bench, every=30)
    assert await watch.look(bench.tenant_id) == 0
    bench.clock.advance(seconds=31)
    assert [await watch.look(bench.tenant_id) for _ in range(3)] == [1, 0, 0]
    (told,) = await _silences(bench)
    assert (told["silent_source"], told["expected_every_seconds"]) == ("crm", 30)
    bench.clock.advance(seconds=10)
    await bench.case("case.assigned", data={"assignee": "olena"})
    assert await watch.look(bench.tenant_id) == 0
    bench.clock.advance(seconds=60)
    assert await watch.look(bench.tenant_id) == 1


async def test_a_breach_while_a_source_is_silent_is_provisional_until_it_speaks(bench: Bench) -> None:
    await bench.case("case.opened")
    await _watch(bench, every=30)
    await bench.tick(61)
    (breached,) = [told for told in await bench.told() if told.type == "sla.breached"]
    assert (breached.data["confidence"], breached.data["confidence_reason"]) == (
        "provisional",
        "source_silent",
    )
    await bench.tick(70)
    assert "sla.breach_confirmed" not in await bench.types()
    await bench.case("case.opened", "T-2")
    await bench.tick(61)
    types = await bench.types()
    assert "sla.breach_confirmed" not in types, "silent again: more than half a minute has passed"
    await bench.tick(50)
    await bench.case("case.assigned", "T-2", data={"assignee": "olena"})
    await bench.tick(15)
    types = [told.type for told in await bench.told() if told.data["subject"]["refs"] == ["T-1"]]
    assert (types.count("sla.breached"), types.count("sla.breach_confirmed")) == (1, 1)


async def test_a_silent_source_that_handles_no_cases_makes_nothing_provisional(bench: Bench) -> None:
    await bench.case("case.opened")
    await _watch(bench, every=30, handles_cases=False)
    await bench.tick(61)
    (breached,) = [told for told in await bench.told() if told.type == "sla.breached"]
    assert breached.data["confidence"] == "final"


async def test_a_breach_whose_start_is_taken_back_is_revoked_once(bench: Bench) -> None:
    await bench.case("case.opened", id="open-1")
    await bench.tick(61)
    await bench.post("event.retracted", None, {"event": "open-1"})
    await bench.tick(200)
    told = [item for item in await bench.told() if "breach" in item.type]
    assert [item.type for item in told] == ["sla.breached", "sla.breach_revoked"]
    assert told[1].data["confidence_reason"] == "start_retracted"
    assert (await bench.get("/v1/sla/timers"))["items"] == []


async def test_a_start_that_is_taken_back_before_its_breach_needs_no_revocation(bench: Bench) -> None:
    await bench.case("case.opened", id="open-1")
    await bench.post("event.retracted", None, {"event": "open-1"})
    await bench.tick(200)
    assert await bench.types() == []


async def test_a_statutory_clock_counts_from_the_earlier_receipt_of_a_merged_case(bench: Bench) -> None:
    await bench.put_policy(policy_document(acknowledge_within(600, clock_kind="statutory")))
    early = await bench.case("case.opened", "T-1", ago=500)
    await bench.case("case.opened", "T-2")
    await bench.case("case.merged", "T-1", {"into": "T-2"})
    (timer,) = (await bench.get("/v1/sla/timers?state=open"))["items"]
    assert timer["started_at"] == early.isoformat().replace("+00:00", "Z")
    await bench.tick(101)
    told = [item for item in await bench.told() if item.type == "sla.breached"]
    assert [item.data["subject"]["refs"] for item in told] == [["T-2", "T-1"]]


async def test_an_internal_clock_keeps_its_own_start_after_a_merge(bench: Bench) -> None:
    await bench.case("case.opened", "T-1", ago=30)
    began = await bench.case("case.opened", "T-2")
    await bench.case("case.merged", "T-1", {"into": "T-2"})
    (timer,) = (await bench.get("/v1/sla/timers?state=open"))["items"]
    assert timer["started_at"] == began.isoformat().replace("+00:00", "Z")


async def test_a_timer_known_by_its_day_is_listed_as_the_clock_reads_it(bench: Bench) -> None:
    await bench.case("case.opened", precision="day")
    await bench.tick(120)
    end_of_day = bench.clock().replace(hour=23, minute=59, second=59, microsecond=999_999)
    expected = "open" if bench.clock() < end_of_day - timedelta(seconds=5) else "breached"
    (timer,) = (await bench.get("/v1/sla/timers?timer=acknowledge"))["items"]
    assert timer["state"] == expected
    assert (await bench.get("/v1/sla/timers?overdue=true"))["items"] == []


FACTS = (
    ("case.opened", 200, {}),
    ("case.waiting_customer", 190, {}),
    ("case.resumed", 170, {}),
    ("case.acknowledged", 150, {}),
    ("case.remedied", 60, {}),
)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_same_facts_in_any_order_twice_and_in_pieces_give_the_same_timers(
    bench: Bench, seed: int
) -> None:
    await bench.put_policy(policy_document(acknowledge_within(40, pause=["waiting_customer"])))
    now = bench.clock()
    events = [
        {
            "type": kind,
            "id": kind,
            "source": "crm",
            "occurred_at": (now - timedelta(seconds=ago)).isoformat(),
            "data": data,
        }
        for kind, ago, data in FACTS
    ]
    random = Random(seed)
    orders = random.sample(list(permutations(events)), 3)
    for number, order in enumerate([tuple(events), *orders]):
        told = [{**event, "subject": {"kind": "case", "ref": f"T-{number}"}} for event in order]
        told = [{**event, "id": f"{number}-{event['id']}"} for event in told]
        told += random.sample(told, 2)
        cut = random.randrange(1, len(told))
        for piece in (told[:cut], told[cut:]):
            answer = await bench.client.post("/v1/events", json=piece)
            assert answer.status_code == 200, answer.text
            await bench.tick()
    rows = (await bench.get("/v1/sla/timers?timer=acknowledge"))["items"]
    shown = {(row["state"], row["started_at"], row["due_at"], row["stopped_at"]) for row in rows}
    assert (len(rows), len(shown)) == (4, 1)
    for row in rows:
        about = [
            item.type for item in await bench.told() if item.data["subject"]["id"] == row["subject"]["id"]
        ]
        wrong = about.count("sla.breached") - about.count("sla.breach_revoked")
        assert wrong == 0, "whatever was said meanwhile, the receiver ends with the truth"
