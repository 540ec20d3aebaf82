"""Bodies and preconditions of the webhook routes: strict JSON, and If-Match on what is edited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute

from app.domain.errors import ConflictError
from app.kit import json
from app.problems import error_of, problem_response, request_id_of

IfMatch = Annotated[str | None, Header(max_length=500, description="write only over this ETag")]


class ChangedMeanwhileError(ConflictError):
    """The endpoint is no longer what the caller saw (412)."""


def etag_of(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def check_match(if_match: str | None, version: int) -> None:
    """Refuse a write over a version that the caller has not seen. Raises ChangedMeanwhileError."""
    if if_match is None:
        return
    seen = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if not seen & {"*", etag_of(version)}:
        raise ChangedMeanwhileError(
            "changed_meanwhile",
            "this is not the version that you saw",
            pointer="header:If-Match",
            cure="read it again, apply your change to what it is now, and send its new ETag",
        )


class StrictRoute(APIRoute):
    """Refuses JSON that the database cannot hold, and turns ChangedMeanwhileError into 412."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the framework, guarded."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request_id = request_id_of(request)
            try:
                if body := await request.body():
                    json.parse_untrusted(body)
                return await handle(request)
            except json.JsonError as error:
                return problem_response(400, error.reason, str(error), request_id=request_id)
            except ChangedMeanwhileError as error:
                errors = [error_of(error)]
                return problem_response(412, error.reason, error.detail, errors=errors, request_id=request_id)

        return guarded
