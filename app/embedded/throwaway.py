"""A server for one test run: made in a temporary folder, fast instead of safe, gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.embedded.errors import EmbeddedError
from app.embedded.lock import HomeLock
from app.embedded.processes import find_postmaster
from app.embedded.running import RunningPostgres
from app.embedded.server import start_embedded

_PREFIX = "vidhuk-test-"


@contextmanager
def throwaway_server(folder: Path | None = None) -> Iterator[RunningPostgres]:
    """A new server with the service's logins and an empty database; it and `folder` are gone afterwards.

    Without `folder` it takes a temporary one, and first clears away what killed runs left, servers too.
    """
    if folder is None:
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        folder.chmod(0o755)  # so that, under root, the server's account can enter it
    places = {folder}
    try:
        with start_embedded(folder, durable=False) as server:
            places.add(server.home.folder)
            server.ensure_roles()
            yield server
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)


def _sweep() -> None:
    """Remove our throwaway folders that nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if folder.lstat().st_uid != os.geteuid() or not (folder / "port").exists():
                continue  # somebody else's, or only just being made
            lock = HomeLock.claim(folder / "lock")
        except (EmbeddedError, OSError):
            continue  # in use, or gone by now: another run sweeps too
        if left := find_postmaster(folder / "data"):
            os.kill(left.pid, signal.SIGQUIT)  # at once: nothing in it is worth a checkpoint
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
