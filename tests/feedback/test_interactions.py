"""Answers about an interaction: counted when it ended, once a question, in whatever order all arrive."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import httpx

from tests.feedback.test_origins import post

Json = dict[str, Any]


def ended(call: str, day: int, name: str | None = None) -> Json:
    return {
        "type": "interaction.ended", "id": name or f"{call}-ended", "source": "pbx",
        "occurred_at": f"2026-03-{day:02}T10:00:00Z", "subject": {"kind": "interaction", "ref": call},
        "data": {"channel": "call"},
    }  # fmt: skip


def answer(name: str, call: str, day: int, *scores: int, **data: Any) -> Json:
    told = [{"question": f"q{n}", "scale": "csat_1_5", "value": score} for n, score in enumerate(scores, 1)]
    return {
        "type": "feedback.received", "id": name, "source": "crm",
        "occurred_at": f"2026-03-{day:02}T12:00:00Z",
        "data": {"channel": "call", "interaction": call, "answers": told, **data},
    }  # fmt: skip


def taken_back(name: str, source: str) -> Json:
    return {
        "type": "event.retracted", "id": f"no-{name}", "source": source,
        "occurred_at": "2026-03-30T10:00:00Z", "data": {"event": name},
    }  # fmt: skip


async def counted(client: httpx.AsyncClient) -> list[tuple[str, float, int, int]]:
    """By day: sum and number of the scores, and the items that they came in."""
    query = "granularity=day&from=2026-03-01&to=2026-04-01"
    scores = (await client.get(f"/v1/metrics/query?metrics=csat_mean&{query}")).json()["rows"]
    items = (await client.get(f"/v1/metrics/query?metrics=feedback_count&{query}")).json()["rows"]
    return [
        (score["bucket"][8:10], score["csat_mean_sum"], score["csat_mean_n"], item["feedback_count"])
        for score, item in zip(scores, items, strict=True)
    ]


async def test_an_answer_counts_when_its_call_ended_however_late_that_is_known(client) -> None:
    await post(client, ended("c1", 3), answer("a1", "c1", 6, 5))
    await post(client, answer("a2", "c2", 6, 4))
    await post(client, answer("a3", "nobody-told", 6, 1), answer("a4", "c4", 6, 1))
    assert await counted(client) == [("03", 5, 1, 1), ("06", 6, 3, 3)]
    await post(client, ended("c2", 4), ended("c4", 9))  # an answer during the call counts when it was given
    assert await counted(client) == [("03", 5, 1, 1), ("04", 4, 1, 1), ("06", 2, 2, 2)]
    await post(client, taken_back("c1-ended", "pbx"))
    await post(
        client,
        answer(
            "a5", "c2", 7, 3, experienced_at="2026-03-05T08:00:00Z", customer={"type": "crm", "value": "o"}
        ),
    )
    told = await counted(client)
    assert told == [("04", 4, 1, 1), ("05", 3, 1, 1), ("06", 7, 3, 3)]


async def test_the_last_answer_to_a_question_about_a_call_stands_in_any_order(client) -> None:
    given = ((5, (1, 2)), (6, (4,)), (7, (5,)))  # q1: 5 stands; q2: 2 stands, in an item of its own
    for number, order in enumerate(permutations(given)):
        for day, scores in order:
            await post(client, answer(f"{number}-{day}", f"call-{number}", day, *scores))
    at_once = [answer(f"x-{day}", "call-x", day, *scores) for day, scores in reversed(given)]
    await post(client, *at_once)
    assert await counted(client) == [("05", 14, 7, 7), ("07", 35, 7, 7)]
    await post(client, taken_back("x-7", "crm"))
    assert await counted(client) == [("05", 14, 7, 7), ("06", 4, 1, 1), ("07", 30, 6, 6)]


async def test_two_known_customers_of_one_visit_are_two_answers_and_words_are_no_repeat(client) -> None:
    for name in ("one", "two"):
        await post(client, answer(name, "visit", 5, 4, customer={"type": "crm", "value": name}))
    for name in ("first", "second"):
        word = answer(name, "visit", 5)
        word["data"].pop("answers")
        await post(client, word | {"data": word["data"] | {"text": name}})
    assert await counted(client) == [("05", 8, 2, 4)]
