"""Saved queries have a stable address; a feed of one is a signed address that expires and may be revoked."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotFoundError
from app.kit.crypto import Sealer, generate_master_key
from app.main import create_app
from app.metrics.saved.token import open_feed
from app.wiring import Services
from tests.conftest import MakeKey, MovedClock
from tests.metrics.world import Answer, World, several

QUERIES = "/v1/metrics/queries"
SAVED = {
    "title": "NPS by location",
    "query": {
        "metrics": ["nps"],
        "group_by": ["location"],
        "period": {"from": "2026-03-01", "to": "2026-04-01"},
    },
}


@pytest.fixture
async def march(world: World) -> World:
    await world.commit(
        *several(6, Answer(10, location="kyiv")),
        *several(6, Answer(2, location="lviv")),
        *several(2, Answer(2, location="odesa")),
    )
    return world


@pytest.fixture
async def anyone(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A spreadsheet: it has no key."""
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test") as anyone:
        yield anyone


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_a_query_is_saved_answered_changed_and_deleted(client, march: World) -> None:
    saved = await client.put(f"{QUERIES}/nps-by-location", json=SAVED)
    assert (saved.status_code, saved.json()["query"]["metrics"]) == (200, ["nps"])
    asked = await client.post("/v1/metrics/query", json=SAVED["query"])
    answer = await client.get(saved.json()["url"])
    assert answer.json()["rows"] == asked.json()["rows"]
    as_csv = await client.get(saved.json()["url"] + ".csv")
    assert [row["location"] for row in rows(as_csv)] == ["kyiv", "lviv", "odesa"]
    assert 'filename="nps-by-location.csv"' in as_csv.headers["content-disposition"]
    same = await client.get(saved.json()["url"], headers={"If-None-Match": answer.headers["etag"]})
    assert same.status_code == 304
    changed = {"title": "Less", "query": {**SAVED["query"], "limit": 1}}
    assert (await client.put(f"{QUERIES}/nps-by-location", json=changed)).json()["title"] == "Less"
    page = (await client.get(saved.json()["url"])).json()
    assert len(page["rows"]) == 1
    more = (await client.get(saved.json()["url"], params={"cursor": page["next_cursor"]})).json()
    assert [row["location"] for row in more["rows"]] == ["lviv"]
    assert [item["key"] for item in (await client.get(QUERIES)).json()["items"]] == ["nps-by-location"]
    assert (await client.delete(f"{QUERIES}/nps-by-location")).status_code == 204
    assert (await client.get(saved.json()["url"])).status_code == 404


@pytest.mark.parametrize(
    ("key", "change", "pointer"),
    [
        ("ok", {"metrics": ["npz"]}, "/query/metrics/0"),
        ("ok", {"group_by": ["planet"]}, "/query/group_by/0"),
        ("ok", {"cursor": "abc"}, "/query/cursor"),
        ("ok", {"limit": 0}, "/query/limit"),
        ("Not-A-Key", {}, "path:key"),
    ],
)
async def test_a_query_that_cannot_be_answered_is_not_saved(client, key, change, pointer) -> None:
    refused = await client.put(f"{QUERIES}/{key}", json={"title": "x", "query": {**SAVED["query"], **change}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_a_feed_is_csv_for_whoever_has_its_address_until_it_is_revoked(
    client, anyone, march: World
) -> None:
    await client.put(f"{QUERIES}/nps", json=SAVED)
    feed = (await client.post(f"{QUERIES}/nps/feeds", json={"name": "sheet"})).json()
    assert feed["url"].startswith("http://vidhuk.test/feeds/")
    answer = await anyone.get(feed["url"])
    told = {row["location"]: (row["nps"], row["nps_promoters"]) for row in rows(answer)}
    assert told["odesa"] == ("", "")
    assert [name for name, (value, _) in told.items() if value] in (
        ["kyiv"],
        ["lviv"],
    )  # the other would tell
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (
        await anyone.get(feed["url"], headers={"If-None-Match": answer.headers["etag"]})
    ).status_code == 304
    assert (await anyone.get(feed["url"].removesuffix("csv") + "xlsx")).status_code == 200
    (listed,) = (await client.get(f"{QUERIES}/nps/feeds")).json()["items"]
    assert (listed["id"], listed["state"]) == (feed["id"], "live")
    assert "url" not in listed
    assert (await client.delete(f"/v1/metrics/feeds/{feed['id']}")).status_code == 204
    refused = await anyone.get(feed["url"])
    assert (refused.status_code, refused.json()["code"]) == (404, "feed_revoked")


async def test_a_feed_expires(client, anyone, march: World, clock: MovedClock) -> None:
    await client.put(f"{QUERIES}/nps", json=SAVED)
    feed = (await client.post(f"{QUERIES}/nps/feeds", json={"name": "sheet", "expires_in_days": 1})).json()
    clock.advance(hours=23)
    assert (await anyone.get(feed["url"])).status_code == 200
    clock.advance(hours=2)
    assert (await anyone.get(feed["url"])).json()["code"] == "feed_expired"


async def test_a_feed_shows_small_groups_only_if_its_maker_may_see_them(
    client, anyone, march: World, api_key: MakeKey
) -> None:
    await client.put(f"{QUERIES}/nps", json=SAVED)
    wanted = {"name": "sheet", "reads_rows": True}
    poor = {"Authorization": f"Bearer {await api_key('config:manage')}"}
    assert (await client.post(f"{QUERIES}/nps/feeds", json=wanted, headers=poor)).status_code == 403
    feed = (await client.post(f"{QUERIES}/nps/feeds", json=wanted)).json()
    told = {row["location"]: row["nps_detractors"] for row in rows(await anyone.get(feed["url"]))}
    assert told["odesa"] == "2"


async def test_an_altered_address_is_no_feed(client, anyone, march: World) -> None:
    await client.put(f"{QUERIES}/nps", json=SAVED)
    url = (await client.post(f"{QUERIES}/nps/feeds", json={"name": "sheet"})).json()["url"]
    place = url.index("/feeds/") + 30
    other = url[:place] + ("A" if url[place] != "A" else "B") + url[place + 1 :]
    assert (await anyone.get(other)).json()["code"] == "no_such_feed"


async def test_a_file_is_read_in_parts(client, anyone, march: World) -> None:
    await client.put(f"{QUERIES}/nps", json=SAVED)
    url = (await client.post(f"{QUERIES}/nps/feeds", json={"name": "sheet"})).json()["url"]
    whole = (await anyone.get(url)).content
    size = await anyone.head(url)
    assert (size.status_code, size.headers["content-length"]) == (200, str(len(whole)))
    parts = {
        "bytes=0-9": whole[:10],
        "bytes=10-": whole[10:],
        "bytes=-8": whole[-8:],
        "bytes=5-99999": whole[5:],
    }
    for wanted, part in parts.items():
        answer = await anyone.get(url, headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (206, part)
        assert answer.headers["content-range"].endswith(f"/{len(whole)}")
    beyond = await anyone.get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    for careless in ("bytes=-", "bytes=3-1,5-6", "lines=1-2"):
        assert (await anyone.get(url, headers={"Range": careless})).content == whole


@given(st.text(max_size=80))
def test_a_token_that_was_not_sealed_here_is_refused(text: str) -> None:
    with pytest.raises(NotFoundError):
        open_feed(Sealer([generate_master_key("k")]), text)
