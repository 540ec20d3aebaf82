"""Starting and stopping one server with pg_ctl, whatever the last run left behind."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import dataclass
from enum import StrEnum

import structlog

from app.embedded.errors import EmbeddedError
from app.embedded.home import Home, write_private
from app.embedded.ports import choose_port
from app.embedded.processes import Postmaster, end_strays, find_postmaster, forget_foreign_pid
from app.embedded.programs import Programs
from app.embedded.tuning import list_options

log = structlog.get_logger()

_START_SECONDS = 120  # crash recovery may have to replay max_wal_size
_STOP_SECONDS = 60
_ATTEMPTS = 8
_LOST_RACES = ("could not bind", "is still in use", '"postmaster.pid" already exists')


class Arrival(StrEnum):
    """How the server came to run."""

    CREATED = "created"
    STARTED = "started"
    ADOPTED = "adopted"


@dataclass(frozen=True)
class Control:
    """The switch of one server: its home, its programs, and how it is to run."""

    home: Home
    programs: Programs
    asked_port: int | None
    durable: bool

    def find(self) -> Postmaster | None:
        """The server, if it runs."""
        return find_postmaster(self.home.data)

    def start(self) -> tuple[int, Arrival]:
        """Bring the server up and say on which port; one that a killed process left is taken over as it is
        when it runs exactly as we would run it, and stopped otherwise. Raises EmbeddedError.
        """
        if found := self.find():
            port = self.asked_port or self.home.find_port()
            if port and found.ready and found.command == self._command(port):
                log.info("embedded_adopted", pid=found.pid, port=port)
                return port, Arrival.ADOPTED
            log.info("embedded_orphan_stopped", pid=found.pid)
            self.stop()
        if strays := end_strays(self.home.data):
            log.warning("embedded_strays_ended", pids=strays)
        if forget_foreign_pid(self.home.data):
            log.info("embedded_stale_pid_removed")
        return self._launch(), Arrival.STARTED

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, everything committed is kept.

        Nothing happens when it does not run. Raises EmbeddedError when it cannot be stopped.
        """
        for mode, seconds in (("fast", _STOP_SECONDS), ("immediate", 10)):
            if self.find() is None:
                return
            self._pg_ctl("stop", "-m", mode, "-t", str(seconds), timeout_seconds=seconds + 10)
        if found := self.find():
            raise EmbeddedError(
                "stop_failed",
                f"The database server (process {found.pid}) does not stop.",
                cure=f"See {self.home.log}.",
            )

    def _launch(self) -> int:
        """Start a server that does not run. A lost race is tried again: for the port, with a server that is
        just dying, or with one that a killed start has just begun. Any other failure is final.
        """
        self._turn_log()
        complaint = ""
        for _ in range(_ATTEMPTS):
            port = choose_port(self.asked_port, self.home.find_port())
            seen = self.home.log.stat().st_size
            options = shlex.join(list_options(port, durable=self.durable))
            began = ["-l", str(self.home.log), "-o", options, "-t", str(_START_SECONDS)]
            if self._pg_ctl("start", *began, timeout_seconds=_START_SECONDS + 30) == 0:
                if port != self.home.find_port():
                    write_private(self.home.port, f"{port}\n")
                return port
            complaint = self.home.log.read_bytes()[seen:].decode(errors="replace")
            if not any(race in complaint for race in _LOST_RACES):
                break
            time.sleep(0.5)
            self.stop()
        last_words = "\n".join(complaint.strip().splitlines()[-8:]) or "it said nothing"
        raise EmbeddedError(
            "start_failed",
            f"The database server did not start:\n{last_words}\n",
            cure=f"The whole story is in {self.home.log}.",
        )

    def _command(self, port: int) -> str:
        """The command line of the server that we would start, as the system shows it."""
        program = os.path.realpath(self.programs.bin / "postgres")
        options = list_options(port, durable=self.durable)
        return " ".join([program, "-D", str(self.home.data), *options])

    def _pg_ctl(self, action: str, *arguments: str, timeout_seconds: float) -> int:
        words = [action, "-D", str(self.home.data), "-w", "-s", *arguments]
        return self.programs.run("pg_ctl", *words, timeout_seconds=timeout_seconds).returncode

    def _turn_log(self) -> None:
        """Keep the log of the run before, and begin one that the account may write."""
        if self.home.log.exists():
            self.home.log.replace(self.home.log.with_name(self.home.log.name + ".1"))
        write_private(self.home.log, "", self.home.account)
