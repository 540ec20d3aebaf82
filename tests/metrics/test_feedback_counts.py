"""Scores counted from rows: small worlds whose totals are derived beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.domain.errors import InvalidError
from tests.metrics.conftest import Ask
from tests.metrics.world import NOON, Answer, World, several


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_nps_of_a_month_by_location(world: World, ask: Ask) -> None:
    # kyiv: 6 promoters, 2 passives, 2 detractors -> 100 * (6 - 2) / 10 = 40
    # lviv: 0 promoters, 0 passives, 5 detractors -> -100
    await world.commit(
        *several(6, Answer(10, location="kyiv")),
        *several(2, Answer(7, location="kyiv")),
        *several(2, Answer(6, location="kyiv")),
        *several(5, Answer(0, location="lviv")),
    )
    answer = await ask("nps", group_by=["location"])
    assert [(row["location"], row["nps"], row["nps_n"], row["nps_status"]) for row in answer.rows] == [
        ("kyiv", 40.0, 10, "low_n"),
        ("lviv", -100.0, 5, "low_n"),
    ]
    assert {row["scale_id"] for row in answer.rows} == {"nps_0_10"}
    assert answer.rows[0]["nps_promoters"] == 6
    assert answer.reads[0].source == "rows"


async def test_a_score_is_never_mixed_over_scales_or_collection_modes(world: World, ask: Ask) -> None:
    await world.commit(
        *several(10, Answer(5, scale="csat_1_5")),
        *several(10, Answer(1, scale="csat_1_7")),
        *several(10, Answer(1, scale="csat_1_5", mode="passive")),
    )
    answer = await ask("csat_t2b", "csat_mean")
    shown = {(row["collection_mode"], row["scale_id"]): row["csat_t2b"] for row in answer.rows}
    assert shown == {
        ("invited", "csat_1_5"): 100.0,
        ("invited", "csat_1_7"): 0.0,
        ("passive", "csat_1_5"): 0.0,
    }
    assert [ref.name for ref in answer.query.group_by] == ["collection_mode", "scale_id"]


async def test_happiness_spans_scales_and_modes_and_knows_labels(world: World, ask: Ask) -> None:
    # positive 12 (9 nps + 3 labelled texts), neutral 3, negative 5 -> 100 * 12 / 20 = 60; 4 unknown, 2 silent
    await world.commit(
        *several(9, Answer(9)),
        *several(3, Answer("positive", scale="text_only", mode="scraped")),
        *several(3, Answer(3, scale="stars_1_5", mode="scraped")),
        *several(5, Answer(-1, scale="button_3", mode="passive")),
        *several(4, Answer(None, scale="text_only")),
        *several(2, Answer(None, silent=True)),
    )
    answer = await ask("happiness", "responses", "feedback_count", "silent", "survey_acts")
    [row] = answer.rows
    assert (row["happiness"], row["happiness_n"], row["happiness_unknown"]) == (60.0, 20, 4)
    assert row["responses"] == 24
    assert row["feedback_count"] == 24
    assert row["silent"] == 2
    assert row["survey_acts"] == 26


async def test_answers_of_one_item_count_the_item_once(world: World, ask: Ask) -> None:
    await world.commit(
        *several(3, Answer(9, kind="complaint", index=0)),
        *several(3, Answer(4, scale="csat_1_5", kind="complaint", index=1)),
    )
    [row] = (await ask("responses", "feedback_count", "complaints")).rows
    assert (row["responses"], row["feedback_count"], row["complaints"]) == (6, 3, 3)


async def test_only_the_current_version_of_an_answer_counts(world: World, ask: Ask) -> None:
    review = Answer(1)
    await world.commit(review, *several(5, Answer(9)))
    before = await ask("nps")
    await world.commit(Answer(10, answer_id=review.answer_id))
    after = await ask("nps")
    assert (before.rows[0]["nps"], after.rows[0]["nps"]) == (66.67, 100.0)
    assert after.rows[0]["nps_n"] == 6
    await world.commit(ended=[review.answer_id])
    assert (await ask("nps")).rows[0]["nps_n"] == 5


async def test_known_at_shows_the_numbers_of_an_earlier_commit(world: World, ask: Ask) -> None:
    review = Answer(1)
    first = await world.commit(review, *several(5, Answer(9)))
    await world.commit(Answer(10, answer_id=review.answer_id), *several(4, Answer(9)))
    assert (await ask("nps", known_at=first)).rows[0]["nps"] == 66.67
    assert (await ask("nps")).rows[0]["nps_n"] == 10
    with pytest.raises(InvalidError, match="last commit is 2"):
        await ask("nps", known_at=3)
    with pytest.raises(InvalidError, match="known only as they are now"):
        await ask("cases_opened", known_at=1)


async def test_invalid_presses_are_counted_nowhere(world: World, ask: Ask) -> None:
    await world.commit(*several(6, Answer(10)), *several(4, Answer(0, qualification="invalid")))
    [row] = (await ask("nps")).rows
    assert (row["nps"], row["nps_n"]) == (100.0, 6)


async def test_nothing_is_null_and_never_zero(world: World, ask: Ask) -> None:
    [row] = (await ask("nps")).rows
    assert (row["nps"], row["nps_n"], row["nps_status"], row["nps_promoters"]) == (None, 0, "no_data", None)
    [counts] = (await ask("responses", "cases_opened", "visitors")).rows
    assert [counts[name] for name in ("responses", "cases_opened", "visitors")] == [None, None, None]
    assert (await ask("responses", group_by=["location"])).rows == []


async def test_no_complaints_among_answers_are_zero(world: World, ask: Ask) -> None:
    await world.commit(Answer(9))
    assert (await ask("complaints")).rows[0]["complaints"] == 0


async def test_filters_keep_and_complement(world: World, ask: Ask) -> None:
    await world.commit(
        *several(1, Answer(9, location="kyiv")),
        *several(2, Answer(9, location="lviv")),
        *several(4, Answer(9, location=None)),
        *several(8, Answer(9, location="odesa")),
    )

    async def counted(op: str, *values: str) -> int:
        condition = {"dimension": "location", "op": op, "values": list(values)}
        return (await ask("responses", filters=[condition])).rows[0]["responses"]

    assert await counted("eq", "kyiv") == 1
    assert await counted("ne", "kyiv") == 14  # what has no location is not kyiv either
    assert await counted("in", "kyiv", "lviv") == 3
    assert await counted("not_in", "kyiv", "lviv") == 12
    assert await counted("is_null") == 4
    assert await counted("not_null") == 11


async def test_registered_attributes_group_and_filter_in_their_type(world: World, ask: Ask) -> None:
    await world.attribute("agency")
    await world.attribute("floor", "number")
    await world.attribute("vip", "boolean")
    await world.commit(
        Answer(9, attributes={"agency": "DOT", "floor": 2, "vip": True}),
        Answer(9, attributes={"agency": "DOT", "floor": 10, "vip": False}),
        Answer(9, attributes={"agency": "NYPD", "floor": "ground"}),
    )
    by_agency = await ask("responses", group_by=["attributes.agency"])
    assert [(r["attributes.agency"], r["responses"]) for r in by_agency.rows] == [("DOT", 2), ("NYPD", 1)]
    by_floor = await ask("responses", group_by=["attributes.floor"])
    assert [row["attributes.floor"] for row in by_floor.rows] == [2.0, 10.0, None]
    by_vip = await ask("responses", group_by=["attributes.vip"])
    assert [row["attributes.vip"] for row in by_vip.rows] == [False, True, None]
    above = {"dimension": "attributes.floor", "op": "gte", "values": [9]}
    assert (await ask("responses", filters=[above])).rows[0]["responses"] == 1
    vip = {"dimension": "attributes.vip", "op": "eq", "values": [True]}
    assert (await ask("responses", filters=[vip])).rows[0]["responses"] == 1


async def test_the_latest_answer_of_each_customer(world: World, ask: Ask) -> None:
    anna, boris = b"a" * 16, b"b" * 16
    await world.commit(
        Answer(0, customer=anna, at=NOON),
        Answer(10, customer=anna, at=NOON + timedelta(days=1)),
        Answer(10, customer=boris, at=NOON),
        Answer(None, customer=boris, silent=True, at=NOON + timedelta(days=2)),
        *several(4, Answer(10)),
    )
    everyone = await ask("nps")
    latest = await ask("nps", respondents="latest_per_customer")
    assert (everyone.rows[0]["nps_n"], latest.rows[0]["nps_n"]) == (7, 6)
    assert latest.rows[0]["nps_detractors"] == 0


async def test_a_relational_answer_stands_until_it_is_given_again_within_90_days(world, ask) -> None:
    anna = b"a" * 16
    await world.relational("loyalty")
    first = Answer(0, question="loyalty", customer=anna, at=utc("2026-01-01T12:00:00"))
    after_90 = Answer(10, question="loyalty", customer=anna, at=utc("2026-04-01T12:00:00"))
    after_91 = Answer(10, question="loyalty", customer=anna, at=utc("2026-07-01T12:00:01"))
    year = {"period": {"from": "2026-01-01", "to": "2027-01-01"}, "now": utc("2026-12-01T00:00:00")}

    async def detractors_and_promoters() -> tuple[int, int]:
        [row] = (await ask("nps", **year)).rows
        return row["nps_detractors"], row["nps_promoters"]

    await world.commit(after_90)  # the later one arrives first
    await world.commit(first)
    assert await detractors_and_promoters() == (0, 1)
    await world.commit(after_91)
    assert await detractors_and_promoters() == (0, 2)
    other = Answer(0, question="loyalty", customer=b"b" * 16, at=utc("2026-01-01T12:00:00"))
    anonymous = several(2, Answer(0, question="loyalty", at=utc("2026-01-01T12:00:00")))
    transactional = Answer(0, question="visit", customer=anna, at=utc("2026-01-01T12:00:00"))
    await world.commit(other, *anonymous, transactional)
    assert await detractors_and_promoters() == (4, 2)
    await world.commit(ended=[after_90.answer_id])
    assert await detractors_and_promoters() == (5, 1)


async def test_a_complaint_stands_even_where_its_answer_is_given_again(world: World, ask: Ask) -> None:
    await world.relational("loyalty")
    shared = {"question": "loyalty", "customer": b"a" * 16, "kind": "complaint"}
    await world.commit(
        Answer(0, at=NOON, **shared), Answer(1, at=NOON + timedelta(days=3), answer_id=uuid4(), **shared)
    )
    [row] = (await ask("complaints", "feedback_count")).rows
    assert (row["complaints"], row["feedback_count"]) == (2, 2)
    assert (await ask("nps")).rows[0]["nps_n"] == 1


async def test_another_tenant_sees_nothing_of_it(world: World, ask: Ask, services) -> None:
    from tests.conftest import make_tenant

    await world.commit(*several(6, Answer(9)))
    stranger = await make_tenant(services, "stranger")
    world.tenant_id = stranger.tenant_id
    assert (await ask("nps")).rows[0]["nps_n"] == 0
