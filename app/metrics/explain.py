"""The SQL behind an answer: each statement as the database got it, and its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy.dialects.postgresql import asyncpg

from app.metrics.compiler import Read

_DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


def explained(reads: Iterable[Read]) -> list[dict[str, Any]]:
    """Population, statement and parameters ($1, $2, ...) of each read, in the order of execution."""
    return [_explained(read) for read in reads]


def _explained(read: Read) -> dict[str, Any]:
    compiled = read.statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    names = compiled.positiontup or []
    return {
        "population": read.population,
        "sql": str(compiled),
        "parameters": [compiled.params[name] for name in names],
    }
