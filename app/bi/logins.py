"""Read-only database logins of a tenant: made, listed and taken back by the owner of the schema.

The tenant stands in the login's name, `bi_<32 hex of tenant_id>_<label>`: no SET can change who logged in.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy.engine import make_url

from app.bi.scram import generate_password, verifier_of
from app.domain.errors import ConflictError, InvalidError, NotFoundError

GROUP: Final = "vidhuk_bi"
_LABEL: Final = re.compile(r"[a-z0-9_]{1,27}")
# Defaults of its sessions; a login may change them, so the limit on connections is the one that holds.
_DEFAULTS: Final = {
    "default_transaction_read_only": "on",
    "search_path": "bi",
    "idle_in_transaction_session_timeout": "60s",
    "idle_session_timeout": "4h",
    "lock_timeout": "2s",
    "jit": "off",
    "constraint_exclusion": "on",  # a filter by metric leaves the other metrics uncounted
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one login may take."""

    connections: int = 5
    statement_seconds: int = 60
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """A login as it stands."""

    name: str
    label: str
    connections: int
    open_sessions: int
    expires_at: datetime | None


def login_name(tenant_id: UUID, label: str) -> str:
    """The name of a tenant's login. Raises InvalidError `invalid_label`."""
    if _LABEL.fullmatch(label) is None:
        raise InvalidError(
            "invalid_label",
            f"{label[:40]!r} is no label of a login",
            pointer="/label",
            cure="take up to 27 small letters, digits and underscores, for example `tableau`",
        )
    return f"bi_{tenant_id.hex}_{label}"


async def grant_login(owner_url: str, tenant_id: UUID, label: str, limits: Limits) -> tuple[str, str]:
    """Name and password of a new login; the password exists nowhere else. Raises ConflictError."""
    name, password = login_name(tenant_id, label), generate_password()
    until = "infinity" if limits.expires_at is None else limits.expires_at.isoformat()
    async with _owner(owner_url) as owner, owner.transaction():
        try:
            await owner.execute(
                f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT "
                f"CONNECTION LIMIT {limits.connections} VALID UNTIL '{until}' "
                f"PASSWORD '{verifier_of(password)}'"
            )
        except asyncpg.DuplicateObjectError:
            raise ConflictError(
                "login_exists",
                f"the login {name} is there already",
                cure="revoke it first, or take another label",
            ) from None
        defaults = _DEFAULTS | {"statement_timeout": f"{limits.statement_seconds}s"}
        for setting, value in defaults.items():
            await owner.execute(f"ALTER ROLE {name} SET {setting} = '{value}'")
        await owner.execute(f"GRANT {GROUP} TO {name}")
    return name, password


async def revoke_login(owner_url: str, tenant_id: UUID, label: str) -> int:
    """Take a login back and end its sessions; how many were open. Raises NotFoundError.

    It is locked in a commit of its own first: from then on nobody enters, whatever the rest meets.
    """
    name = login_name(tenant_id, label)
    async with _owner(owner_url) as owner:
        if not await owner.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
            raise NotFoundError("no_such_login", f"there is no login {name}", cure="see `vidhuk bi list`")
        await owner.execute(f"ALTER ROLE {name} NOLOGIN")
        await owner.execute(f"REVOKE {GROUP} FROM {name}")
        await owner.execute(f"GRANT {name} TO CURRENT_USER")  # its sessions may be ended by its members only
        ended = await owner.fetch(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", name
        )
        await owner.execute(f"DROP OWNED BY {name}")
        await owner.execute(f"DROP ROLE {name}")
        return len(ended)


async def list_logins(owner_url: str, tenant_id: UUID) -> list[Login]:
    """The logins of a tenant by name."""
    prefix = f"bi_{tenant_id.hex}_"
    async with _owner(owner_url) as owner:
        rows = await owner.fetch(
            "SELECT r.rolname::text AS name, r.rolconnlimit, nullif(r.rolvaliduntil, 'infinity') AS until, "
            "(SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid) AS open "
            "FROM pg_roles r WHERE starts_with(r.rolname, $1) ORDER BY 1",
            prefix,
        )
    return [
        Login(row["name"], row["name"].removeprefix(prefix), row["rolconnlimit"], row["open"], row["until"])
        for row in rows
    ]


def login_url(owner_url: str, name: str, password: str) -> str:
    """The URL by which a report connects: the owner's server and database, this login."""
    url = make_url(owner_url).set(drivername="postgresql", username=name, password=password)
    return url.render_as_string(hide_password=False)


@asynccontextmanager
async def _owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    dsn = make_url(owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
