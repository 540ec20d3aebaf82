"""The SQL behind an answer: each statement as the database got it, and its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.metrics.compiler import Read
from app.metrics.prepared import Prepared, prepare


def explained(reads: Iterable[Read]) -> list[dict[str, Any]]:
    """Population, statement and parameters ($1, $2, ...) of each read, in the order of execution."""
    return [_explained(read) for read in reads]


def _explained(read: Read) -> dict[str, Any]:
    told = read.statement if isinstance(read.statement, Prepared) else prepare(read.statement)
    return {"population": read.population, "sql": told.sql, "parameters": told.parameters}
