"""What the routes of both kinds of document share: versions in the path, pages of versions, ETags."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Response

from app.configuration.fields import read_cursor
from app.domain.errors import InvalidError, NotFoundError
from app.editing import etag_of_version

LAST_VERSION = 2**31 - 1

Version = Annotated[int, Path(ge=1, le=LAST_VERSION)]


def found(row: Any, response: Response, noun: str) -> Any:
    """The row with its ETag stated. Raises NotFoundError."""
    if row is None:
        raise NotFoundError("not_found", f"there is no {noun}")
    response.headers["ETag"] = etag_of_version(row.version)
    return row


def read_version_cursor(cursor: str | None) -> int | None:
    """The version below which a page begins. Raises InvalidError `invalid_cursor`."""
    text = read_cursor(cursor)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidError("invalid_cursor", "this is no cursor of this list", pointer="query:cursor")
    return int(text)
