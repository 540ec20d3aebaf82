"""The words in which configuration is written: keys, titles, zones, pages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from app.domain.errors import InvalidError
from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.kit.zones import zone_names
from app.problems import Problem

_KEY = r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$"
_KEY_LENGTH = 100

Key = Annotated[str, StringConstraints(min_length=1, max_length=_KEY_LENGTH, pattern=_KEY)]
"""A name within the tenant, as events write it."""
KeyPath = Annotated[str, Path(min_length=1, max_length=_KEY_LENGTH, pattern=_KEY)]
DocumentKey = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,63}$", examples=["9x5"])]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=1_000)]

REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem} for code in (400, 401, 403, 404, 409, 412, 422, 503)
}


def _known_zone(name: str) -> str:
    if name not in zone_names():
        near = get_close_matches(name, zone_names(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no IANA time zone {name[:60]!r}{hint}")
    return name


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


class Strict(BaseModel):
    """A body in which unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


def read_cursor(cursor: str | None) -> str | None:
    """The key after which a page begins. Raises InvalidError `invalid_cursor`."""
    if cursor is None:
        return None
    try:
        key = decode_cursor(cursor, 1)[0]
    except CursorError:
        key = None
    if not isinstance(key, str) or "\x00" in key:
        raise InvalidError(
            "invalid_cursor",
            "this is no cursor of this list",
            pointer="query:cursor",
            cure="take `next_cursor` of the page before, or leave it out to begin anew",
        )
    return key


def link_next(request: Request, response: Response, last_key: str) -> str:
    """The cursor of the page after this key, also stated as `Link`."""
    cursor = encode_cursor(last_key)
    response.headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    return cursor
