"""Every refusal as RFC 9457 problem+json: what is wrong, where (JSON pointer), and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.auth import UnauthenticatedError
from app.domain.errors import (
    ConflictError,
    DomainError,
    ForbiddenError,
    InvalidError,
    NotAcceptableError,
    NotFoundError,
)
from app.kit import json

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:vidhuk:problem:"
RETRY_AFTER_SECONDS = 1

_STATUS_OF: tuple[tuple[type[DomainError], int], ...] = (
    (UnauthenticatedError, 401),
    (InvalidError, 422),
    (ConflictError, 409),
    (NotFoundError, 404),
    (ForbiddenError, 403),
    (NotAcceptableError, 406),
)
_TITLES = {
    400: "The request cannot be read",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not to be had in that form",
    409: "Not possible in the present state",
    412: "Changed by somebody else",
    413: "Too large",
    415: "Unsupported media type",
    422: "The request breaks a rule",
    429: "Too many requests",
    500: "Our fault",
    503: "Not now",
}


class ProblemError(BaseModel):
    """One place in the request that has to be mended."""

    pointer: str = Field(description="JSON pointer into the request body, or `query:name`, `header:name`")
    code: str = Field(description="stable slug")
    detail: str
    cure: str | None = Field(default=None, description="how to mend it")


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["urn:vidhuk:problem:unknown_scale"])
    title: str = Field(examples=["The request breaks a rule"])
    status: int = Field(examples=[422])
    code: str = Field(description="stable slug, the last part of `type`", examples=["unknown_scale"])
    detail: str = Field(examples=["there is no scale `nps_0_11`; the nearest is `nps_0_10`"])
    request_id: str | None = None
    errors: list[ProblemError] = Field(default_factory=list)


def problem_body(
    status: int, code: str, detail: str, *, errors: Sequence[ProblemError] = (), request_id: str | None = None
) -> dict[str, Any]:
    """The problem document as a dict."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if request_id is not None:
        body["request_id"] = request_id
    if errors:
        body["errors"] = [error.model_dump(exclude_none=True) for error in errors]
    return body


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[ProblemError] = (),
    request_id: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The problem document as a response."""
    body = json.dumps(problem_body(status, code, detail, errors=errors, request_id=request_id))
    headers = dict(headers or {})
    if status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    if status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="vidhuk", Basic realm="vidhuk"')
    return Response(body, status_code=status, media_type=PROBLEM_JSON, headers=headers)


def status_of(error: DomainError) -> int:
    """HTTP status of a refusal."""
    return next((status for kind, status in _STATUS_OF if isinstance(error, kind)), 422)


def error_of(error: DomainError) -> ProblemError:
    """The place and the cure that a refusal names."""
    return ProblemError(
        pointer=error.pointer, code=error.reason, detail=error.detail, cure=error.cure or None
    )


def domain_problem(error: DomainError, request_id: str | None = None) -> Response:
    """A refusal of the domain as a response."""
    errors = [error_of(error)] if error.pointer or error.cure else []
    return problem_response(
        status_of(error), error.reason, error.detail, errors=errors, request_id=request_id
    )


def request_id_of(request: Request) -> str | None:
    """The id under which this request stands in the log."""
    return getattr(request.state, "request_id", None)


def pointer_of(location: Sequence[int | str]) -> str:
    """Pydantic's location as a JSON pointer (body) or `query:name`."""
    where, *rest = location or ("body",)
    if where == "body":
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    return f"{where}:" + ".".join(map(str, rest))
