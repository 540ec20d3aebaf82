"""Values as OData writes them -> values as the database takes them, checked against the property's type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, Text, Uuid
from sqlalchemy.types import TypeEngine

from app.bi.odata.errors import ODataError
from app.bi.odata.filter import Literal
from app.bi.odata.model import Edm

SQL_TYPE: Final[dict[Edm, TypeEngine[Any]]] = {
    Edm.STRING: Text(),
    Edm.GUID: Uuid(),
    Edm.INSTANT: DateTime(timezone=True),
    Edm.DATE: Date(),
    Edm.INT32: BigInteger(),
    Edm.INT64: BigInteger(),
    Edm.DOUBLE: Double(),
    Edm.BOOLEAN: Boolean(),
}
_KIND_OF: Final = {
    Edm.STRING: "string",
    Edm.GUID: "guid",
    Edm.INSTANT: "instant",
    Edm.DATE: "date",
    Edm.BOOLEAN: "boolean",
}
_EXAMPLE: Final = {
    Edm.STRING: "'checkout'",
    Edm.GUID: "0192e4a0-7b5c-7000-8000-000000000000",
    Edm.INSTANT: "2026-03-01T00:00:00Z",
    Edm.DATE: "2026-03-01",
    Edm.INT32: "5",
    Edm.INT64: "5",
    Edm.DOUBLE: "0.5",
    Edm.BOOLEAN: "true",
}
_LARGEST: Final = 2**63


def read_literal(literal: Literal, wanted: Edm) -> tuple[Any, TypeEngine[Any]]:
    """The value and its type in SQL. Raises ODataError `wrong_type_of_value`."""
    try:
        if wanted.is_number and literal.kind == "number":
            return _number(literal.text)
        if literal.kind == _KIND_OF.get(wanted):
            return read_text(literal.text, wanted), SQL_TYPE[wanted]
    except (ValueError, OverflowError):
        pass  # the 31st of February, a number that no column holds
    raise ODataError(
        "wrong_type_of_value",
        f"{literal.text[:40]!r} is no {wanted}",
        pointer="$filter",
        cure=f"write it like {_EXAMPLE[wanted]}",
    )


def read_text(text: str, wanted: Edm) -> Any:
    """A value of this type from its text. Raises ValueError or OverflowError."""
    match wanted:
        case Edm.STRING:
            return text
        case Edm.GUID:
            return UUID(text)
        case Edm.INSTANT:
            return datetime.fromisoformat(text).astimezone(UTC)
        case Edm.DATE:
            return date.fromisoformat(text)
        case Edm.INT32 | Edm.INT64:
            return _number(text)[0]
        case Edm.DOUBLE:
            return float(text)
        case Edm.BOOLEAN:
            return {"true": True, "false": False}[text]
        case _:
            assert_never(wanted)


def _number(text: str) -> tuple[int | float, TypeEngine[Any]]:
    if text.lstrip("-").isdigit():
        whole = int(text[:40])
        if not -_LARGEST <= whole < _LARGEST or len(text) > 40:
            raise OverflowError
        return whole, SQL_TYPE[Edm.INT64]
    number = float(text)
    if abs(number) == float("inf"):
        raise OverflowError
    return number, SQL_TYPE[Edm.DOUBLE]
