"""Databases as they are in production: they belong to the owner of the schema, not to the superuser."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.conftest import Server


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def a_database(postgres: Server, *, template: str = "template1") -> Iterator[Server]:
    """A database of the schema's owner, a copy of `template`; dropped at the end."""
    name, owner = f"contract_{uuid4().hex[:12]}", make_url(postgres.owner).username
    asyncio.run(_execute(postgres.superuser, f"CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}"))
    try:
        yield postgres.on(name)
    finally:
        asyncio.run(_execute(postgres.superuser, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def server(postgres: Server, template: str) -> Iterator[Server]:
    """A fresh migrated database of this test."""
    with a_database(postgres, template=template) as server:
        yield server
