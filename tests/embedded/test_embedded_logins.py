"""Who may log in to the embedded server, and what its databases understand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from keeper import PROJECT

from app.embedded import OWNER, SERVICE, RunningPostgres, ServiceUrls, throwaway_server
from app.embedded.processes import command_of


@pytest.fixture(scope="module")
def urls(server: RunningPostgres) -> ServiceUrls:
    return server.ensure_roles()


async def ask(dsn: str, *statements: str, **options: object) -> object:
    connection = await asyncpg.connect(dsn, ssl=False, **options)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


@pytest.mark.parametrize("password", ["", "postgres", "wrong"])
async def test_nobody_enters_without_the_password(server: RunningPostgres, password: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host=server.host,
            port=server.port,
            user=server.superuser,
            password=password,
            database="postgres",
            ssl=False,
        )


async def test_the_server_listens_on_the_loopback_address_only(server: RunningPostgres) -> None:
    assert await ask(server.dsn("postgres"), "SHOW listen_addresses") == "127.0.0.1"
    assert await ask(server.dsn("postgres"), "SHOW unix_socket_directories") == ""


async def test_neither_login_can_bypass_row_level_security(
    server: RunningPostgres, urls: ServiceUrls
) -> None:
    query = "SELECT count(*) FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND rolname = current_user"
    assert await ask(urls.database_url, query) == 0
    assert await ask(urls.migration_url, query) == 0
    assert await ask(server.dsn("vidhuk"), query) == 1


async def test_the_owner_makes_group_roles_that_the_service_takes_on_but_does_not_inherit(
    urls: ServiceUrls,
) -> None:
    await ask(
        urls.migration_url,
        "CREATE ROLE some_group NOLOGIN",
        "GRANT some_group TO vidhuk",
        "CREATE TABLE theirs AS SELECT 1 AS one",
        "GRANT SELECT ON theirs TO some_group",
        "SELECT 1",
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(urls.database_url, "SELECT one FROM theirs")
    assert await ask(urls.database_url, "SET ROLE some_group", "SELECT one FROM theirs") == 1
    as_group = {"server_settings": {"role": "some_group"}}
    assert await ask(urls.database_url, "SELECT one FROM theirs", **as_group) == 1


async def test_the_service_can_neither_own_tables_nor_make_roles(urls: ServiceUrls) -> None:
    for refused in ("CREATE TABLE mine (id int)", "CREATE ROLE mine"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(urls.database_url, refused)


async def test_making_the_roles_again_mends_them(server: RunningPostgres, urls: ServiceUrls) -> None:
    await ask(server.dsn("postgres"), f"ALTER ROLE {SERVICE} SUPERUSER PASSWORD 'lost'", "SELECT 1")
    assert server.ensure_roles() == urls
    assert await ask(urls.database_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


async def test_a_database_is_copied_from_a_template_once(server: RunningPostgres, urls: ServiceUrls) -> None:
    assert server.ensure_database("pattern")
    await ask(server.dsn("pattern", OWNER), "CREATE TABLE brought AS SELECT 7 AS seven", "SELECT 1")
    assert server.ensure_database("copy_one", template="pattern")
    assert not server.ensure_database("copy_one", template="pattern")
    assert await ask(server.dsn("copy_one", OWNER), "SELECT seven FROM brought") == 7
    server.drop_database("copy_one")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await ask(server.dsn("copy_one", OWNER), "SELECT 1")


@pytest.mark.parametrize("name", ["", "Upper", "two words", 'quote"', "a;b", "x" * 64])
def test_a_name_that_is_not_a_plain_sql_name_is_refused(server: RunningPostgres, name: str) -> None:
    with pytest.raises(ValueError, match="not a plain"):
        server.ensure_database(name)


async def test_cyrillic_is_text_to_it(server: RunningPostgres) -> None:
    dsn = server.dsn("postgres")
    assert await ask(dsn, "SELECT lower('ЖАЛОБА') = 'жалоба' AND 'ЖАЛОБА' ILIKE 'жал%'") is True
    assert "жалоб" in str(await ask(dsn, "SELECT to_tsvector('russian', 'Жалобы')"))
    trigrams = "SELECT cardinality(show_trgm('жалоба'))"
    assert await ask(dsn, "CREATE EXTENSION pg_trgm", trigrams) == 7


async def test_a_throwaway_server_leaves_nothing_behind() -> None:
    with throwaway_server() as server:
        folder = server.home.folder
        assert await ask(server.migration_url, "SELECT current_database()") == "vidhuk"
        assert await ask(server.database_url, "SELECT current_user::text") == "vidhuk"
    assert not folder.exists()


def test_a_throwaway_server_of_a_killed_run_is_cleared_away_by_the_next() -> None:
    keep = (
        "import time; from app.embedded import throwaway_server\n"
        "with throwaway_server() as server: print('READY', server.pid, server.home.folder, flush=True); "
        "time.sleep(600)"
    )
    command = [sys.executable, "-c", keep]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        ready = next(line for line in run.stdout if line.startswith("READY"))
        _, pid, folder = ready.split()
        with throwaway_server():
            assert Path(folder).exists(), "a throwaway server in use must be left alone"
            assert command_of(int(pid))
        run.kill()
    with throwaway_server():
        assert not Path(folder).exists()
        assert command_of(int(pid)) == ""
