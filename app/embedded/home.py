"""The folder that holds one embedded server: its cluster, secret, port, lock and log."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.embedded.account import Account
from app.embedded.errors import EmbeddedError

_DRAFT = "data.new-"
_SHELL_SPECIAL = frozenset('"$`\\\n')


@dataclass(frozen=True)
class Home:
    """Where everything of one server lies, and the account that runs it (None: ourselves).

    Only `data`, `log` and the cluster in the making belong to the account; the rest stays ours.
    """

    folder: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """The cluster, as initdb made it."""
        return self.folder / "data"

    @property
    def runtime(self) -> Path:
        """Root only: copies of the server's programs that the account can reach."""
        return self.folder / "runtime"

    @property
    def log(self) -> Path:
        """What the server writes; the run before this one has `.1` at the end."""
        return self.folder / "server.log"

    @property
    def lock(self) -> Path:
        """Held by the one process that looks after the server."""
        return self.folder / "lock"

    @property
    def secret(self) -> Path:
        """The one secret from which every login's password follows."""
        return self.folder / "secret"

    @property
    def port(self) -> Path:
        """The port of the last start, kept so that BI tools find the server again."""
        return self.folder / "port"

    def begin_draft(self) -> Path:
        """An empty folder for a cluster in the making, renamed to `data` when whole; unfinished ones go.

        Each has a name of its own: the initdb of a killed start may still be writing into the last one.
        """
        for old in self.folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self.folder))

    def has_cluster(self) -> bool:
        """Whether a whole cluster is here."""
        return (self.data / "PG_VERSION").exists()

    def prepare(self) -> None:
        """Make the folder. Raises EmbeddedError when it is not ours to use."""
        if _SHELL_SPECIAL & set(str(self.folder)):  # pg_ctl puts the path into a shell command
            raise EmbeddedError(
                "unsafe_path",
                f"The path {self.folder} has a character that a shell reads.",
                cure="Set VIDHUK_HOME to a plainer path.",
            )
        try:
            make_folder(self.folder)
            if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(self.folder)
            if self.account is None and self.data.exists() and self.data.stat().st_uid != os.geteuid():
                raise PermissionError(self.data)
        except OSError as error:
            raise EmbeddedError(
                "home_closed",
                f"{self.folder} cannot be used ({error.strerror or 'permission denied'}).",
                cure="Start as its owner, or set VIDHUK_HOME to a folder of your own.",
            ) from error

    def get_secret(self) -> str:
        """The secret of this home, made at the first call. Raises EmbeddedError when it was lost."""
        with suppress(FileNotFoundError):
            return self.secret.read_text().strip()
        if self.has_cluster():
            raise EmbeddedError(
                "secret_lost",
                f"{self.secret} is missing, so nobody can log in to the database in {self.data}.",
                cure="Put the file back, or move the data folder away to begin anew.",
            )
        write_private(self.secret, secrets.token_urlsafe(32))
        return self.secret.read_text().strip()

    def find_port(self) -> int | None:
        """The kept port, if any."""
        try:
            return int(self.port.read_text())
        except (FileNotFoundError, ValueError):
            return None


def make_folder(path: Path) -> None:
    """Make a folder that others may enter (whatever the umask); one that exists is left as it is."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir()
            path.chmod(0o755)


def write_private(path: Path, text: str, owner: Account | None = None) -> None:
    """Write a small file that only its owner may read: the whole text or nothing."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
        if owner is not None:
            os.fchown(descriptor, owner.uid, owner.gid)
        else:
            give_to_owner_of_folder(descriptor, path.parent)
    draft.replace(path)


def give_to_owner_of_folder(descriptor: int, folder: Path) -> None:
    """What root writes into somebody's folder is that somebody's, who may come without root next time."""
    if os.geteuid() == 0:
        status = folder.stat()
        os.fchown(descriptor, status.st_uid, status.st_gid)
