"""Another process that keeps an embedded server, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

KEEPER = """
import sys, time
from pathlib import Path
from app.embedded import EmbeddedError, EmbeddedPostgres
try:
    server = EmbeddedPostgres(Path(sys.argv[1]), durable=sys.argv[2] == "durable").start()
except EmbeddedError as error:
    sys.exit(f"{error.reason}: {error}")
print("READY", server.pid, server.port, flush=True)
if sys.argv[3] == "wait":
    time.sleep(600)
"""


class Keeper:
    """Another process that keeps a server, as `make run` in another terminal does."""

    def __init__(self, home: Path, *, durable: bool = False, wait: bool = True) -> None:
        words = [str(home), "durable" if durable else "fast", "wait" if wait else "leave"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", KEEPER, *words],
            cwd=PROJECT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.server_pid = 0
        self.port = 0

    def wait_ready(self) -> Keeper:
        """Return when its server runs."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("READY"):
                _, pid, port = line.split()
                self.server_pid, self.port = int(pid), int(port)
                return self
        raise AssertionError(f"the keeper ended: {self.process.communicate()[1]}")

    def kill(self) -> None:
        """End it without a chance to clean up; the server lives on."""
        self.process.kill()
        self.process.communicate()
