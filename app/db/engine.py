"""Connections and transactions: who speaks (role, tenant), for how long, and on which pool.

Reads and configuration go through SQLAlchemy (`tenant`, `operator`); the write path, which is
measured in microseconds, uses the same pool's asyncpg connections directly (`write`, `worker`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast
from uuid import UUID

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from app.kit import json


class Tx(Protocol):
    """The driver's connection inside an open transaction; jsonb goes in as text and comes out parsed."""

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run a statement; the answer is its command tag."""

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """All rows of a statement."""

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """The first row, or None."""

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row, or None."""

    async def copy_to_table(self, table_name: str, *, source: Any, schema_name: str, format: str) -> str:
        """COPY what a file holds into a table that has no row-level security (a temporary one)."""

    def is_closed(self) -> bool:
        """True when the connection is gone."""


APP_ROLE = "vidhuk_app"
WORKER_ROLE = "vidhuk_worker"
OPERATOR_ROLE = "vidhuk_operator"

_FOR_ONE_TENANT = "SELECT set_config('app.tenant_id', $1, true), set_config('statement_timeout', $2, true)"

RETRYABLE_SQLSTATES = frozenset(
    {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "25006", "53100"}
)
"""The last two: read-only (a primary that was just demoted) and disk full end without our doing."""


class DatabaseUnavailableError(Exception):
    """The database cannot answer now (starting, full, locked): the same request may succeed later."""

    reason = "database_unavailable"


def is_retryable(error: BaseException) -> bool:
    """True for faults of the moment: lost connection, deadlock, lock timeout, restart."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    if isinstance(error, DatabaseUnavailableError | PoolTimeoutError | InterfaceError | OSError):
        return True
    if isinstance(
        error, asyncpg.InterfaceError | asyncpg.PostgresConnectionError | asyncpg.InternalClientError
    ):
        # the last one: a backend that died in the middle of an answer leaves the driver between two states
        return True
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return True  # somebody migrated a table meanwhile; the driver forgets its plans and asks anew
    return isinstance(error, asyncpg.PostgresError) and (
        error.sqlstate in RETRYABLE_SQLSTATES or str(error.sqlstate).startswith("08")
    )


def asyncpg_url(url: str) -> str:
    """The same URL for SQLAlchemy's asyncpg dialect, whichever PostgreSQL scheme it was written with."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


class Database:
    """The pool of one process. Every transaction names its role; tenant ones name their tenant."""

    def __init__(self, url: str, *, pool_size: int = 10, pool_timeout_seconds: float = 5.0) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            asyncpg_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            # the one used last has its plans and caches ready; the others are for when it is busy
            pool_use_lifo=True,
            pool_timeout=pool_timeout_seconds,
            pool_recycle=1800,
            json_serializer=json.dumps_text,
            json_deserializer=json.loads,
            connect_args={
                "timeout": pool_timeout_seconds,
                "server_settings": {
                    "role": APP_ROLE,
                    "application_name": "vidhuk",
                    "jit": "off",
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": "15s",
                    "lock_timeout": "3s",
                },
            },
        )

        event.listen(self.engine.sync_engine, "checkout", _leave_the_dead)

    def connections(self) -> tuple[int, int]:
        """Connections of the pool that are in use, and those that wait for work."""
        pool = cast(QueuePool, self.engine.pool)
        return pool.checkedout(), pool.checkedin()

    async def close(self) -> None:
        """Close every idle connection of the pool."""
        await self.engine.dispose()

    @asynccontextmanager
    async def tenant(
        self, tenant_id: UUID, *, timeout_seconds: int | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one tenant's rows; commits at the end, rolls back on error."""
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(f"SET LOCAL app.tenant_id = '{UUID(str(tenant_id))}'")
            if timeout_seconds is not None:
                await connection.exec_driver_sql(f"SET LOCAL statement_timeout = {timeout_seconds * 1000}")
            yield connection

    @asynccontextmanager
    async def snapshot(
        self, tenant_id: UUID, *, timeout_seconds: int, writable: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of one tenant throughout, opened in two round trips."""
        async with self.engine.connect() as connection:
            await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=not writable
            )
            async with connection.begin():
                settings = (str(UUID(str(tenant_id))), str(timeout_seconds * 1000))
                await connection.exec_driver_sql(_FOR_ONE_TENANT, settings)
                yield connection

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may create tenants and keys, and see nothing else."""
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(f"SET LOCAL ROLE {OPERATOR_ROLE}")
            yield connection

    @asynccontextmanager
    async def write(self, tenant_id: UUID) -> AsyncIterator[Tx]:
        """The same as `tenant`, on the driver's own connection: the write path."""
        async with self._raw(f"SET LOCAL app.tenant_id = '{UUID(str(tenant_id))}'") as tx:
            yield tx

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Tx]:
        """A transaction over the claim tables of all tenants."""
        async with self._raw(f"SET LOCAL ROLE {WORKER_ROLE}") as tx:
            yield tx

    async def fetch_row(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """One row of one statement outside any transaction: for the narrow look-ups."""
        async with self.engine.connect() as connection:
            return await (await _driver(connection)).fetchrow(sql, *arguments)

    @asynccontextmanager
    async def _raw(self, opening: str) -> AsyncIterator[Tx]:
        async with self.engine.connect() as connection:
            driver = await _driver(connection)
            try:
                # one round trip; asyncpg sends a parameterless script as a simple query
                await driver.execute(f"BEGIN; {opening}")
                yield driver
                await driver.execute("COMMIT")
            except BaseException as error:
                await self._abandon(connection, driver, error)
                raise

    @staticmethod
    async def _abandon(connection: AsyncConnection, driver: Tx, error: BaseException) -> None:
        """Leave no open transaction in the pool: roll back, or drop a connection that cannot."""
        try:
            if not driver.is_closed() and not isinstance(error, asyncpg.PostgresConnectionError):
                await driver.execute("ROLLBACK")
                return
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            pass
        await connection.invalidate()


async def _driver(connection: AsyncConnection) -> Tx:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return cast(Tx, driver)


def _leave_the_dead(connection: Any, _record: object, _proxy: object) -> None:
    """A connection that died while idle is known to be dead: take a new one, and none of its age."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("the database closed this connection")
