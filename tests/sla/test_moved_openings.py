"""A breach that was told, and an opening that moves under it: one truth, heard once."""

from __future__ import annotations

from typing import Any

import pytest

from app.journal.rebuild import rebuild
from tests.sla.conftest import Bench

_REF = "feedback:crm:R"


async def review(bench: Bench, version: int, ago: float, value: int = 1) -> None:
    data = {
        "channel": "review", "question": "stars", "scale": "stars_1_5", "value": value,
        "collection_mode": "scraped",
    }  # fmt: skip
    await bench.post(
        "review.published", ("review", "R"), data, ago=ago, id=f"r{version}", object="R", version=version
    )


async def told(bench: Bench) -> list[tuple[str, int]]:
    """What was said of the acknowledgement's breach, and the only cycle of which it was said."""
    said = [item for item in await bench.told() if item.timer == "acknowledge" and item.type != "sla.warning"]
    kinds = [(item.type, item.revision) for item in said if item.type != "sla.escalated"]
    rows = await bench.fetch(
        "SELECT DISTINCT cycle FROM announcements WHERE tenant_id = $1 AND timer = 'acknowledge'"
    )
    assert len(rows) <= 1, "one cycle, wherever it starts"
    return kinds


async def test_a_breach_stays_the_same_one_when_its_start_turns_out_to_be_earlier(bench: Bench) -> None:
    await review(bench, 2, 100)
    await bench.tick(10)
    assert await told(bench) == [("sla.breached", 0)]
    await review(bench, 1, 150)
    await bench.tick(10)
    await bench.tick(10)
    assert await told(bench) == [("sla.breached", 0)]
    (timer,) = (await bench.get("/v1/sla/timers?timer=acknowledge"))["items"]
    assert timer["state"] == "breached"
    opened = await bench.fetch("SELECT 1 FROM outbox WHERE tenant_id = $1 AND type = 'case.opened'")
    assert len(opened) == 1


@pytest.mark.parametrize(("stopped_ago", "said"), [(130, "sla.met"), (80, "sla.met_late")])
async def test_the_stop_that_comes_last_is_judged_by_the_earlier_start(
    bench: Bench, stopped_ago: int, said: str
) -> None:
    await review(bench, 2, 100)
    await bench.tick(10)
    await review(bench, 1, 150)
    await bench.tick(10)
    # the clock has moved on by twenty seconds since the first review was told
    await bench.case("case.acknowledged", _REF, ago=stopped_ago)
    await bench.tick(10)
    await bench.tick(10)
    expected: list[Any] = [("sla.breached", 0)]
    expected += [("sla.breach_revoked", 0), (said, 0)] if said == "sla.met" else [(said, 0)]
    kinds = await told(bench)
    assert [kind for kind, _ in kinds] == [kind for kind, _ in expected]
    before = [
        dict(row)
        for row in await bench.fetch("SELECT * FROM sla_timers WHERE tenant_id = $1 ORDER BY timer, cycle")
    ]
    await rebuild(bench.services.journal, bench.tenant_id)
    after = [
        dict(row)
        for row in await bench.fetch("SELECT * FROM sla_timers WHERE tenant_id = $1 ORDER BY timer, cycle")
    ]
    assert after == before


async def test_a_start_that_moves_back_and_forth_is_still_one_breach(bench: Bench) -> None:
    await review(bench, 2, 100)
    await bench.tick(10)
    await review(bench, 1, 150)
    await bench.post("event.retracted", None, {"event": "r1"})
    await bench.tick(10)
    await bench.tick(10)
    assert await told(bench) == [("sla.breached", 0)]
    opened = await bench.fetch("SELECT 1 FROM outbox WHERE tenant_id = $1 AND type = 'case.opened'")
    assert len(opened) == 1
