"""What a raw scalar becomes: text, a number, yes or no, an id. Never by guessing."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import assert_never

from app.sources.errors import PayloadError
from app.sources.mapping.section import Scalar

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_TRUE, _FALSE = frozenset({"true", "yes", "y", "1"}), frozenset({"false", "no", "n", "0"})


class Form(StrEnum):
    """What a scalar must become; a mapping's `cast` names one of the first three."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    IDENTIFIER = "identifier"
    AS_IS = "as_is"


CASTS = (Form.TEXT.value, Form.NUMBER.value, Form.BOOLEAN.value)


def formed(value: object, form: Form, pointer: str) -> Scalar:
    """`value` in that form. Raises PayloadError when it has no such form."""
    if not isinstance(value, str | int | float | bool):
        raise _not_formed(value, "one value, not a list or an object", pointer)
    match form:
        case Form.AS_IS:
            return value
        case Form.TEXT:
            return str(value).lower() if isinstance(value, bool) else str(value)
        case Form.IDENTIFIER:
            # An id that went through a float is another id: 2^53 + 1 would arrive as 2^53.
            if isinstance(value, bool | float):
                raise _not_formed(value, "an id (text or a whole number)", pointer)
            return str(value)
        case Form.NUMBER:
            return _number(value, pointer)
        case Form.BOOLEAN:
            return _boolean(value, pointer)
        case _:
            assert_never(form)


def _number(value: Scalar, pointer: str) -> Scalar:
    if isinstance(value, bool):
        raise _not_formed(value, "a number", pointer)
    if not isinstance(value, str):
        return value
    if _NUMBER.fullmatch(value) is None:
        raise _not_formed(value, "a number such as 4 or 4.5", pointer)
    number = float(value)
    return int(number) if number.is_integer() else number


def _boolean(value: Scalar, pointer: str) -> bool:
    word = str(value).lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _not_formed(value, "yes or no", pointer)


def _not_formed(value: object, wanted: str, pointer: str) -> PayloadError:
    shown = str(value)[:60]
    return PayloadError("wrong_type", f"{shown!r} is not {wanted}", pointer=pointer, cure=f"Send {wanted}.")
