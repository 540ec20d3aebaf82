"""Single durable POSTs beside FastAPI that stores nothing and the naive service; and the memory they take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.bodies import Ratings, post
from benchmarks.load import Load, Measured, NextRequest
from benchmarks.plan import Plan
from benchmarks.processes import Running, free_port, running
from benchmarks.report import Goal, Line
from benchmarks.stage import Place, Stage

PATH = "/v1/events"
CONNECTIONS = 64
_COMPLAINT_SCORE = 1


@dataclass(frozen=True, slots=True)
class _Servers:
    ours: Running
    noop: Running
    naive: Running


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """Rates flat out, then latencies at rates that both can hold."""
    noop = Line("single durable POST, 1 process", "req/s", "FastAPI no-op", Goal(">= 1.0", at_least=1.0))
    naive = Line("the same", "req/s", "naive FastAPI + SQLAlchemy", Goal(">= 6", at_least=6))
    quarter = Line("p99 at a quarter of its peak", "ms", "naive, same rate", Goal("<= 1.0", at_most=1.0))
    slow = Line("p99 at half the naive's peak", "ms", "naive, same rate", Goal("<= 1.0", at_most=1.0))
    cases = Line("every tenth opens a case with timers", "req/s", "naive, ratings only")
    memory = Line("RSS of the api process under load", "MB", "-", Goal("<= 150 MB", at_most=150))
    with _servers(stage, place) as servers:
        ask = _requests(place.key)
        mixed = _mixed(place.key)
        for port in (servers.ours.port, servers.noop.port, servers.naive.port):
            await _flat_out(port, 0.5, ask)
        for _ in range(plan.repetitions):
            ours = await _flat_out(servers.ours.port, plan.window_seconds, ask)
            peak_noop = await _flat_out(servers.noop.port, plan.window_seconds, ask)
            peak_naive = await _flat_out(servers.naive.port, plan.window_seconds, ask)
            noop.add(ours.rate, peak_noop.rate)
            naive.add(ours.rate, peak_naive.rate)
            noop.note = f"p50 {ours.percentile_ms(0.5):.1f} ms, p99 {ours.percentile_ms(0.99):.1f} ms"
            cases.add((await _flat_out(servers.ours.port, plan.window_seconds, mixed)).rate, peak_naive.rate)
            for line, rate in ((quarter, ours.rate / 4), (slow, peak_naive.rate / 2)):
                mine = await _paced(servers.ours.port, plan.window_seconds, rate, ask)
                other = await _paced(servers.naive.port, plan.window_seconds, rate, ask)
                line.add(mine.percentile_ms(0.99), other.percentile_ms(0.99))
                line.note = f"{rate:.0f} req/s; the naive's peak is {peak_naive.rate:.0f}"
            memory.add(servers.ours.resident_mb())
    return [noop, naive, cases, quarter, slow, memory]


@contextmanager
def _servers(stage: Stage, place: Place) -> Iterator[_Servers]:
    with ExitStack() as stack:
        port, noop_port, naive_port = free_port(), free_port(), free_port()
        ours = stack.enter_context(running(["-m", "app", "serve"], place.environment(port), port))
        noop = stack.enter_context(running(peer("noop", noop_port), {}, noop_port))
        url = stage.dsn(place.name).replace("postgresql://", "postgresql+asyncpg://")
        naive = stack.enter_context(
            running(peer("naive", naive_port), {"NAIVE_DATABASE_URL": url}, naive_port)
        )
        yield _Servers(ours, noop, naive)


def peer(name: str, port: int) -> list[str]:
    """The words that start a reference service as ours is started."""
    flags = ["--no-access-log", "--no-server-header", "--no-date-header", "--log-level", "warning"]
    return ["-m", "uvicorn", f"benchmarks.peers.{name}:app", "--port", str(port), *flags]


def _requests(key: str) -> NextRequest:
    bodies = Ratings()
    return lambda: post(PATH, next(bodies), key=key)


def _mixed(key: str) -> NextRequest:
    good, bad, asked = Ratings(), Ratings(value=_COMPLAINT_SCORE), iter(range(10**9))
    return lambda: post(PATH, next(bad if next(asked) % 10 == 0 else good), key=key)


async def _flat_out(port: int, seconds: float, ask: NextRequest) -> Measured:
    async with Load(port, CONNECTIONS) as load:
        return (await load.flat_out(seconds, ask)).check(201)


async def _paced(port: int, seconds: float, rate: float, ask: NextRequest) -> Measured:
    async with Load(port, CONNECTIONS) as load:
        return (await load.paced(seconds, rate, ask)).check(201)
