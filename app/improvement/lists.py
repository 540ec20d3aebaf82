"""What the lists of improvement share: a place to begin at, and the page that follows from the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Header, Query, Request, Response

from app.domain.errors import InvalidError
from app.improvement.schemas import Page
from app.kit.cursors import CursorError, decode_cursor, encode_cursor

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=500)]
Filter = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]
IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$", description="the same key: done once"),
]


def read_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Where the page before ended. Raises InvalidError."""
    if cursor is None:
        return None
    try:
        at, key = decode_cursor(cursor, 2)
        return datetime.fromisoformat(str(at)).astimezone(UTC), UUID(str(key))
    except (CursorError, ValueError, OverflowError):
        detail, cure = "this is no cursor of this list", "take `next_cursor` of the page before"
        raise InvalidError("invalid_cursor", detail, pointer="query:cursor", cure=cure) from None


def page_of(
    rows: Sequence[Any],
    limit: int,
    show: Callable[[Any], Item],
    place: Callable[[Any], tuple[datetime, UUID]],
    request: Request,
    response: Response,
) -> Page[Item]:
    """The page of these rows, of which one more than the limit was asked for."""
    page: Page[Item] = Page(items=[show(row) for row in rows[:limit]])
    if len(rows) > limit:
        at, key = place(rows[limit - 1])
        page.next_cursor = encode_cursor(at.isoformat(), str(key))
        url = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return page
