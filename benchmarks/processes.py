"""Servers as real processes on loopback: started, waited for, weighed, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0


class NotStartedError(Exception):
    """A process under test ended, or did not listen in time."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process under test."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """User and system time that it has used."""
        return cpu_seconds(self.pid)

    def resident_mb(self) -> float:
        """Resident memory now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0


@contextmanager
def running(
    words: Sequence[str], environment: Mapping[str, str], port: int, *, listens: bool = True
) -> Iterator[Running]:
    """`python <words>` with this environment, until the block ends. Raises NotStartedError."""
    process = subprocess.Popen(  # noqa: S603 - our own words, no shell
        [sys.executable, *words], cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        if listens:
            _wait_for(process, port)
        yield Running(process.pid, port)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def cpu_seconds(pid: int) -> float:
    """User and system time of a process; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def family_cpu_seconds(pid: int) -> float:
    """The same for a process and its children, those that have ended too: a PostgreSQL server."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    total = sum(int(field) for field in fields[11:15]) / _TICKS
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            other = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(other[1]) == pid:
            total += (int(other[11]) + int(other[12])) / _TICKS
    return total


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise NotStartedError(f"it ended with code {process.returncode} before it listened")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotStartedError(f"nothing listens on port {port} after {_START_SECONDS:g} s")
