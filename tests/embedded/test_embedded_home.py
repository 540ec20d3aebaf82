"""The folder of an embedded server: what is secret in it, who may use it, and where root may put it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from keeper import PROJECT

from app.embedded.access import OWNER, SERVICE, Access
from app.embedded.account import list_candidates
from app.embedded.errors import EmbeddedError
from app.embedded.home import Home
from app.embedded.lock import HomeLock
from app.embedded.place import choose_home
from app.embedded.ports import choose_port
from app.embedded.processes import command_of, find_postmaster, forget_foreign_pid

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to choose a place")


@pytest.fixture
def narrow_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_secret_is_for_its_owner_only_and_stays(home: Path) -> None:
    place = Home(home, None)
    place.prepare()
    secret = place.get_secret()
    assert len(secret) >= 32
    assert permissions(place.secret) == 0o600
    assert place.get_secret() == secret


def test_a_lost_secret_is_not_replaced_while_a_database_needs_it(home: Path) -> None:
    place = Home(home, None)
    place.data.mkdir(parents=True)
    (place.data / "PG_VERSION").write_text("18\n")
    with pytest.raises(EmbeddedError) as refusal:
        place.get_secret()
    assert refusal.value.reason == "secret_lost"
    assert not place.secret.exists()


def test_each_login_has_its_own_password_and_none_is_shown_by_accident() -> None:
    access = Access(port=20_000, secret="s3cret")
    passwords = {access.password_of(login) for login in ("postgres", OWNER, SERVICE)}
    assert len(passwords) == 3
    assert access.password_of(OWNER) == Access(port=1, secret="s3cret").password_of(OWNER)
    assert access.password_of(OWNER) != Access(port=20_000, secret="other").password_of(OWNER)
    assert "s3cret" not in repr(access)


@pytest.mark.usefixtures("narrow_umask")
def test_a_new_home_can_be_entered_whatever_the_umask_and_an_old_one_is_left_alone(open_folder: Path) -> None:
    Home(open_folder / "new", None).prepare()
    assert permissions(open_folder / "new") == 0o755
    (open_folder / "old").mkdir(mode=0o700)
    Home(open_folder / "old", None).prepare()
    assert permissions(open_folder / "old") == 0o700


@pytest.mark.parametrize("name", ["$HOME", 'a"b', "a`b"])
def test_a_path_that_a_shell_would_read_is_refused(open_folder: Path, name: str) -> None:
    with pytest.raises(EmbeddedError) as refusal:
        Home(open_folder / name, None).prepare()
    assert refusal.value.reason == "unsafe_path"


def test_a_path_with_spaces_is_welcome(open_folder: Path) -> None:
    Home(open_folder / "my projects", None).prepare()
    assert (open_folder / "my projects").is_dir()


def test_the_lock_names_its_holder_and_passes_on_when_the_holder_is_killed(open_folder: Path) -> None:
    claim = (
        "import sys, time; from pathlib import Path; from app.embedded.lock import HomeLock\n"
        "lock = HomeLock.claim(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", claim, str(open_folder / "lock")]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(EmbeddedError) as refusal:
            HomeLock.claim(open_folder / "lock")
        assert refusal.value.reason == "already_running"
        assert f"process {holder.pid}" in refusal.value.detail
        holder.kill()
    lock = HomeLock.claim(open_folder / "lock")
    assert lock.held
    lock.release()
    assert not lock.held


def test_new_ports_lie_below_those_of_outgoing_connections() -> None:
    assert all(20_000 <= choose_port(None, None) < 30_000 for _ in range(20))


def test_a_pid_that_another_program_has_now_is_not_taken_for_our_server(open_folder: Path) -> None:
    pid_file = open_folder / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{open_folder}\n0\n5432\n\n127.0.0.1\n0 0\nready   \n")
    assert command_of(os.getpid())
    assert find_postmaster(open_folder) is None
    assert forget_foreign_pid(open_folder)
    assert not pid_file.exists()


@pytest.mark.parametrize("content", ["", "\n", "word\n", "-1\n", "999999999\n"])
def test_a_pid_file_without_a_living_pid_is_left_to_the_server(open_folder: Path, content: str) -> None:
    pid_file = open_folder / "postmaster.pid"
    pid_file.write_text(content)
    assert find_postmaster(open_folder) is None
    assert not forget_foreign_pid(open_folder)
    assert pid_file.exists()


@as_root
def test_root_stays_in_the_folder_asked_for_when_an_account_can_enter_it(open_folder: Path) -> None:
    home = choose_home(open_folder / "home", [open_folder / "shelter"])
    assert home.folder == (open_folder / "home").resolve()
    assert home.account in list(list_candidates())


@as_root
def test_root_goes_elsewhere_from_a_folder_that_only_root_may_enter_and_opens_nothing(
    open_folder: Path,
) -> None:
    closed, shelter = open_folder / "closed", open_folder / "shelter"
    closed.mkdir(mode=0o700)
    shelter.mkdir()
    home = choose_home(closed / "home", [shelter])
    assert home.folder.parent == shelter
    assert home == choose_home(closed / "home", [shelter])
    assert home.folder != choose_home(closed / "other", [shelter]).folder
    assert permissions(closed) == 0o700
    assert list(closed.iterdir()) == []


@as_root
def test_root_does_not_enter_a_shelter_that_somebody_else_laid_out(open_folder: Path) -> None:
    closed, shelter = open_folder / "closed", open_folder / "shelter"
    closed.mkdir(mode=0o700)
    shelter.mkdir()
    guessed = choose_home(closed / "home", [shelter]).folder
    guessed.chmod(0o777)
    with pytest.raises(EmbeddedError) as refusal:
        choose_home(closed / "home", [shelter])
    assert refusal.value.reason == "no_account"
    guessed.rmdir()
    guessed.symlink_to(tempfile.gettempdir())
    with pytest.raises(EmbeddedError):
        choose_home(closed / "home", [shelter])
