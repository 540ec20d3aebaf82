"""Where a home may lie: as asked, or, for root, in the first folder where some account can work."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain, product
from pathlib import Path

import structlog

from app.embedded.account import CANDIDATES, Account, find_owner, list_candidates, run_as
from app.embedded.errors import EmbeddedError
from app.embedded.home import Home, make_folder
from app.embedded.processes import list_processes_in

log = structlog.get_logger()

SHELTERS = (Path("/var/lib"), Path("/opt"), Path("/var/tmp"))  # noqa: S108 - see _only_root_made
_NOEXEC: int = getattr(os, "ST_NOEXEC", 0)


def choose_home(folder: Path, shelters: Iterable[Path] = SHELTERS) -> Home:
    """The home asked for. Root gets one that an account can enter: `folder` itself where it can,
    else `/var/lib/vidhuk-<hash of the path>` or a like place; a cluster once made is found again there.

    Raises EmbeddedError when root finds no account, or nowhere that an account may work.
    """
    places = list_places(folder, shelters)
    if os.geteuid() != 0:
        return Home(places[0], None)
    trusted = [place for place in places if place == places[0] or _only_root_made(place)]
    keepers = [(place, owner) for place in trusted if (owner := find_owner(place / "data"))]
    with_cluster = [place for place in trusted if Home(place, None).has_cluster()]
    accounts = list(list_candidates())
    for place, account in chain(keepers, product(with_cluster, accounts), product(trusted, accounts)):
        if open_to(account, place):
            return Home(place, account)
    raise EmbeddedError(
        "no_account",
        f"PostgreSQL does not run as root, and none of the accounts {', '.join(CANDIDATES)} can work here.",
        cure="Start as an ordinary user, or set DATABASE_URL and MIGRATION_URL to a server of your own.",
    )


def list_places(folder: Path, shelters: Iterable[Path] = SHELTERS) -> list[Path]:
    """Every folder in which the home asked for may lie, the one asked for first."""
    asked = folder.expanduser().resolve()
    if os.geteuid() != 0:
        return [asked]
    digest = hashlib.sha256(os.fsencode(asked)).hexdigest()[:12]
    return [asked, *(shelter / f"vidhuk-{digest}" for shelter in shelters if shelter.is_dir())]


def open_to(account: Account, place: Path) -> bool:
    """Whether the account can reach `place`, own a folder there, write to it and run programs: by trying.

    The place is made for that, and taken away again when it will not do.
    """
    made = not place.exists()
    try:
        make_folder(place)
        if _works(account, place):
            return True
    except (OSError, subprocess.SubprocessError):
        pass
    if made:
        with suppress(OSError):
            place.rmdir()
    return False


def _works(account: Account, place: Path) -> bool:
    if os.statvfs(place).f_flag & _NOEXEC:
        return False
    with tempfile.TemporaryDirectory(prefix=".probe-", dir=place) as probe:
        account.own(Path(probe))
        return run_as(account, ["/bin/sh", "-c", 'cd "$1" && : > written', "sh", probe]).returncode == 0


def bring_along(asked: Path, home: Home) -> None:
    """Copy a cluster whose folder the account can no longer enter (the checkout was moved) into its new home.

    The old one is kept under another name, so that exactly one of the two is found from now on.
    Raises EmbeddedError while a server still works in the old one.
    """
    old = Home(list_places(asked)[0], None)
    if home.folder == old.folder or home.has_cluster() or not old.has_cluster():
        return
    if busy := list_processes_in(old.data):
        raise EmbeddedError(
            "still_used",
            f"A server (pid {busy[0]}) still works in {old.data}.",
            cure=f"Stop it first: kill -INT {busy[0]}",
        )
    log.info("embedded_moved", source=str(old.data), target=str(home.data))
    draft = home.begin_draft()
    shutil.copytree(old.data, draft, symlinks=True, dirs_exist_ok=True)
    hand_over(home, draft)
    for name in ("secret", "port"):
        if (old.folder / name).exists():
            shutil.copy2(old.folder / name, home.folder / name)
    draft.rename(home.data)
    old.data.rename(old.folder / "data.moved")


def hand_over(home: Home, tree: Path) -> None:
    """Give a whole tree of ours to the account that will run the server."""
    if home.account is None:
        return
    for folder, _, files in os.walk(tree):
        home.account.own(Path(folder))
        for name in files:
            home.account.own(Path(folder, name))


def _only_root_made(place: Path) -> bool:
    """Whether nobody but root can have laid `place` out for us: its name can be guessed."""
    if not os.path.lexists(place):
        return True
    status = place.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022
