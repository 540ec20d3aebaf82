"""Root starts a server that root may not run: other accounts, closed folders, moved checkouts."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import asyncpg
import pytest

from app.embedded import Arrival, RunningPostgres, start_embedded
from app.embedded.account import list_candidates

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the server itself")


def ask(server: RunningPostgres, query: str) -> object:
    async def session() -> object:
        connection = await asyncpg.connect(server.dsn("postgres"), ssl=False)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(session())


def test_the_server_runs_as_an_account_that_existed_and_cannot_change_its_programs(home: Path) -> None:
    with start_embedded(home, durable=False) as server:
        account = server.home.account
        assert account in list(list_candidates())
        assert account is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid == account.uid
        assert (home / "data").stat().st_uid == account.uid
        programs = [path for path in (home / "runtime").rglob("*") if path.is_file()]
        assert len(programs) > 100
        assert {path.stat().st_uid for path in programs} == {0}
        assert (home / "secret").stat().st_uid == 0


def test_a_database_goes_along_when_its_checkout_is_moved_to_a_closed_folder(open_folder: Path) -> None:
    with start_embedded(open_folder / "home", durable=False) as server:
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        password = server.password
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    (open_folder / "home").rename(closed / "home")
    shelter = None
    try:
        for _ in range(2):
            with start_embedded(closed / "home", durable=False) as server:
                shelter = server.home.folder
                assert not shelter.is_relative_to(open_folder)
                assert server.arrival is Arrival.STARTED
                assert server.password == password
                assert ask(server, "SELECT answer FROM kept") == 42
        assert (closed / "home" / "data.moved").is_dir()
        assert not (closed / "home" / "data").exists()
    finally:
        if shelter is not None:
            shutil.rmtree(shelter)


def test_a_cluster_that_root_copied_is_handed_to_the_account(open_folder: Path) -> None:
    with start_embedded(open_folder / "home", durable=False) as server:
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    shutil.copytree(open_folder / "home", open_folder / "copy")
    assert (open_folder / "copy" / "data").stat().st_uid == 0
    with start_embedded(open_folder / "copy", durable=False) as server:
        assert ask(server, "SELECT answer FROM kept") == 42
