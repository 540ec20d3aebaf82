"""The logins and databases of the service on the embedded server; migrations make everything below them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import asyncpg

from app.embedded.access import OWNER, SERVICE, Access

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ATTRIBUTES = {
    # The owner makes the group roles and hands them to the service, which takes them on by SET ROLE only.
    OWNER: "LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS NOCREATEDB INHERIT",
    SERVICE: "LOGIN NOCREATEROLE NOSUPERUSER NOBYPASSRLS NOCREATEDB NOINHERIT",
}
_DATABASE_EXISTS = (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError)

Result = TypeVar("Result")


def ensure_roles(access: Access) -> None:
    """Make the two logins, or bring them back to the attributes and passwords they should have."""

    async def work(connection: asyncpg.Connection) -> None:
        for name, attributes in _ATTRIBUTES.items():
            known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
            verb = "ALTER" if known else "CREATE"
            await connection.execute(f"{verb} ROLE {name} {attributes} PASSWORD '{access.password_of(name)}'")

    _as_superuser(access, work)


def ensure_database(access: Access, name: str, *, owner: str, template: str | None) -> bool:
    """Make a database (a copy of `template`, which nobody may be using); False when it was there."""
    create = f"CREATE DATABASE {_checked(name)} OWNER {_checked(owner)}"
    if template is not None:
        create += f" TEMPLATE {_checked(template)}"

    async def work(connection: asyncpg.Connection) -> bool:
        if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            return False
        try:
            await connection.execute(create)
        except _DATABASE_EXISTS:  # another process was faster
            return False
        return True

    return _as_superuser(access, work)


def drop_database(access: Access, name: str) -> None:
    """Drop a database, whoever is connected to it."""

    drop = f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)"

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(drop)

    _as_superuser(access, work)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a plain lower-case SQL name")
    return name


def _as_superuser(access: Access, work: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
    """Do `work` on a superuser's connection, in a thread: the caller may be inside an event loop or not."""

    async def session() -> Result:
        connection = await asyncpg.connect(access.dsn("postgres"), ssl=False, timeout=10)
        try:
            return await work(connection)
        finally:
            await connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(session())).result()
