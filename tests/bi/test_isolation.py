"""Two tenants' report logins in one database: neither sees the other, whatever it tries."""

from pathlib import Path

import asyncpg
import pytest

from migrations.bi.every import VIEWS, read_now
from tests.contract.rows import THEIRS

from .conftest import SECRET, connected

NO_RIGHT = asyncpg.InsufficientPrivilegeError
HIDDEN = (
    "events",
    "event_personal",
    "api_keys",
    "inlets",
    "raw_payloads",
    "endpoint_secrets",
    "audit",
    "messages",
)


async def everything(connection: asyncpg.Connection) -> str:
    """All that the views show, as one text."""
    shown = [repr(await connection.fetch(f"SELECT * FROM bi.{view.name}")) for view in VIEWS]
    return "\n".join(shown)


async def test_each_login_sees_its_own_rows_in_every_view_and_none_of_the_others(reports):
    async with connected(reports.mine) as mine, connected(reports.theirs) as theirs:
        for view in VIEWS:
            if view.name in (
                "feedback_attributes",
                "dim_location",
                "dim_employee",
                "dim_segment",
                "dim_product",
                "orders",
                "customers_daily",
            ):
                continue
            counted = f"SELECT count(*) FROM bi.{view.name}"
            assert (await mine.fetchval(counted), await theirs.fetchval(counted)) >= (1, 1), view.name
        assert SECRET not in await everything(mine)
        assert SECRET in await everything(theirs)


@pytest.mark.parametrize(
    "trick",
    [
        f"SET app.tenant_id = '{THEIRS}'",
        "SET ROLE vidhuk_bi",
        "SET search_path = public, bi",
        f"SET application_name = 'bi_{THEIRS.hex}_x'",
    ],
)
async def test_no_setting_changes_whose_rows_are_shown(mine, trick):
    await mine.execute(trick)
    assert SECRET not in await everything(mine)
    for table in read_now():
        assert await mine.fetchval(f"SELECT count(*) FROM public.{table} WHERE tenant_id = $1", THEIRS) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SET SESSION AUTHORIZATION postgres",
        "SET ROLE vidhuk_app",
        "SET ROLE vidhuk_worker",
        "SET row_security = off; SELECT * FROM bi.feedback",
        "SELECT * FROM pg_statistic",
        "SELECT rolpassword FROM pg_authid",
        "UPDATE bi.dim_question SET wording = 'x'",
        "DELETE FROM bi.tenant",
        "INSERT INTO bi.dim_source (source) VALUES ('x')",
        "UPDATE public.cases SET state = 'closed'",
        "SELECT attributes, sealed_secret FROM public.feedback, public.tenants",
        "SELECT * FROM public.cases",
        "SELECT public.find_api_key('x')",
        "CREATE TABLE bi.mine (x int)",
        "CREATE TABLE public.mine (x int)",
        "CREATE ROLE mine",
        "ALTER ROLE CURRENT_USER CONNECTION LIMIT 100",
        "SELECT name FROM public.turns FOR UPDATE",
        *(f"SELECT * FROM public.{table}" for table in HIDDEN),
    ],
)
async def test_what_is_not_a_report_is_refused(mine, statement):
    with pytest.raises(NO_RIGHT) as refused:
        await mine.execute(statement)
    assert SECRET not in str(refused.value)


async def test_a_function_that_tells_what_it_is_given_is_given_own_rows_only(mine):
    told = []
    mine.add_log_listener(lambda _connection, message: told.append(message.message))
    await mine.execute(
        "CREATE FUNCTION pg_temp.tell(text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE NOTICE 'told %', $1; RETURN true; END $$"
    )
    await mine.fetch("SELECT 1 FROM bi.feedback WHERE pg_temp.tell(source)")
    await mine.fetch("SELECT 1 FROM public.feedback WHERE pg_temp.tell(source)")
    assert told == ["told x", "told x"]


async def test_an_error_text_shows_own_values_only(mine):
    with pytest.raises(asyncpg.DataError) as refused:
        await mine.fetch("SELECT 1 FROM bi.cases WHERE source::integer = 1")
    assert '"x"' in str(refused.value)
    assert await mine.fetch("SELECT 1 FROM bi.cases WHERE source <> 'x' AND source::integer = 1") == []


async def test_the_catalogue_holds_no_values_of_the_shared_tables(mine):
    assert await mine.fetchval("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'") == 0


async def test_a_session_is_read_only_and_short_until_its_user_says_otherwise(reports):
    async with connected(reports.mine) as connection:
        settings = ("transaction_read_only", "statement_timeout", "search_path")
        assert [await connection.fetchval(f"SHOW {name}") for name in settings] == ["on", "1min", "bi"]


def test_the_service_at_work_waits_for_no_lock_that_a_report_could_hold():
    takers = [path for path in Path("app").rglob("*.py") if "pg_advisory" in path.read_text()]
    takers += [path for path in Path("app").rglob("*.py") if "pg_try_advisory" in path.read_text()]
    assert [path.as_posix() for path in takers] == ["app/db/migrate.py"]
