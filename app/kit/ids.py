"""Identifiers: UUIDv7 inside, a prefix and 26 base32 letters outside (`case_01jd...`)."""

from __future__ import annotations

from uuid import UUID

import uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26


def new_id() -> UUID:
    """A UUIDv7: later ids sort after earlier ones."""
    return UUID(int=uuid_utils.uuid7().int)


def public_id(prefix: str, value: UUID) -> str:
    """The id as callers see it: `prefix_` and the 128 bits in Crockford base32."""
    number = value.int
    pairs = [_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(pairs)}"


def parse_public_id(prefix: str, text: str) -> UUID | None:
    """The UUID behind a public id, or None when it is not one of this prefix."""
    head, _, body = text.partition("_")
    if head != prefix or len(body) != _LENGTH or body[0] > "7":
        return None
    number = 0
    for letter in body:
        value = _VALUES.get(letter)
        if value is None:
            return None
        number = (number << 5) | value
    return UUID(int=number)
