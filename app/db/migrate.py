"""Brings a database to the newest schema: lock-free head check, one migrator at a time, grants to the login."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

_LOCK_KEY = 0x56494448  # "VIDH": any constant that no other tool on the server uses
_ROOT = Path(__file__).resolve().parents[2]


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the schema owner's connection."""
    config = Config(str(_ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(_ROOT / "migrations"))
    config.attributes["url"] = url
    return config


def head_revision() -> str | None:
    """The newest revision of this release."""
    return ScriptDirectory.from_config(alembic_config("")).get_current_head()


async def current_revision(connection: asyncpg.Connection) -> str | None:
    """The revision of the database, None before the first migration."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision


async def migrate(owner_url: str, login_url: str) -> bool:
    """Upgrade to head and grant the group roles to the service's login. True when something changed.

    Replicas that find the head already there take no lock, so a rolling start never queues.
    """
    connection = await asyncpg.connect(_dsn(owner_url))
    try:
        if await current_revision(connection) == head_revision():
            return False
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
        if await current_revision(connection) == head_revision():
            return False
        await asyncio.to_thread(command.upgrade, alembic_config(owner_url), "head")
        await _grant_roles(connection, make_url(login_url).username)
        return True
    finally:
        await connection.close()


async def _grant_roles(connection: asyncpg.Connection, login: str | None) -> None:
    if login is None or login == await connection.fetchval("SELECT current_user"):
        return
    quoted = '"' + login.replace('"', '""') + '"'
    await connection.execute(f"GRANT vidhuk_app, vidhuk_worker, vidhuk_operator TO {quoted}")


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
