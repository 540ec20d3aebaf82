"""A SELECT as the driver takes it: compiled once, then only given its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg

_DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Prepared(NamedTuple):
    """A statement and its parameters ($1, $2, ...), each by its name."""

    sql: str
    names: tuple[str, ...]
    values: Mapping[str, Any]

    def given(self, **values: Any) -> Prepared:
        """The same statement with other values for some parameters."""
        return self._replace(values={**self.values, **values})

    @property
    def parameters(self) -> list[Any]:
        """The parameters in their order."""
        return [self.values[name] for name in self.names]


def prepare(statement: Select[Any]) -> Prepared:
    """The statement in the dialect of the driver, lists of values written out."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return Prepared(str(compiled), tuple(compiled.positiontup or ()), compiled.params)
