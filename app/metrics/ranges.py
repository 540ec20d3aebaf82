"""Parts of a file: DuckDB and Polars ask for its size first (HEAD), then for the bytes that they need."""

from __future__ import annotations

import re
from typing import Final

from fastapi import Request
from starlette.responses import Response

_ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def in_parts(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """The whole body, or the one range that is asked for (206); 416 where there are no such bytes."""
    headers = headers | {"Accept-Ranges": "bytes"}
    wanted = _ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if wanted is None or wanted.groups() == ("", "") or request.method != "GET":
        return Response(body, media_type=media_type, headers=headers)
    start, end = _bounds(wanted[1], wanted[2], len(body))
    if start >= end:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
    return Response(body[start:end], status_code=206, media_type=media_type, headers=headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Half-open bounds; without a first byte, the last so many."""
    if first == "":
        return max(0, size - int(last)), size
    return int(first), size if last == "" else min(int(last) + 1, size)
