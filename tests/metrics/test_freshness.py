"""What an answer says of its sources: when each was heard of, whether it is silent, what share is its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from app.db.tables.configuration import sources
from app.domain.measures.registry import METRICS
from app.metrics.document import answer_document
from app.metrics.facts import SourceState
from tests.metrics.conftest import NOW, Ask
from tests.metrics.world import NOON, Answer, World, several

HOUR = timedelta(hours=1)


def test_a_source_is_silent_after_the_time_that_was_told_and_never_where_none_was():
    hourly = SourceState("pos", NOON, 3600)
    assert [hourly.is_silent(NOON + HOUR), hourly.is_silent(NOON + HOUR + timedelta(seconds=1))] == [
        False,
        True,
    ]
    assert SourceState("pos", NOON).is_silent(NOON + 1000 * HOUR) is None
    assert SourceState("pos", None, 3600).is_silent(NOON) is True


async def heard_of(world: World, key: str, at: datetime | None, expected: int | None) -> None:
    row = {
        "tenant_id": world.tenant_id,
        "key": key,
        "last_event_at": at,
        "expected_every_seconds": expected,
        "verification": "none",
        "sealed_secrets": [],
        "defaults": {},
        "handles_cases": False,
        "grace_seconds": 0,
        "backdate_bound_seconds": 0,
        "created_at": NOON,
    }
    async with world.database.tenant(world.tenant_id) as connection:
        await connection.execute(insert(sources).values(row))


def told(answer: Any) -> dict[str | None, dict[str, Any]]:
    return {source["source"]: source for source in answer_document(answer)["sources"]}


async def test_each_source_is_told_with_its_silence_and_its_share_of_each_metric(
    world: World, ask: Ask
) -> None:
    await heard_of(world, "crm", NOW - HOUR, 7200)
    await heard_of(world, "pos", NOW - 3 * HOUR, 7200)
    await world.commit(
        *several(6, Answer(10, source="crm", channel="call")),
        *several(2, Answer(0, NOON + HOUR, source="pos")),
        Answer(9, NOON + timedelta(days=60), source="pos"),  # of another period
        Answer(3, scale="csat_1_5", source="pos", mode="passive"),
    )
    brief = told(await ask("nps", group_by=["channel"]))
    assert {name: source["is_silent"] for name, source in brief.items()} == {"crm": False, "pos": True}
    assert "coverage" not in brief["crm"]
    full = told(await ask("nps", "csat_t2b", group_by=["channel"], granularity="day", freshness="full"))
    assert full["crm"]["coverage"] == [
        {"metric": "nps", "population": "feedback", "n": 6, "share": 0.75},
        {"metric": "csat_t2b", "population": "feedback", "n": 0, "share": 0.0},
    ]
    assert [part["share"] for part in full["pos"]["coverage"]] == [0.25, 1.0]
    assert (full["crm"]["last_occurred_at"], full["pos"]["last_occurred_at"]) == (NOON, NOON + HOUR)


async def test_sources_that_nobody_registered_and_filters_count(world: World, ask: Ask) -> None:
    await world.commit(*several(3, Answer(10, source="crm", location="kyiv")), Answer(0, source="pos"))
    await world.case(NOON, source="chat", location="kyiv")
    only = [{"dimension": "location", "values": ["kyiv"]}]
    full = told(await ask("happiness", "cases_opened", filters=only, freshness="full"))
    shares = {name: [part["share"] for part in source["coverage"]] for name, source in full.items()}
    assert shares == {"chat": [0.0, 1.0], "crm": [1.0, 0.0]}
    assert full["crm"]["last_event_at"] is None


async def test_the_shares_of_every_metric_are_counted_by_its_own_rules(world: World, ask: Ask) -> None:
    """Any metric can be asked; what it rests on by source is what it rests on in all."""
    await world.commit(Answer(5, scale="csat_1_5", source="crm", customer=b"a"), Answer(10, source="pos"))
    await world.count("visitors", 7, source="counter")
    case_id = await world.case(NOON, source="crm", closed_at=NOON + HOUR, first_response_at=NOON + HOUR)
    await world.timer(NOON, subject_id=case_id, source="crm")
    for metric in METRICS.values():
        if len(metric.populations) == 1:
            answer = await ask(metric.id, freshness="full")
            n = sum(part["n"] for source in told(answer).values() for part in source["coverage"])
            assert n == sum(row[f"{metric.id}_n"] for row in answer.rows), metric.id
    ratio = told(await ask("coverage", freshness="full"))
    shares = {name: [part["share"] for part in source["coverage"]] for name, source in ratio.items()}
    assert shares == {"counter": [0.0, 1.0], "crm": [0.5, 0.0], "pos": [0.5, 0.0]}  # answers, visitors


async def test_an_answer_gets_another_tag_when_a_source_falls_silent(world: World, ask: Ask) -> None:
    await heard_of(world, "crm", NOW, 7200)
    tags = [(await ask("nps", now=NOW + hours * HOUR)).etag for hours in (0, 1, 3)]
    assert tags[0] == tags[1] != tags[2]
