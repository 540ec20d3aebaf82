"""One process at a time looks after a home: a lock that the system drops however its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from app.embedded.errors import EmbeddedError
from app.embedded.home import give_to_owner_of_folder


class HomeLock:
    """An flock on the home's lock file; children do not inherit it, for Python opens files close-on-exec."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def claim(cls, path: Path) -> HomeLock:
        """Take the lock and sign it with our pid. Raises EmbeddedError (`already_running`, by whom)."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise EmbeddedError(
                "already_running",
                f"Vidhuk already runs from {path.parent} (process {holder}).",
                cure="Stop that one first (Ctrl-C in its terminal), or set VIDHUK_HOME to another folder.",
            ) from None
        give_to_owner_of_folder(descriptor, path.parent)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    @property
    def held(self) -> bool:
        """Whether it is still ours."""
        return self._descriptor is not None

    def release(self) -> None:
        """Let the next one in; the file stays, for removing it would let two in at once."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
