"""`op.secure_table`: row-level security, grants and (on a cluster) distribution of a new table.

The kind of the table says all: see app/db/kinds.py. Distribution is a no-op on plain PostgreSQL.
"""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from sqlalchemy import text

APP = "vidhuk_app"
WORKER = "vidhuk_worker"
OPERATOR = "vidhuk_operator"
BI = "vidhuk_bi"
ROLES = (APP, WORKER, OPERATOR, BI)

_OWN_ROWS = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
_ALL = "SELECT, INSERT, UPDATE, DELETE"


@Operations.register_operation("secure_table")
class SecureTableOp(MigrateOperation):
    """Row-level security, grants and distribution for one new table."""

    def __init__(self, table: str, kind: str, *, worker: bool = False) -> None:
        self.table, self.kind, self.worker = table, kind, worker

    @classmethod
    def secure_table(cls, operations: Operations, table: str, kind: str, *, worker: bool = False) -> None:
        """Secure `table` of this kind; `worker` marks tables claimed across tenants."""
        operations.invoke(cls(table, kind, worker=worker))

    def reverse(self) -> MigrateOperation:
        return SecureTableOp(self.table, "dropped")


@Operations.implementation_for(SecureTableOp)
def _secure(operations: Operations, operation: SecureTableOp) -> None:
    if operation.kind == "dropped":
        return
    if operation.kind not in ("tenant", "reference", "local"):
        raise ValueError(f"the migration must say the kind of {operation.table}: tenant, reference or local")
    table = operation.table
    statements = [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"]
    if table not in ("api_keys", "inlets"):
        # those two are read by their owner's look-up functions, which FORCE would blind
        statements.append(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    if operation.kind == "reference":
        statements += [
            f"CREATE POLICY own_row ON {table} FOR SELECT TO {APP} USING ({_OWN_ROWS})",
            f"CREATE POLICY worker ON {table} FOR SELECT TO {WORKER} USING (true)",
            f"GRANT SELECT ON {table} TO {APP}, {WORKER}",
        ]
    else:
        statements += [
            f"CREATE POLICY own_rows ON {table} TO {APP} USING ({_OWN_ROWS}) WITH CHECK ({_OWN_ROWS})",
            f"GRANT {_ALL} ON {table} TO {APP}",
        ]
    if operation.worker:
        statements += [
            f"CREATE POLICY worker ON {table} TO {WORKER} USING (true) WITH CHECK (true)",
            f"GRANT {_ALL} ON {table} TO {WORKER}",
        ]
    if table in ("tenants", "tenant_head", "api_keys", "audit"):
        statements += [
            f"CREATE POLICY operator ON {table} TO {OPERATOR} USING (true) WITH CHECK (true)",
            f"GRANT {_ALL} ON {table} TO {OPERATOR}",
        ]
    for statement in statements:
        operations.execute(statement)
    _distribute(operations, table, operation.kind)


def _distribute(operations: Operations, table: str, kind: str) -> None:
    connection = operations.get_bind()
    if connection.scalar(text("select count(*) from pg_extension where extname = 'citus'")) == 0:
        return
    if kind == "tenant":
        operations.execute(f"SELECT create_distributed_table('{table}', 'tenant_id')")
    elif kind == "reference":
        operations.execute(f"SELECT create_reference_table('{table}')")


@renderers.dispatch_for(SecureTableOp)
def _render(_context: AutogenContext, operation: SecureTableOp) -> Any:
    if operation.kind == "dropped":
        return []
    worker = ", worker=True" if operation.worker else ""
    return f"op.secure_table({operation.table!r}, {operation.kind!r}{worker})"


def create_roles(operations: Operations) -> None:
    """Create the four group roles where they are missing; they own nothing and cannot log in."""
    for role in ROLES:
        operations.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') "
            f"THEN CREATE ROLE {role} NOLOGIN; END IF; END $$"
        )


_LOOKUPS = {
    "find_api_key": (
        "key_id uuid, tenant_id uuid, hint text, scopes text[], "
        "expires_at timestamptz, revoked_at timestamptz",
        "SELECT key_id, tenant_id, hint, scopes, expires_at, revoked_at FROM api_keys WHERE key_hash = $1",
    ),
    "find_inlet": (
        "tenant_id uuid, source text",
        "SELECT tenant_id, source FROM inlets WHERE token_hash = $1",
    ),
}


def create_lookups(operations: Operations) -> None:
    """The two narrow look-ups that cross tenants: hash of a secret -> whose it is, nothing else."""
    schema = operations.get_bind().scalar(text("select current_schema()"))
    for name, (columns, query) in _LOOKUPS.items():
        operations.execute(
            f"CREATE FUNCTION {name}(bytea) RETURNS TABLE ({columns}) LANGUAGE sql STABLE "
            f"SECURITY DEFINER SET search_path = {schema} AS $${query}$$"
        )
        operations.execute(f"REVOKE ALL ON FUNCTION {name}(bytea) FROM PUBLIC")
        operations.execute(f"GRANT EXECUTE ON FUNCTION {name}(bytea) TO {APP}")
    operations.execute(f"GRANT SELECT ON alembic_version TO {APP}, {WORKER}")


def drop_lookups(operations: Operations) -> None:
    """Drop what `create_lookups` made."""
    for name in _LOOKUPS:
        operations.execute(f"DROP FUNCTION IF EXISTS {name}(bytea)")


def create_partitions(operations: Operations) -> None:
    """A default partition for each table partitioned by time: no row is refused for want of a month."""
    tables = operations.get_bind().scalars(
        text(
            "select relname from pg_class "
            "where relkind = 'p' and relnamespace = current_schema()::regnamespace"
        )
    )
    for table in list(tables):
        operations.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
