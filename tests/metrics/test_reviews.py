"""Reviews: the share that was answered in public, and the change of their stars."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

from app.db.tables.feedback import feedback
from tests.metrics.conftest import Ask
from tests.metrics.world import NOON, Answer, World, several


async def a_review(world: World, stars: int, location: str, days: int = 0) -> UUID:
    """A published review of which a subject is known; its id."""
    review_id, at = uuid4(), NOON + timedelta(days=days)
    answer = Answer(
        stars, at, "stars_1_5", kind="review", mode="scraped", channel="review", location=location,
        case_id=review_id,
    )  # fmt: skip
    await world.commit(answer)
    async with world.database.tenant(world.tenant_id) as connection:
        mine = feedback.c.subject_id == review_id
        await connection.execute(update(feedback).where(mine).values(subject_kind="review"))
    return review_id


async def reply(world: World, review_id: UUID, hours: float = 1, **told: Any) -> UUID:
    at = NOON + timedelta(hours=hours)
    return await world.event("review.replied", at, ("review", review_id), **told)


async def test_share_answered_counts_public_replies_of_humans_by_as_of(world: World, ask: Ask) -> None:
    kyiv = [await a_review(world, 2, "kyiv") for _ in range(8)]
    for _ in range(5):
        await a_review(world, 5, "lviv")
    for review_id in kyiv[:4]:
        await reply(world, review_id, human=True)
    await reply(world, kyiv[0])  # answered twice is answered once
    await reply(world, kyiv[4], human=False)  # by a machine
    await reply(world, kyiv[5], hours=30)
    taken_back = await reply(world, kyiv[6])
    await world.event("event.retracted", NOON, event_id=str(taken_back))
    await world.commit(Answer(5, scale="csat_1_5", kind="rating", location="lviv"))  # no review

    async def shown(**query: Any) -> list[tuple[Any, ...]]:
        rows = (await ask("reviews_answered_share", group_by=["location"], **query)).rows
        names = ("", "_n", "_answered", "_status")
        return [(r["location"], *(r["reviews_answered_share" + name] for name in names)) for r in rows]

    # kyiv: 5 of 8 in the end, 4 of 8 a day later; lviv: nobody answers
    assert await shown() == [("kyiv", 62.5, 8, 5, "low_n"), ("lviv", 0.0, 5, 0, "low_n")]
    later = (NOON + timedelta(hours=24)).isoformat()
    assert (await shown(as_of=later))[0] == ("kyiv", 50.0, 8, 4, "low_n")


async def test_an_unanswered_review_is_overdue_once_its_deadline_has_passed(world: World, ask: Ask) -> None:
    late, young, answered, *_ = [await a_review(world, 1, "kyiv") for _ in range(6)]
    for review_id, hours in ((late, 24), (young, 26), (answered, 24)):
        await world.timer(NOON + timedelta(hours=hours), subject_id=review_id, subject_kind="review")
    await reply(world, answered)
    as_of = (NOON + timedelta(hours=25)).isoformat()
    [row] = (await ask("reviews_overdue_share", "reviews_unanswered_share", as_of=as_of)).rows
    assert (row["reviews_overdue_share"], row["reviews_overdue_share_n"]) == (16.67, 6)
    assert (row["reviews_overdue_share_unanswered"], row["reviews_unanswered_share"]) == (5, 83.33)


async def test_a_period_without_reviews_has_no_share(world: World, ask: Ask) -> None:
    await world.commit(Answer(9))
    [row] = (await ask("reviews_answered_share")).rows
    assert (row["reviews_answered_share"], row["reviews_answered_share_status"]) == (None, "no_data")


async def test_the_delta_of_stars_is_the_difference_of_the_means(world: World, ask: Ask) -> None:
    # the 1st to the 10th: mean (4 * 3 + 2 * 3) / 6 = 3; the 11th to the 20th: 5 * 6 / 6 = 5
    for stars, days in ((4, -3), (2, -3), (5, 3), (5, 3)):
        for _ in range(3):
            await a_review(world, stars, "kyiv", days)
    periods = {
        "period": {"from": "2026-03-11", "to": "2026-03-21"},
        "compare": {"from": "2026-03-01", "to": "2026-03-11"},
    }
    [row] = (await ask("stars_mean", "stars_negative", **periods)).rows
    shown = (row["stars_mean"], row["stars_mean_previous"], row["stars_mean_difference"])
    assert shown == (5.0, 3.0, 2.0)
    assert row["stars_negative_difference"] == -50.0


async def test_scores_are_told_of_all_reviews_and_of_the_verified(http, world: World) -> None:
    # all: (5 * 5 + 1 * 5) / 10 = 3; the verified: 5
    review = Answer(5, scale="stars_1_5", kind="review", mode="scraped", channel="review")
    await world.commit(
        *several(5, replace(review, verification="verified")),
        *several(5, replace(review, value=1, verification="unverified")),
    )
    asked = "/v1/metrics/query?metrics=stars_mean&from=2026-03-01&to=2026-04-01"
    [everybody] = (await http.get(asked)).json()["rows"]
    told = (await http.get(f"{asked}&verification=verified")).json()
    assert (everybody["stars_mean"], told["rows"][0]["stars_mean"]) == (3.0, 5.0)
    behind = await http.get(told["drill"]["feedback"])
    assert behind.status_code == 200, behind.text
    assert len(behind.json()["items"]) == told["rows"][0]["stars_mean_n"] == 5
