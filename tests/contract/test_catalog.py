"""The migrated database keeps the storage rules of its three kinds of table; what breaks one is found."""

import ast
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import Server

from .catalog import DECLARED, RULES, Declared, Finding, lint
from .conftest import a_database

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
TENANT, LOCAL = Declared("tenant"), Declared("local")
SECURED = """
    ALTER TABLE planted ENABLE ROW LEVEL SECURITY;
    ALTER TABLE planted FORCE ROW LEVEL SECURITY;
    CREATE POLICY own_rows ON planted TO vidhuk_app
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
    GRANT SELECT, INSERT, UPDATE, DELETE ON planted TO vidhuk_app;
    COMMENT ON TABLE planted IS 'Planted by a test.';
"""
GOOD = "CREATE TABLE planted (tenant_id uuid, id uuid, PRIMARY KEY (tenant_id, id));" + SECURED
LOCAL_NUMBER = "(tenant_id uuid NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"


@pytest.fixture(scope="module")
def throwaway(postgres: Server, template: str) -> Iterator[Server]:
    """A migrated database in which things may be planted: every test takes back what it did."""
    with a_database(postgres, template=template) as server:
        yield server


@pytest.fixture
async def superuser(throwaway: Server) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(throwaway.superuser)
    yield connection
    await connection.close()


async def findings_after(connection: asyncpg.Connection, ddl: str, kind: Declared | None) -> list[Finding]:
    """What the lint finds once these statements have run; they are taken back."""
    change = connection.transaction()
    await change.start()
    try:
        await connection.execute(ddl)
        return await lint(connection, {**DECLARED, "planted": kind} if kind else DECLARED)
    finally:
        await change.rollback()


async def test_the_schema_keeps_every_rule(superuser):
    assert await lint(superuser) == []


@pytest.mark.parametrize(
    ("ddl", "kind"),
    [(GOOD, TENANT), (f"CREATE TABLE planted {LOCAL_NUMBER};{SECURED}", LOCAL)],
)
async def test_a_table_that_keeps_the_rules_is_not_found(superuser, ddl, kind):
    assert await findings_after(superuser, ddl, kind) == []


