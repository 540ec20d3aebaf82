"""The SQL behind an answer: each statement as the database got it, and its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from app.metrics.compiler import Read
from app.metrics.prepared import Prepared, prepare

_MICROSECONDS: Final = timedelta(microseconds=1)
_A_MINUTE, _AN_HOUR, _WIDEST_INTEGER = 60_000_000, 3_600_000_000, 2**63


def explained(reads: Iterable[Read]) -> list[dict[str, Any]]:
    """Population, statement and parameters ($1, $2, ...) of each read, in the order of execution."""
    return [_explained(read) for read in reads]


def parameter(value: Any) -> Any:
    """A parameter of a statement as JSON has it; what JSON has no word for, as PostgreSQL writes it."""
    match value:
        case None | bool() | float() | str():
            return value
        case int():
            return value if -_WIDEST_INTEGER <= value < _WIDEST_INTEGER else str(value)
        case timedelta():
            return _interval(value)
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case list() | tuple() | set() | frozenset():
            return [parameter(item) for item in value]
        case dict():
            return {str(key): parameter(item) for key, item in value.items()}
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _explained(read: Read) -> dict[str, Any]:
    told = read.statement if isinstance(read.statement, Prepared) else prepare(read.statement)
    parameters = [parameter(value) for value in told.parameters]
    return {"population": read.population, "sql": told.sql, "parameters": parameters}


def _interval(value: timedelta) -> str:
    """`3 days 04:05:06.7`; a negative one has negative days and a positive clock, as the driver sends it."""
    days = [f"{value.days} {'day' if value.days == 1 else 'days'}"] if value.days else []
    rest = (value - timedelta(days=value.days)) // _MICROSECONDS
    if rest or not days:
        hours, minutes = rest // _AN_HOUR, rest % _AN_HOUR // _A_MINUTE
        seconds = f"{rest % _A_MINUTE / 1e6:09.6f}".rstrip("0").removesuffix(".")
        clock = f"{hours:02}:{minutes:02}:{seconds}"
        days.append(f"+{clock}" if value.days < 0 else clock)
    return " ".join(days)
