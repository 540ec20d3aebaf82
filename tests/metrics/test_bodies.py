"""What was sent once is sent again byte for byte while nothing changed, and never to another reader."""

from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st

from app.metrics.bodies import Bodies, Body
from tests.conftest import MakeKey
from tests.metrics.asking import MARCH
from tests.metrics.world import Answer, World

ASKED = {"metrics": ["nps"], "group_by": ["location"], "period": MARCH, "order": ["location"]}


async def ask(http: httpx.AsyncClient, **more: object) -> httpx.Response:
    answer = await http.post("/v1/metrics/query", json={**ASKED, **more})
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_repeated_question_is_answered_from_memory_until_something_is_committed(
    http, world: World, march: World, services, monkeypatch
) -> None:
    first = await ask(http)
    monkeypatch.setattr("app.metrics.answer.compile_query", None)  # nothing may be counted for the second
    again = await ask(http)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    monkeypatch.undo()
    await world.commit(Answer(0, location="kyiv"))
    third = await ask(http)
    assert third.json()["rows"][1]["nps_n"] == first.json()["rows"][1]["nps_n"] + 1


async def test_a_remembered_page_keeps_its_cursor_and_forms_do_not_mix(http, march: World) -> None:
    pages = [await ask(http, limit=1) for _ in range(2)]
    assert pages[0].headers["x-next-cursor"] == pages[1].headers["x-next-cursor"]
    csv = await http.post("/v1/metrics/query?format=csv", json=ASKED)
    assert csv.headers["content-type"].startswith("text/csv")
    assert not csv.text.startswith("{")


async def test_who_may_not_read_rows_is_not_given_what_another_was(
    http, api_key: MakeKey, march: World
) -> None:
    seen = await ask(http)
    other = {"Authorization": f"Bearer {await api_key('metrics:read')}"}
    hidden = await http.post("/v1/metrics/query", json=ASKED, headers=other)
    assert hidden.headers["etag"] != seen.headers["etag"]
    assert hidden.content != seen.content


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 60)), max_size=60))
def test_the_memory_is_bounded_and_gives_back_what_it_was_given(kept: list[tuple[str, int]]) -> None:
    bodies, told = Bodies(most_bytes=100), {}
    for etag, size in kept:
        body = Body(b"x" * size, None)
        if bodies.find(etag) is None:
            told[etag] = body
        bodies.keep(etag, body)
        assert sum(len(found.content) for t in told if (found := bodies.find(t))) <= 100
        assert all(bodies.find(t) in (None, told[t]) for t in told)
    assert bodies.find("never kept") is None
