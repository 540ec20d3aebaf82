"""The door: a disabled tenant opens none, and a tenant may have a rate.

Revision: 0013_door, after 0012_asking.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_door"
down_revision = "0012_asking"
branch_labels = None
depends_on = None

_KEY = "key_id uuid, tenant_id uuid, hint text, scopes text[], expires_at timestamptz, revoked_at timestamptz"
_KEY_COLUMNS = "k.key_id, k.tenant_id, k.hint, k.scopes, k.expires_at, k.revoked_at"
_INLET = "tenant_id uuid, source text"


def upgrade() -> None:
    op.add_column(
        "tenants",
        sa.Column(
            "events_per_minute", sa.Integer(), nullable=True, comment="what its keys may post; null: any"
        ),
    )
    op.add_column(
        "tenant_head",
        sa.Column(
            "allowance",
            sa.Double(),
            nullable=True,
            comment="events that may still be posted at allowance_at; below 0: owed",
        ),
    )
    op.add_column("tenant_head", sa.Column("allowance_at", sa.DateTime(timezone=True), nullable=True))
    # the look-ups must see whether a tenant is disabled, and FORCE would blind them
    op.execute("ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY")
    _look_up(
        "find_api_key",
        f"{_KEY}, last_used_at timestamptz, disabled_at timestamptz",
        f"SELECT {_KEY_COLUMNS}, k.last_used_at, t.disabled_at "
        "FROM api_keys k JOIN tenants t ON t.tenant_id = k.tenant_id WHERE k.key_hash = $1",
    )
    _look_up(
        "find_inlet",
        _INLET,
        "SELECT i.tenant_id, i.source FROM inlets i JOIN tenants t ON t.tenant_id = i.tenant_id "
        "WHERE i.token_hash = $1 AND t.disabled_at IS NULL",
    )


def downgrade() -> None:
    _look_up("find_inlet", _INLET, "SELECT tenant_id, source FROM inlets WHERE token_hash = $1")
    _look_up("find_api_key", _KEY, f"SELECT {_KEY_COLUMNS} FROM api_keys k WHERE k.key_hash = $1")
    op.execute("ALTER TABLE tenants FORCE ROW LEVEL SECURITY")
    op.drop_column("tenant_head", "allowance_at")
    op.drop_column("tenant_head", "allowance")
    op.drop_column("tenants", "events_per_minute")


def _look_up(name: str, columns: str, query: str) -> None:
    """Replace a look-up that crosses tenants: hash of a secret -> whose it is, nothing else."""
    schema = op.get_bind().scalar(sa.text("select current_schema()"))
    op.execute(f"DROP FUNCTION {name}(bytea)")
    op.execute(
        f"CREATE FUNCTION {name}(bytea) RETURNS TABLE ({columns}) LANGUAGE sql STABLE "
        f"SECURITY DEFINER SET search_path = {schema} AS $${query}$$"
    )
    op.execute(f"REVOKE ALL ON FUNCTION {name}(bytea) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name}(bytea) TO vidhuk_app")
