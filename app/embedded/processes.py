"""Which processes work in a data directory: asked of the system, never believed from a pid alone."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.embedded.account import run_as

_PROC = Path("/proc")
_STRAY_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Postmaster:
    """A running server of ours, perhaps left behind by a process that was killed."""

    pid: int
    command: str
    ready: bool


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that works in `data`; None when the pid file is stale, whoever has the pid today."""
    lines = _pid_file(data)
    pid = int(lines[0]) if lines else 0
    command = command_of(pid) if pid > 0 else ""
    if not command:
        return None
    # The second question finds a server whose folder was renamed under it.
    if f" -D {data} " not in f"{command} " and pid not in list_processes_in(data):
        return None
    return Postmaster(pid, command, ready=len(lines) > 7 and lines[7].strip() == "ready")


def forget_foreign_pid(data: Path) -> bool:
    """Remove a pid file that would keep a new server out: its pid is now another program's (after a reboot),
    or its server was killed and nobody has yet taken note of its death (a zombie).

    Safe although the file is PostgreSQL's interlock: the other one, by the inode of `data`, remains.
    Call only when `find_postmaster` found none. False when there was nothing to remove.
    """
    lines = _pid_file(data)
    try:
        os.kill(int(lines[0]), 0)
    except PermissionError:
        pass  # it exists, and is not ours
    except (IndexError, ProcessLookupError, OverflowError):
        return False
    (data / "postmaster.pid").unlink(missing_ok=True)
    return True


def command_of(pid: int) -> str:
    """The command line of a process, its words joined by spaces; empty when it is gone or a zombie."""
    if _PROC.is_dir():
        try:
            words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return ""
        return b" ".join(words).decode(errors="replace").strip()
    question = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    return run_as(None, question, timeout_seconds=10.0).stdout.strip()


def list_processes_in(data: Path) -> list[int]:
    """PostgreSQL's processes that work in `data`, by their working directory (Linux; elsewhere none)."""
    found = []
    for entry in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it ended, or it is somebody else's
            if (entry / "cwd").samefile(data) and "postgres" in command_of(int(entry.name)).split(" ")[0]:
                found.append(int(entry.name))
    return found


def end_strays(data: Path) -> list[int]:
    """End backends that outlived their killed server: they hold its memory, so no new one would start.

    Call only when `find_postmaster` found none. Returns their pids.
    """
    strays = list_processes_in(data)
    for how, patience_seconds in ((signal.SIGTERM, _STRAY_PATIENCE_SECONDS), (signal.SIGKILL, 1.0)):
        for pid in list_processes_in(data):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
        give_up_at = time.monotonic() + patience_seconds
        while list_processes_in(data) and time.monotonic() < give_up_at:
            time.sleep(0.05)
    return strays


def _pid_file(data: Path) -> list[str]:
    """Its lines (pid, folder, start, port, socket, host, memory, status); none when there is no pid."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    return lines if lines and lines[0].strip().isdigit() else []
