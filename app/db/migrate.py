"""Brings a database to the newest schema: one migrator at a time, and no lock where nothing is to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url

from app.db.engine import APP_ROLE, OPERATOR_ROLE, WORKER_ROLE
from app.db.revisions import revisions

if TYPE_CHECKING:
    from alembic.config import Config

LOCK_KEY = 0x56494448  # "VIDH": any constant that no other tool on the server uses
_GROUPS = (APP_ROLE, WORKER_ROLE, OPERATOR_ROLE)
_LACKING = """
SELECT count(*) FROM pg_roles AS login, pg_roles AS part
 WHERE login.rolname = $1 AND login.rolname <> current_user AND part.rolname = ANY ($2::text[])
   AND NOT pg_has_role(login.oid, part.oid, 'MEMBER')
"""
_ROOT = Path(__file__).resolve().parents[2]


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the schema owner's connection."""
    from alembic.config import Config  # here and below: a process that only serves does without its 8 MB

    config = Config(str(_ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(_ROOT / "migrations"))
    config.attributes["url"] = url
    return config


async def current_revision(connection: asyncpg.Connection) -> str | None:
    """The revision of the database, None before the first migration."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision


async def migrate(owner_url: str, login_url: str) -> bool:
    """Upgrade to head and grant the group roles to the service's login. True when something changed.

    Replicas that find both done already take no lock, so a rolling start never queues.
    """
    login = make_url(login_url).username
    connection = await asyncpg.connect(_dsn(owner_url))
    try:
        if await _is_done(connection, login):
            return False
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        if await _is_done(connection, login):
            return False
        await asyncio.to_thread(_upgrade, owner_url)
        await _grant_roles(connection, login)
        return True
    finally:
        await connection.close()


def _upgrade(owner_url: str) -> None:
    from alembic import command

    command.upgrade(alembic_config(owner_url), "head")


async def _is_done(connection: asyncpg.Connection, login: str | None) -> bool:
    """The grants count too: whoever migrated may have died before them, or the login may be a new one."""
    if await current_revision(connection) != revisions()[0]:
        return False
    lacking = await connection.fetchval(_LACKING, login, _GROUPS)
    return not lacking


async def _grant_roles(connection: asyncpg.Connection, login: str | None) -> None:
    if login is None or login == await connection.fetchval("SELECT current_user"):
        return
    quoted = '"' + login.replace('"', '""') + '"'
    await connection.execute(f"GRANT {', '.join(_GROUPS)} TO {quoted}")


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
