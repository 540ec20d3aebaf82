"""Every error becomes a problem document: of the domain, of the schemas, of the framework, and ours."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.db.engine import is_retryable
from app.domain.errors import DomainError, NotFoundError
from app.missing import placed
from app.problems import ProblemError, domain_problem, problem_response, request_id_of
from app.refused_fields import is_malformed, refused_fields

log = structlog.get_logger()
_CODES = {404: "not_found", 405: "method_not_allowed", 401: "unauthenticated"}


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the application a problem document; nothing else ever leaves."""

    @app.exception_handler(DomainError)
    async def _domain(request: Request, error: DomainError) -> Response:
        shown = placed(error, request) if type(error) is NotFoundError else error
        return domain_problem(shown, request_id_of(request))

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        errors = refused_fields(request, error.errors(), error.body)
        malformed = is_malformed(errors)
        return problem_response(
            400 if malformed else 422,
            "malformed_json" if malformed else "invalid_request",
            "; ".join(f"{item.pointer or '(body)'}: {item.detail}" for item in errors[:3]),
            errors=errors[:50],
            request_id=request_id_of(request),
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        detail, cure = str(error.detail), ""
        if error.status_code == 404:
            detail, cure = "there is nothing at this address", "the addresses are in /openapi.json"
        elif error.status_code == 405:
            allowed = headers.get("Allow", headers.get("allow", "another method"))
            detail, cure = f"{request.method} is not for this address", f"use {allowed}"
        code = _CODES.get(error.status_code, f"http_{error.status_code}")
        place = [ProblemError(pointer="", code=code, detail=detail, cure=cure)] if cure else []
        return problem_response(
            error.status_code,
            code,
            detail,
            errors=place,
            request_id=request_id_of(request),
            headers=headers,
        )

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        return unexpected_problem(error, request_id_of(request))


def unexpected_problem(error: Exception, request_id: str | None) -> Response:
    """503 for a fault of the moment, 500 (and a log entry with the trace) for a fault of ours."""
    if is_retryable(error):
        log.warning("database_unavailable", error=repr(error))
        return problem_response(
            503,
            "database_unavailable",
            "the database cannot answer now; nothing was stored",
            request_id=request_id,
        )
    log.error("unexpected_error", error=repr(error), exc_info=error)
    return problem_response(
        500, "internal_error", "an error of ours; it is in the log", request_id=request_id
    )
