"""Refusals in OData's own shape: `{"error": {"code", "message", "target"}}`."""

from __future__ import annotations

from starlette.responses import Response

from app.domain.errors import DomainError, InvalidError
from app.kit import json
from app.problems import status_of

VERSION_HEADERS = {"OData-Version": "4.0"}


class ODataError(InvalidError):
    """A request that breaks a rule of the protocol (400)."""


class NotOfferedError(InvalidError):
    """Something that the protocol has and this feed does not (501)."""


def error_response(error: DomainError) -> Response:
    """A refusal as OData clients show it to people."""
    status = _status_of(error)
    message = error.detail + (f"; {error.cure}" if error.cure else "")
    told: dict[str, object] = {"code": error.reason, "message": message}
    if error.pointer:
        told["target"] = error.pointer
    headers = dict(VERSION_HEADERS)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="vidhuk"'
    body = json.dumps({"error": told})
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _status_of(error: DomainError) -> int:
    if isinstance(error, NotOfferedError):
        return 501
    return 400 if isinstance(error, InvalidError) else status_of(error)
