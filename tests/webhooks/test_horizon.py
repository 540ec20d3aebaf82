"""The claim's horizon: nothing while looking is cheap, else a look for a small share of the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.webhooks import horizon as horizon_module
from app.webhooks.horizon import COMMIT_LAG, MAX_BLIND_SECONDS, SHARE, Horizon
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B = uuid4(), uuid4()


class Stopwatch:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class Queue:
    """What a look would find, and how long it would take."""

    def __init__(self, watch: Stopwatch) -> None:
        self.watch, self.took, self.looks, self.now = watch, 1.0, 0, NOW
        self.heads: list[dict[str, Any]] = []

    def show(self, horizon: Horizon) -> None:
        self.looks += 1
        self.watch.at += self.took
        horizon.saw(self.heads, self.now, self.took)


def head(endpoint_id: UUID, due_at: datetime) -> dict[str, Any]:
    return {"endpoint_id": endpoint_id, "first_try": True, "due_at": due_at}


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


def known(horizon: Horizon, queue: Queue) -> dict[UUID, datetime] | None:
    if horizon.is_look_due:
        queue.show(horizon)
    groups = horizon.known
    return None if groups is None else dict(zip(groups.endpoint_ids, groups.live_from, strict=True))


def test_while_claims_are_cheap_nothing_is_looked_for_or_remembered(watch: Stopwatch) -> None:
    horizon, queue = Horizon(watch), Queue(watch)
    horizon.claimed(0.09)
    assert known(horizon, queue) is None
    assert queue.looks == 0


def test_a_costly_look_is_made_for_a_small_share_of_the_time_and_bounded_in_its_absence(
    watch: Stopwatch,
) -> None:
    horizon, queue = Horizon(watch), Queue(watch)
    queue.took, queue.heads = 0.5, [head(A, NOW - timedelta(hours=1))]
    horizon.claimed(0.2)
    for _ in range(100):
        assert known(horizon, queue) == {A: NOW - timedelta(hours=1)}
        watch.at += 0.1  # the claims in between
    assert queue.looks == pytest.approx(10 / (SHARE * 0.5 + 0.5), abs=1)
    queue.took, looks, watch.at = 60.0, queue.looks, watch.at + 1_000
    known(horizon, queue)
    watch.at += MAX_BLIND_SECONDS + 1
    known(horizon, queue)
    assert queue.looks == looks + 2


def test_what_was_alive_lately_is_still_asked_and_what_commits_late_is_still_seen(
    watch: Stopwatch,
) -> None:
    horizon, queue = Horizon(watch), Queue(watch)
    queue.heads = [head(A, NOW - timedelta(seconds=60)), head(B, NOW + timedelta(days=1))]
    horizon.claimed(1.0)
    assert known(horizon, queue) == {A: NOW - timedelta(seconds=60), B: NOW - COMMIT_LAG}
    queue.heads, queue.now, watch.at = [], NOW + timedelta(minutes=1), watch.at + 100
    assert known(horizon, queue) == dict.fromkeys((A, B), queue.now - COMMIT_LAG)
    queue.now, watch.at = NOW + timedelta(minutes=12), watch.at + 100
    assert known(horizon, queue) == {}


def test_when_looking_is_cheap_again_all_is_forgotten(watch: Stopwatch) -> None:
    horizon, queue = Horizon(watch), Queue(watch)
    queue.heads = [head(A, NOW)]
    horizon.claimed(1.0)
    assert known(horizon, queue) is not None
    queue.took, watch.at = 0.01, watch.at + 100
    assert known(horizon, queue) is None


async def test_behind_a_horizon_everything_is_delivered_also_of_endpoints_that_it_does_not_know(
    outlet: Outlet, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(horizon_module, "COSTLY_SECONDS", -1.0)  # every claim is taken for a costly one
    monkeypatch.setattr(horizon_module, "CHEAP_SECONDS", -1.0)
    await outlet.endpoint(receiver.on("/a", status(200)), "case.*")
    dispatcher = outlet.dispatcher()
    await outlet.announce("case.opened", count=5)
    async with outlet.running(dispatcher):
        await receiver.wait_for(5, "/a")
        url = receiver.on("/b", status(500), status(200))  # while it is tried again the others are held back
        await outlet.endpoint(url, retry_delays_seconds=[1], ordering="endpoint")
        await outlet.announce("case.opened", count=5)
        await receiver.wait_for(10, "/a")
        await receiver.wait_for(6, "/b")
    assert dispatcher._horizon._groups is not None
