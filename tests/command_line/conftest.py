"""Commands as they are typed, against the real application on a loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner, Result

from app.command_line import app

Typed = Callable[..., Awaitable[Result]]


@pytest.fixture
def typed(served: str) -> Typed:
    """`await typed("config", "export", key=...)` -> exit code, standard output and standard error."""

    async def run(*arguments: object, key: str, url: str = served) -> Result:
        words = [str(each) for each in arguments]
        environment = {"VIDHUK_KEY": key, "VIDHUK_URL": url, "COLUMNS": "200"}
        return await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)

    return run
