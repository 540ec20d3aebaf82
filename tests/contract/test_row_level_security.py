"""Row-level security as the service meets it: its own login, each of its roles, two tenants everywhere."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from app.db.engine import APP_ROLE, OPERATOR_ROLE, WORKER_ROLE, Database
from app.db.kinds import TableKind, kind_of
from tests.conftest import Server

from .conftest import a_database
from .rows import MINE, TABLES, THEIRS, fill, insert, row_of, tenants_seen

NO_RIGHT = asyncpg.InsufficientPrivilegeError
NOBODY = frozenset()
BOTH = {MINE, THEIRS}
LOOKED_UP = {
    "api_keys",
    "inlets",
    "tenants",
}  # not forced upon their owner, whose look-up functions read them
CLAIMED = {table.name for table in TABLES if table.info.get("worker")}
OPERATED = {"tenants", "tenant_head", "api_keys", "audit"}
REPORTED = {
    *("tenants", "feedback", "volumes", "cases", "sla_timers"),
    *("questions", "directory", "attributes", "sources", "metric_terms", "events", "event_personal"),
}
WRITTEN = [table for table in TABLES if kind_of(table) is not TableKind.REFERENCE]


@asynccontextmanager
async def connected(url: str, role: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    settings = {"role": role} if role else {}
    connection = await asyncpg.connect(url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def filled(postgres: Server, template: str) -> Iterator[Server]:
    """A migrated database with rows of both tenants in every table."""

    async def work(server: Server) -> None:
        async with connected(server.superuser) as superuser:
            await fill(superuser)

    with a_database(postgres, template=template) as server:
        asyncio.run(work(server))
        yield server


@pytest.fixture
async def app(filled: Server) -> AsyncIterator[asyncpg.Connection]:
    """The service's login in its usual role, no tenant set."""
    async with connected(filled.login, APP_ROLE) as connection:
        yield connection


