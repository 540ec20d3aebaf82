"""Who runs the server: we, or, as PostgreSQL refuses root, an unprivileged account that exists already."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CANDIDATES = ("postgres", "_postgres", "nobody", "daemon", "www-data", "bin")

# Nothing of the caller's environment may change the server: no PGPORT, PGOPTIONS, LD_LIBRARY_PATH.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` itself (never what a link points at) to the account."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def list_candidates() -> Iterator[Account]:
    """The accounts that root may use, the most fitting first; none is ever created."""
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            yield Account(name, entry.pw_uid, entry.pw_gid)


def find_owner(path: Path) -> Account | None:
    """The account that owns `path`; None when root does, or when nothing is there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if status.st_uid == 0:
        return None
    return Account(name_of(status.st_uid), status.st_uid, status.st_gid)


def name_of(uid: int) -> str:
    """The name of a user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def run_as(
    account: Account | None, command: Sequence[str | Path], *, timeout_seconds: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run a command as the account (None: as ourselves) and wait for it; its output is text.

    Raises OSError when the system does not let us become the account, TimeoutExpired when it takes too long.
    """
    return subprocess.run(  # noqa: S603 - our own words, no shell
        [str(part) for part in command],
        check=False,
        cwd="/",  # the account may not be able to enter ours
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_seconds,
        umask=0o077,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
