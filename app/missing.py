"""What a 404 says besides that there is none: where the thing was named, and where those there are stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fastapi import Request

from app.domain.errors import NotFoundError

NOUNS: Final = {
    "action": "corrective action",
    "case": "case",
    "debrief": "debrief",
    "ep": "webhook endpoint",
    "ers": "erasure",
    "evt": "event",
    "failure": "recurring failure",
    "fb": "answer",
    "feed": "feed",
    "key": "API key",
    "msg": "message",
    "raw": "payload",
    "rec": "recomputation",
    "rpl": "replay",
}
"""The first part of a public id -> what it names, in words."""


def placed(error: NotFoundError, request: Request) -> NotFoundError:
    """The refusal with its place and its cure, where it names no place: the name is in the address."""
    asked = [name for name, value in request.query_params.items() if value and repr(value) in error.detail]
    named = list(request.path_params)
    if error.pointer or not (asked or named):
        return error
    pointer = f"query:{asked[0]}" if asked else f"path:{named[-1]}"
    cure = error.cure or _cure(request, asked[0] if asked else None)
    return NotFoundError(error.reason, error.detail, pointer=pointer, cure=cure)


def _cure(request: Request, asked: str | None) -> str:
    """The nearest address above this one that can be read; of a filter the one that is called after it."""
    readable = [path for path, methods in request.app.openapi()["paths"].items() if "get" in methods]
    if asked is not None:
        found = next((path for path in readable if path.endswith(f"/{asked}s")), None)
    else:
        path = getattr(request.scope.get("route"), "path", "")
        found = next((above for above in _above(path) if above in readable), None)
    return "see that it is spelt as it was given" if found is None else f"GET {found} lists those there are"


def _above(path: str) -> Iterator[str]:
    head = path.partition("/{")[0]
    while head.count("/") > 1:
        yield head
        head = head.rpartition("/")[0]