TWINS = {
    "every table is declared, and every declared table is there": [
        (GOOD, None, "planted"),
        ("SELECT 1", TENANT, "planted"),
        ("DROP TABLE audit", None, "audit"),
    ],
    "every row of a tenant names its tenant": [
        (f"CREATE TABLE planted (tenant_id uuid, id uuid PRIMARY KEY);{SECURED}", LOCAL, "planted"),
        ("ALTER TABLE outbox ALTER tenant_id DROP NOT NULL", None, "outbox"),
        ("CREATE TABLE planted (tenant_id text PRIMARY KEY)", TENANT, "planted"),
    ],
    "every table has a primary key": [
        (f"CREATE TABLE planted (tenant_id uuid NOT NULL);{SECURED}", TENANT, "planted"),
    ],
    "the tenant stands first in every index of a tenant table": [
        (GOOD.replace("(tenant_id, id)", "(id, tenant_id)"), TENANT, "planted_pkey"),
        ("CREATE UNIQUE INDEX planted ON events (event_id)", None, "planted"),
        ("CREATE INDEX planted ON feedback (lower(source))", None, "planted"),
    ],
    "references between tenant tables go by tenant, and none leads from a local table to them": [
        (
            "CREATE TABLE planted (tenant_id uuid, id uuid, a uuid, b uuid, PRIMARY KEY (tenant_id, id),"
            f" CONSTRAINT crossed FOREIGN KEY (a, b) REFERENCES cases (tenant_id, case_id));{SECURED}",
            TENANT,
            "crossed",
        ),
        (
            "ALTER TABLE outbox ADD CONSTRAINT led FOREIGN KEY (tenant_id) REFERENCES tenant_head",
            None,
            "led",
        ),
    ],
    "nothing is set to null or to a default when what it refers to goes": [
        (
            "ALTER TABLE sla_timers ADD CONSTRAINT forgot FOREIGN KEY (tenant_id, subject_id)"
            " REFERENCES cases ON DELETE SET NULL",
            None,
            "forgot",
        ),
    ],
    "there are no triggers and no rewrite rules": [
        (
            "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            "CREATE TRIGGER touched BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION planted()",
            None,
            "touched",
        ),
        ("CREATE RULE kept AS ON DELETE TO events DO INSTEAD NOTHING", None, "kept"),
    ],
    "numbers are drawn in local tables only": [
        ("ALTER TABLE cases ADD number bigint GENERATED ALWAYS AS IDENTITY", None, "cases.number"),
        ("ALTER TABLE cases ADD number bigserial", None, "cases.number"),
        ("ALTER TABLE outbox ADD number bigserial", None, "outbox.number"),
    ],
    "no default asks the clock or chance": [
        ("ALTER TABLE cases ALTER opened_at SET DEFAULT now()", None, "cases.opened_at"),
        ("ALTER TABLE cases ALTER case_id SET DEFAULT gen_random_uuid()", None, "cases.case_id"),
    ],
    "times have a zone": [("ALTER TABLE cases ADD noon timestamp", None, "cases.noon")],
    "texts and numbers are not cut": [
        ("ALTER TABLE cases ADD short varchar(20)", None, "cases.short"),
        ("ALTER TABLE cases ADD rough real", None, "cases.rough"),
    ],
    "every table says what it is for": [("COMMENT ON TABLE cases IS NULL", None, "cases")],
    "row-level security is on, and forced upon the owner but where the look-ups read": [
        ("ALTER TABLE cases DISABLE ROW LEVEL SECURITY", None, "cases"),
        ("ALTER TABLE cases NO FORCE ROW LEVEL SECURITY", None, "cases"),
        ("ALTER TABLE inlets DISABLE ROW LEVEL SECURITY", None, "inlets"),
    ],
    "each table has the policies of its kind, word for word": [
        ("DROP POLICY own_rows ON cases", None, "cases.own_rows"),
        ("ALTER POLICY own_rows ON cases USING (true)", None, "cases.own_rows"),
        ("ALTER POLICY own_rows ON cases WITH CHECK (true)", None, "cases.own_rows"),
        ("ALTER POLICY own_rows ON cases TO public", None, "cases.own_rows"),
        ("DROP POLICY worker ON outbox", None, "outbox.worker"),
        ("DROP POLICY operator ON audit", None, "audit.operator"),
    ],
    "and no other policies": [
        ("CREATE POLICY all_rows ON cases TO vidhuk_bi USING (true)", None, "cases.all_rows"),
        ("CREATE POLICY worker ON cases TO vidhuk_worker USING (true)", None, "cases.worker"),
    ],
    "nobody is granted more than the policies allow": [
        ("GRANT SELECT ON cases TO public", None, "cases: SELECT to public"),
        ("GRANT SELECT ON cases TO vidhuk_worker", None, "cases: SELECT to vidhuk_worker"),
        ("GRANT TRUNCATE ON cases TO vidhuk_app", None, "cases: TRUNCATE to vidhuk_app"),
        ("GRANT INSERT ON tenants TO vidhuk_app", None, "tenants: INSERT to vidhuk_app"),
        ("GRANT SELECT (detection) ON cases TO vidhuk_bi", None, "cases.detection"),
    ],
    "partitions are reached through their table, and none is wanting": [
        ("GRANT SELECT ON raw_payloads_default TO vidhuk_app", None, "raw_payloads_default"),
        ("DROP TABLE attempts_default", None, "attempts"),
    ],
    "only the two narrow look-ups run with their owner's rights": [
        ("CREATE FUNCTION peek() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", None, "peek"),
        ("ALTER FUNCTION find_api_key RESET search_path", None, "find_api_key"),
        ("GRANT EXECUTE ON FUNCTION find_inlet TO public", None, "find_inlet"),
    ],
    "the roles of the service are bound by row-level security, own nothing and cannot log in": [
        ("ALTER ROLE vidhuk_app BYPASSRLS", None, "vidhuk_app"),
        ("ALTER ROLE vidhuk_bi LOGIN", None, "vidhuk_bi"),
        ("GRANT vidhuk_worker TO vidhuk_bi", None, "vidhuk_bi"),
        ("ALTER TABLE cases OWNER TO vidhuk_app", None, "vidhuk_app"),
    ],
    "every view shows a reader no more than the reader may see": [
        ("CREATE VIEW peek AS SELECT * FROM cases", None, "peek"),
        ("CREATE MATERIALIZED VIEW peek AS SELECT * FROM cases", None, "peek"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "ddl", "kind", "thing"),
    [(rule, *twin) for rule, twins in TWINS.items() for twin in twins],
)
async def test_what_breaks_a_rule_is_found_by_that_rule(superuser, rule, ddl, kind, thing):
    assert Finding(rule, thing) in await findings_after(superuser, ddl, kind)


def test_every_rule_has_something_that_breaks_it():
    assert set(TWINS) == set(RULES)


def test_migrations_secure_each_table_as_the_kind_that_the_code_declares():
    secured = {}
    for path in sorted(VERSIONS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "op.secure_table":
                name, kind, *_ = (argument.value for argument in node.args)
                worker = any(keyword.arg == "worker" for keyword in node.keywords)
                secured[name] = Declared(kind, worker)
    assert {name: secured.get(name) for name in DECLARED} == DECLARED
