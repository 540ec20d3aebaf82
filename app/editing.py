"""Editable resources: the ETag of what is read, the If-Match of what is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Coroutine
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.domain.errors import ConflictError
from app.problems import error_of, problem_response, request_id_of

IfMatch = Annotated[
    str | None, Header(max_length=1_000, description="write only if the resource still has this ETag")
]


class ChangedMeanwhileError(ConflictError):
    """The resource is no longer what the caller saw (412)."""


def etag_of(resource: BaseModel, *, without: Collection[str] = ()) -> str:
    """The entity tag of a resource as it is shown, `without` what changes by itself."""
    content = resource.model_dump_json(exclude=set(without))
    return f'"{hashlib.sha256(content.encode()).hexdigest()[:20]}"'


def etag_of_version(version: int) -> str:
    """The entity tag of a resource that counts its versions."""
    return f'"{version}"'


def check_match(if_match: str | None, etag: str | None) -> None:
    """Refuse a write over what the caller has not seen; `etag` is None while there is nothing to overwrite.

    Raises ChangedMeanwhileError.
    """
    if if_match is None:
        return
    seen = [tag.strip().removeprefix("W/") for tag in if_match.split(",")]
    if etag is not None and ("*" in seen or etag in seen):
        return
    raise ChangedMeanwhileError(
        "changed_meanwhile",
        "there is nothing to change yet" if etag is None else "this is not the version that you saw",
        pointer="header:If-Match",
        cure="read it again, apply your change to what it is now, and send its new ETag",
    )


class EditingRoute(APIRoute):
    """A route whose writes may be conditional: what changed meanwhile is answered with 412."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the framework, with that one answer added."""
        handle = super().get_route_handler()

        async def conditional(request: Request) -> Response:
            try:
                return await handle(request)
            except ChangedMeanwhileError as error:
                return problem_response(
                    412,
                    error.reason,
                    error.detail,
                    errors=[error_of(error)],
                    request_id=request_id_of(request),
                )

        return conditional
