"""`vidhuk export` and `vidhuk replay`: everything that is kept, and what a receiver missed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.builders import rating
from tests.command_line.conftest import Typed
from tests.conftest import MakeKey, MovedClock


async def _answers(client: httpx.AsyncClient, count: int) -> None:
    batch = [rating(f"e{index}", channel="call" if index % 2 else "chat") for index in range(count)]
    answer = await client.post("/v1/events", json=batch)
    assert answer.json()["counts"]["created"] == count, answer.text


async def test_an_export_has_every_row_over_all_pages(
    typed: Typed, api_key: MakeKey, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await _answers(client, 1_201)
    key, file = await api_key(), tmp_path / "feedback.ndjson"
    assert (await typed("export", "feedback", file, key=key)).exit_code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) == 1_201
    some = await typed("export", "feedback", "--where", "channel=call", key=key)
    assert [json.loads(line)["channel"] for line in some.stdout.splitlines()] == ["call"] * 600


@pytest.mark.parametrize(
    ("where", "code", "word"),
    [("chanel=call", 2, "channel"), ("channel", 1, "--where"), ("cursor=x", 1, "--where")],
)
async def test_a_filter_that_is_none_is_refused(
    where: str, code: int, word: str, typed: Typed, api_key: MakeKey
) -> None:
    refused = await typed("export", "feedback", "--where", where, key=await api_key())
    assert (refused.exit_code, word in refused.stderr) == (code, True), refused.stderr


async def test_a_replay_is_followed_to_its_end(
    typed: Typed, api_key: MakeKey, client: httpx.AsyncClient, clock: MovedClock
) -> None:
    made = await client.post(
        "/v1/webhooks/endpoints", json={"url": "http://127.0.0.1:9/", "event_types": ["case.*"]}
    )
    since = (clock() - timedelta(hours=1)).isoformat()
    arguments = ("replay", made.json()["id"], "--since", since, "--no-wait", "--json")
    started = await typed(*arguments, key=await api_key())
    assert started.exit_code == 0, started.stderr
    assert json.loads(started.stdout)["state"] in ("running", "done")
    unknown = await typed("replay", "ep_unknown", "--since", since, key=await api_key())
    assert unknown.exit_code == 2
