"""What callers say of places and versions: `If-Match` on a case, the cursor of its events."""

from __future__ import annotations

import re
from typing import Final

from app.domain.errors import InvalidError
from app.kit.cursors import CursorError, decode_cursor

_ETAG: Final = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def versions_in(if_match: str | None) -> frozenset[int] | None:
    """The versions that `If-Match` names; None when any will do. Raises InvalidError."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = [_ETAG.fullmatch(tag.strip()) for tag in if_match.split(",")]
    found = [int(tag[1]) for tag in tags if tag is not None]
    if len(found) < len(tags):
        detail, cure = "If-Match does not hold ETags of a case", "send the ETag of the case as it came"
        raise InvalidError("invalid_if_match", detail, pointer="header:If-Match", cure=cure)
    return frozenset(found)


def position_in(cursor: str | None) -> int:
    """Where the page before ended. Raises InvalidError."""
    if cursor is None:
        return 0
    try:
        (position,) = decode_cursor(cursor, 1)
        if not isinstance(position, int) or not 0 <= position < 2**63:
            raise CursorError("no position")
    except CursorError:
        detail, cure = "this is no cursor of this list", "take `next_cursor` of the page before"
        raise InvalidError("invalid_cursor", detail, pointer="query:cursor", cure=cure) from None
    return position
