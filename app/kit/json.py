"""JSON that survives hostile input: strict, bounded in depth, keys and size, never a surprise later."""

from __future__ import annotations

import re
from typing import Any

import orjson

MAX_DEPTH = 32
MAX_KEYS = 2_000_000
_TOO_DEEP = re.compile("recursion|depth", re.IGNORECASE)
"""How the parser's versions say that they met their own limit."""


class JsonError(ValueError):
    """The bytes are not JSON that we take; `reason` is a slug, the message says where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def written(document: bytes) -> Any:
    """JSON that is already written, as a part of what is to be."""
    return orjson.Fragment(document)


def dumps(value: Any) -> bytes:
    """Compact JSON bytes (UTF-8); datetimes as RFC 3339."""
    return orjson.dumps(value, default=_default)


def dumps_text(value: Any) -> str:
    """The same as text, as the jsonb codec of the database driver wants it."""
    return dumps(value).decode()


def canonical(value: Any) -> bytes:
    """JSON bytes with sorted keys: equal values give equal bytes (for fingerprints)."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_SORT_KEYS)


def loads(text: str | bytes) -> Any:
    """Parse JSON that we wrote ourselves."""
    return orjson.loads(text)


def parse_untrusted(body: bytes, *, max_depth: int = MAX_DEPTH, max_keys: int = MAX_KEYS) -> Any:
    """Parse bytes from outside. Raises JsonError (`too_deep`, `nul_character`, `too_many_keys`, `malformed`).

    The parser itself stops at 1,024 levels, so the walk below never meets more.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = "too_deep" if _TOO_DEEP.search(str(error)) else "malformed_json"
        raise JsonError(reason, f"not valid JSON: {error}") from error
    if body.count(b"[") + body.count(b"{") > max_depth:
        _check_depth(value, max_depth)
    if b"\\u0000" in body:
        _refuse_nul(value)
    if body.count(b'":') > max_keys:
        raise JsonError("too_many_keys", f"more than {max_keys} object keys")
    return value


def _check_depth(value: Any, limit: int) -> None:
    level: list[Any] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > limit:
            raise JsonError("too_deep", f"nested deeper than {limit} levels")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(child for child in item.values() if isinstance(child, (dict, list)))
            elif isinstance(item, list):
                below.extend(child for child in item if isinstance(child, (dict, list)))
        level = below


def _refuse_nul(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise JsonError("nul_character", "a text holds the character U+0000, which cannot be stored")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key)
            _refuse_nul(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_nul(item)


def _default(value: Any) -> Any:
    from decimal import Decimal
    from uuid import UUID

    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
