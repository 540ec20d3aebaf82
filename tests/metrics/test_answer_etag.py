"""An unchanged answer is not sent again; what reads the clock changes with it."""

from __future__ import annotations

import httpx

from tests.conftest import MovedClock
from tests.metrics.world import Answer, World


async def test_an_unchanged_answer_is_not_sent_again(http: httpx.AsyncClient, march: World) -> None:
    url = "/v1/metrics/query?metrics=nps&from=2026-03-01&to=2026-04-01"
    first = await http.get(url)
    again = await http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other_form = await http.get(url + "&format=csv", headers={"If-None-Match": first.headers["etag"]})
    assert other_form.status_code == 200
    await march.commit(Answer(0))
    changed = await http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_what_reads_the_clock_changes_its_tag_every_minute(
    http, world: World, clock: MovedClock
) -> None:
    by_clock = "/v1/metrics/query?metrics=sla_attainment&from=2026-03-01&to=2026-04-01"
    frozen = by_clock + "&as_of=2026-03-20"
    tags = {url: (await http.get(url)).headers["etag"] for url in (by_clock, frozen)}
    clock.advance(minutes=1)
    assert (await http.get(by_clock, headers={"If-None-Match": tags[by_clock]})).status_code == 200
    assert (await http.get(frozen, headers={"If-None-Match": tags[frozen]})).status_code == 304