@asynccontextmanager
async def speaking_for(connection: asyncpg.Connection, tenant_id: object) -> AsyncIterator[None]:
    """A transaction of one tenant, taken back at the end."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL app.tenant_id = '{tenant_id}'")
        yield
    finally:
        await transaction.rollback()


async def test_the_rows_are_there(filled):
    async with connected(filled.superuser) as superuser:
        assert {table.name for table in TABLES if await tenants_seen(superuser, table) != BOTH} == set()


async def test_without_a_tenant_no_table_shows_a_row(app):
    assert {table.name for table in TABLES if await tenants_seen(app, table) != NOBODY} == set()


@pytest.mark.parametrize(("tenant_id", "shown"), [(MINE, {MINE}), (THEIRS, {THEIRS}), ("", NOBODY)])
async def test_a_tenant_is_shown_its_own_rows_and_no_others(app, tenant_id, shown):
    async with speaking_for(app, tenant_id):
        assert {table.name for table in TABLES if await tenants_seen(app, table) != shown} == set()


async def test_a_tenant_that_is_no_uuid_is_refused_rather_than_shown_something(app):
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        async with speaking_for(app, "x' OR '1'='1".replace("'", "''")):
            await tenants_seen(app, TABLES[0])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_no_row_can_be_written_for_another_tenant(app, table):
    newcomer = uuid4()
    async with speaking_for(app, newcomer):
        if table in WRITTEN:
            await insert(app, table, row_of(table, newcomer))
        with pytest.raises(NO_RIGHT):
            await insert(app, table, row_of(table, THEIRS))


@pytest.mark.parametrize("table", WRITTEN, ids=lambda table: table.name)
async def test_rows_of_another_tenant_can_be_neither_changed_nor_taken_nor_given_away(app, table):
    change = f"UPDATE {table.name} SET tenant_id = tenant_id WHERE tenant_id = $1"
    async with speaking_for(app, MINE):
        assert await app.execute(change, THEIRS) == "UPDATE 0"
        assert await app.execute(change, MINE) == "UPDATE 1"
        assert await app.execute(f"DELETE FROM {table.name} WHERE tenant_id = $1", THEIRS) == "DELETE 0"
        with pytest.raises(NO_RIGHT):
            await app.execute(f"UPDATE {table.name} SET tenant_id = $1", THEIRS)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_no_way_around_the_policies_is_open_to_the_service(app, table):
    for statement in (
        f"TRUNCATE {table.name}",
        f"ALTER TABLE {table.name} DISABLE ROW LEVEL SECURITY",
        f"CREATE POLICY mine ON {table.name} USING (true)",
        f"SET LOCAL row_security = off; SELECT * FROM {table.name}",
    ):
        with pytest.raises(NO_RIGHT):
            async with speaking_for(app, MINE):
                await app.execute(statement)


async def test_the_login_itself_without_a_role_has_no_right_at_all(filled):
    async with connected(filled.login) as login:
        for table in TABLES:
            with pytest.raises(NO_RIGHT):
                await tenants_seen(login, table)


async def test_the_login_cannot_become_the_owner(app, filled):
    async with connected(filled.owner) as owner:
        name = await owner.fetchval("SELECT current_user")
    for role in (name, "postgres"):
        with pytest.raises(NO_RIGHT):
            await app.execute(f"SET ROLE {role}")


async def test_the_owner_of_the_tables_is_bound_too(filled):
    async with connected(filled.owner) as owner:
        shown = {table.name for table in TABLES if await tenants_seen(owner, table) != NOBODY}
        assert shown == LOOKED_UP
        async with speaking_for(owner, MINE):
            assert {table.name for table in TABLES if await tenants_seen(owner, table) != NOBODY} == LOOKED_UP
        for table in WRITTEN:
            if table.name not in LOOKED_UP:
                with pytest.raises(NO_RIGHT):
                    await insert(owner, table, row_of(table, MINE))


async def rights(connection: asyncpg.Connection) -> dict[str, object]:
    """Whose rows of each table a role is shown; tables that it may not read are left out."""
    found = {}
    for table in TABLES:
        try:
            found[table.name] = await tenants_seen(connection, table)
        except NO_RIGHT:
            continue
    return found


async def test_the_worker_sees_the_claim_tables_of_every_tenant_and_nothing_else(filled):
    async with connected(filled.login, WORKER_ROLE) as worker:
        assert await rights(worker) == dict.fromkeys({*CLAIMED, "tenants"}, BOTH)
        with pytest.raises(NO_RIGHT):
            await worker.execute("UPDATE tenants SET name = 'x'")


async def test_the_operator_sees_tenants_and_keys_and_no_feedback(filled):
    async with connected(filled.login, OPERATOR_ROLE) as operator:
        assert await rights(operator) == dict.fromkeys(OPERATED, BOTH)


async def test_the_role_of_reports_is_shown_no_row_unless_the_login_names_its_tenant(filled):
    async with connected(filled.superuser) as superuser:
        await superuser.execute("SET ROLE vidhuk_bi")
        await superuser.execute(f"SET app.tenant_id = '{MINE}'")
        assert await rights(superuser) == dict.fromkeys(REPORTED, NOBODY)


async def test_a_look_up_gives_the_one_row_of_its_secret_and_only_to_the_service(app, filled):
    async with connected(filled.superuser) as superuser:
        hashes = {
            "find_api_key": await superuser.fetchval(
                "SELECT key_hash FROM api_keys WHERE tenant_id = $1", THEIRS
            ),
            "find_inlet": await superuser.fetchval(
                "SELECT token_hash FROM inlets WHERE tenant_id = $1", THEIRS
            ),
        }
    for name, secret in hashes.items():
        rows = await app.fetch(f"SELECT * FROM {name}($1)", secret)
        assert [row["tenant_id"] for row in rows] == [THEIRS]
        assert await app.fetch(f"SELECT * FROM {name}($1)", b"another") == []
        for role in (WORKER_ROLE, OPERATOR_ROLE):
            async with connected(filled.login, role) as other:
                with pytest.raises(NO_RIGHT):
                    await other.fetch(f"SELECT * FROM {name}($1)", secret)


@pytest.fixture
async def pool_of_one(filled: Server) -> AsyncIterator[Database]:
    """The service's own pool, with a single connection that everything shares."""
    database = Database(filled.login, pool_size=1)
    yield database
    await database.close()


async def test_a_tenant_is_forgotten_when_its_transaction_ends(pool_of_one):
    async with pool_of_one.tenant(MINE) as connection:
        mine = await connection.exec_driver_sql("SELECT pg_backend_pid(), count(*) FROM cases")
        backend, shown = mine.one()
        assert shown == 1
    after = await pool_of_one.fetch_row("SELECT pg_backend_pid() AS backend, count(*) AS shown FROM cases")
    assert tuple(after) == (backend, 0)


async def test_a_tenant_is_forgotten_when_its_transaction_fails(pool_of_one):
    for opened in (pool_of_one.tenant, pool_of_one.write):
        with pytest.raises(RuntimeError):
            async with opened(MINE):
                raise RuntimeError
        after = await pool_of_one.fetch_row("SELECT current_user AS role, count(*) AS shown FROM cases")
        assert tuple(after) == (APP_ROLE, 0)


async def test_another_role_is_laid_down_when_its_transaction_ends(pool_of_one):
    async with pool_of_one.worker() as tx:
        assert await tx.fetchval("SELECT current_user") == WORKER_ROLE
    async with pool_of_one.operator() as connection:
        assert (await connection.exec_driver_sql("SELECT current_user")).scalar() == OPERATOR_ROLE
    assert (await pool_of_one.fetch_row("SELECT current_user AS role"))["role"] == APP_ROLE
