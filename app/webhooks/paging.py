"""Cursors of the webhook lists, and the Link header that repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from app.domain.errors import InvalidError
from app.kit.cursors import CursorError, decode_cursor, encode_cursor


def read_numbers(cursor: str, length: int) -> list[int]:
    """The integers of a cursor. Raises InvalidError `invalid_cursor`."""
    try:
        key = decode_cursor(cursor, length)
        if not all(isinstance(part, int) and 0 <= part < 2**63 for part in key):
            raise CursorError("no numbers")
    except CursorError:
        raise _invalid() from None
    return key


def read_id(cursor: str | None) -> UUID | None:
    """The id of a cursor. Raises InvalidError `invalid_cursor`."""
    if cursor is None:
        return None
    try:
        return UUID(*decode_cursor(cursor, 1))
    except (CursorError, ValueError, AttributeError, TypeError):
        raise _invalid() from None


def next_cursor(
    rows: Sequence[Any], limit: int, request: Request, response: Response, *columns: str
) -> str | None:
    """The cursor after a full page (also in `Link`), None when `rows` (limit + 1 asked for) end here."""
    if len(rows) <= limit:
        return None
    cursor = encode_cursor(*(getattr(rows[limit - 1], column) for column in columns))
    response.headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    return cursor


def _invalid() -> InvalidError:
    return InvalidError(
        "invalid_cursor",
        "this is no cursor of this list",
        pointer="query:cursor",
        cure="take `next_cursor` of the page before, with the same parameters",
    )
