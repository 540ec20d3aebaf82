"""A process is ready only with a login that row-level security binds, and on the schema of its release."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from app.db.engine import Database
from app.db.readiness import check_login, check_schema
from tests.conftest import Server

from .conftest import a_database

GROUPS = "vidhuk_app, vidhuk_worker, vidhuk_operator"


@pytest.fixture
async def superuser(server: Server) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.superuser)
    yield connection
    await connection.close()


@pytest.fixture
def empty(postgres: Server) -> Iterator[Server]:
    """A database in which nothing was migrated yet."""
    with a_database(postgres) as server:
        yield server


@asynccontextmanager
async def another_login(superuser: asyncpg.Connection, server: Server, *grants: str) -> AsyncIterator[str]:
    """The URL of a new login; in what it is granted, `{login}` is its name."""
    login = f"login_{uuid4().hex[:12]}"
    await superuser.execute(f"CREATE ROLE {login} LOGIN NOINHERIT PASSWORD 'l'")
    try:
        for grant in grants:
            await superuser.execute(grant.format(login=login))
        yield make_url(server.login).set(username=login, password="l").render_as_string(False)
    finally:
        await superuser.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER; DROP OWNED BY {login}")
        await superuser.execute(f"DROP ROLE {login}")


async def problems_of_login(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return await check_login(connection)
    finally:
        await connection.close()


async def test_the_service_on_a_migrated_database_is_ready_in_each_of_its_roles(server):
    database = Database(server.login, pool_size=1)
    async with database.worker() as tx:
        assert (await check_login(tx), await check_schema(tx)) == ([], [])
    async with database.write(uuid4()) as tx:
        assert (await check_login(tx), await check_schema(tx)) == ([], [])
    await database.close()


async def test_a_superuser_is_refused_whatever_role_it_took(server, superuser):
    await superuser.execute("SET ROLE vidhuk_app")
    (problem,) = await check_login(superuser)
    assert "is a superuser" in problem


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ([f"GRANT {GROUPS} TO {{login}}", "ALTER ROLE {login} BYPASSRLS"], "has BYPASSRLS"),
        ([f"GRANT {GROUPS} TO {{login}}", "GRANT postgres TO {login}"], "may become postgres"),
        ([f"GRANT {GROUPS} TO {{login}}", "ALTER TABLE cases OWNER TO {login}"], "owns tables (cases"),
        (["GRANT vidhuk_app TO {login}"], "no member of vidhuk_operator, vidhuk_worker"),
    ],
)
async def test_a_login_that_could_see_too_much_or_do_too_little_is_refused(server, superuser, grants, said):
    async with another_login(superuser, server, *grants) as url:
        assert [problem for problem in await problems_of_login(url) if said in problem]


async def test_a_login_with_just_its_groups_is_as_it_should_be(server, superuser):
    async with another_login(superuser, server, f"GRANT {GROUPS} TO {{login}}") as url:
        assert await problems_of_login(url) == []


async def test_the_owner_of_the_schema_is_refused_as_the_login(server):
    assert [problem for problem in await problems_of_login(server.owner) if "owns tables" in problem]


async def test_an_empty_database_is_not_ready(empty):
    connection = await asyncpg.connect(empty.login)
    (problem,) = await check_schema(connection)
    await connection.close()
    assert "the database is empty" in problem


async def test_a_schema_without_a_revision_is_not_ready(server, superuser):
    await superuser.execute("DELETE FROM alembic_version")
    (problem,) = await check_schema(superuser)
    assert "at no revision" in problem


async def test_a_schema_older_than_the_release_is_not_ready(server, superuser, monkeypatch):
    monkeypatch.setattr("app.db.readiness.revisions", lambda: ("next", "0001_schema"))
    await superuser.execute("UPDATE alembic_version SET version_num = '0001_schema'")
    (problem,) = await check_schema(superuser)
    assert "at 0001_schema, this release needs next" in problem


async def test_a_schema_of_a_later_release_still_serves_this_one(server, superuser):
    await superuser.execute("UPDATE alembic_version SET version_num = 'of_a_later_release'")
    assert await check_schema(superuser) == []
