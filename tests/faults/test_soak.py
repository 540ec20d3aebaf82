"""A minute and a half of everything at once: what grows with time and not with work is a leak."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.builders import event, value_of
from tests.conftest import MakeKey, Server
from tests.faults.processes import Process, running
from tests.receiver import Receiver, Script, after, reset, status

SECONDS = 90
RATE = 25


@dataclass(frozen=True)
class Look:
    """What a process holds at a moment."""

    rss_kb: int
    files: int
    sessions: int


async def look(process: Process, server: Server) -> Look:
    assert process.popen is not None
    own = Path(f"/proc/{process.popen.pid}")
    rss = next(line for line in (own / "status").read_text().splitlines() if line.startswith("VmRSS"))
    sessions = await value_of(
        server,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name LIKE 'vidhuk%'",
    )
    return Look(int(rss.split()[1]), len(list((own / "fd").iterdir())), int(sessions))


def moody(die: random.Random) -> Script:
    bad = [status(500), status(429), reset(b"HTTP/1.1 2"), after(0.3, status(200))]

    async def play(*arguments: object) -> None:
        script = status(200) if die.random() < 0.9 else die.choice(bad)
        await script(*arguments)  # type: ignore[arg-type]

    return play


async def post_on(client: httpx.AsyncClient, until: float, die: random.Random) -> int:
    """Complaints that open, are answered and close; how many events."""
    posted = 0
    while (now := time.monotonic()) < until:
        case = f"case/{posted}"
        told = ("case.opened", "case.acknowledged", "case.replied", "case.escalated")
        for kind in told[: die.randint(1, 4)]:
            fact = event(kind, f"{kind}-{posted}", subject=case)
            assert (await client.post("/v1/events", json=fact)).is_success
            posted += 1
        await client.get("/v1/messages", params={"limit": 20})
        await asyncio.sleep(max(0.0, 4 / RATE - (time.monotonic() - now)))
    return posted


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
async def test_nothing_grows_but_what_is_stored(
    server: Server, api_key: MakeKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDHUK_EGRESS_ALLOW", "127.0.0.0/8")
    die = random.Random(20_261_122)
    key = await api_key()
    async with running("all", server.login) as process:
        headers = {"Authorization": f"Bearer {key}"}
        base = f"http://127.0.0.1:{process.port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=20) as client:
            for number in range(4):
                wanted = {
                    "url": receiver.on(f"/{number}", moody(die)),
                    "event_types": ["case.*", "sla.*"],
                    "retry_delays_seconds": [1, 1, 1, 2, 2],
                    "ordering": "subject" if number % 2 else "none",
                }
                assert (await client.post("/v1/webhooks/endpoints", json=wanted)).status_code == 201
            started = time.monotonic()
            posting = asyncio.create_task(post_on(client, started + SECONDS, die))
            looks = []
            for part in (0.4, 0.6, 0.8, 1.0):
                await asyncio.sleep(max(0.0, started + part * SECONDS - time.monotonic()))
                looks.append(await look(process, server))
            posted = await posting
            async with asyncio.timeout(45):
                while await value_of(server, "SELECT count(*) FROM deliveries"):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
    states = await value_of(server, "SELECT string_agg(DISTINCT state, ' ') FROM messages")
    print(f"{posted} events, {len(receiver.ledger)} requests, {states}; {looks}")
    first, last = looks[0], looks[-1]
    assert last.rss_kb - first.rss_kb < 20_000, looks
    assert last.files < 120, looks  # the wires to receivers are kept, up to 64 for one address
    assert last.sessions <= 12, looks
    assert posted > 200
    assert set(states.split()) <= {"delivered", "exhausted"}
