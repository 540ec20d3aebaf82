"""A worker's clock is an hour off, and jumps: leases, retries and signatures keep to the database's time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.test_worker_killed import settled, worker
from tests.receiver import Receiver, status
from tests.webhooks.conftest import SECRET, Outlet

_PLACES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64")
_LIBRARY = next((found for place in _PLACES for found in Path(place).glob("faketime/libfaketime.so.1")), None)
HOUR = 3_600


@pytest.fixture
def worker_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is written here is the clock of processes that start from now on."""
    offset = tmp_path / "offset"
    offset.write_text("+0")
    for name, value in (
        ("LD_PRELOAD", str(_LIBRARY)),
        ("FAKETIME_TIMESTAMP_FILE", str(offset)),
        ("FAKETIME_NO_CACHE", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ):
        monkeypatch.setenv(name, value)
    return offset


def believed() -> float:
    """How far the clock of a new process is off."""
    told = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())"], capture_output=True, check=True
    )
    return float(told.stdout) - time.time()


@pytest.mark.full
@pytest.mark.skipif(_LIBRARY is None, reason="libfaketime is not installed")
async def test_no_step_of_a_workers_clock_moves_a_lease_a_retry_or_a_signature(
    outlet: Outlet, receiver: Receiver, worker_clock: Path
) -> None:
    url = receiver.on("/hook", status(500), status(200), secret=SECRET.text)
    await outlet.endpoint(url, retry_delays_seconds=[1])
    async with worker(outlet.services.settings):
        for number, step in enumerate(("+0", f"-{HOUR}s", f"+{HOUR}s", "+0"), start=1):
            worker_clock.write_text(step)  # noqa: ASYNC240 - a few bytes
            assert abs(abs(believed()) - HOUR) < 60 or step == "+0", "the clock was not moved"
            await outlet.announce()
            await outlet.fan_out()
            await receiver.wait_for(number + 1, timeout_seconds=30 if number == 1 else 4)
        await settled(outlet, within_seconds=5)
        await asyncio.sleep(0.5)
    for arrival in receiver.arrivals():
        assert arrival.verified
        assert abs(int(arrival.headers["webhook-timestamp"]) - arrival.wall) < 5
    attempts = await outlet.attempts()
    assert sorted(row["outcome"] for row in attempts) == ["delivered"] * 4 + ["failed"]
    assert len(receiver.arrivals()) == 5
