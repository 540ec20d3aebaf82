"""An answer as an HTTP response: its form, ETag, pages and file name."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from fastapi import Request
from starlette.responses import Response

from app.auth import Principal, Scope, refuse_scope
from app.kit import json
from app.metrics.answer import Answer, NotModified, Outcome, Reader, Repeated
from app.metrics.bodies import Body
from app.metrics.document import about_lines, answer_document
from app.metrics.formats import HEAVY, Form, content_type, require_installed, table_bytes
from app.metrics.negotiation import preferred_form
from app.metrics.ranges import in_parts

FileEnding = Literal["json", "csv", "ndjson", "arrow", "parquet", "xlsx"]
"""The forms as they stand in an address."""

_REVALIDATE: Final = "private, no-cache"


def reader_of(request: Request, principal: Principal, form: Form | None, *, explain: bool = False) -> Reader:
    """Who asks and how. Raises NotAcceptableError; ForbiddenError for the SQL without the right to rows."""
    chosen = form or preferred_form(request.headers)
    require_installed(chosen)
    if explain and not principal.may(Scope.FEEDBACK_READ):
        raise refuse_scope(principal, Scope.FEEDBACK_READ)
    known = None if request.method == "POST" else request.headers.get("if-none-match")
    services = request.app.state.services
    return Reader(
        principal.tenant_id,
        principal.may(Scope.FEEDBACK_READ),
        chosen,
        known,
        explain,
        journal=services.journal,
        bodies=services.bodies,
        as_json=chosen is Form.JSON,
    )


async def respond(request: Request, reader: Reader, answer: Outcome, *, name: str = "metrics") -> Response:
    """The answer in the form that was asked for; `name` is what a saved file is called."""
    headers = {"ETag": answer.etag, "Cache-Control": _REVALIDATE, "Vary": "Accept, Authorization, X-Api-Key"}
    if isinstance(answer, NotModified):
        return Response(status_code=304, headers=headers)
    form = Form(reader.form)
    body = answer.body if isinstance(answer, Repeated) else await _write(reader, form, answer)
    if body.next_cursor is not None:
        headers["X-Next-Cursor"] = body.next_cursor
        if request.method == "GET":
            url = request.url.include_query_params(cursor=body.next_cursor)
            headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    if form is not Form.JSON:
        headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return in_parts(request, body.content, content_type(form), headers)


async def _write(reader: Reader, form: Form, answer: Answer) -> Body:
    content = await asyncio.to_thread(_body, form, answer) if form in HEAVY else _body(form, answer)
    body = Body(content, answer.next_cursor)
    if reader.bodies is not None:
        reader.bodies.keep(answer.etag, body)
    return body


def _body(form: Form, answer: Answer) -> bytes:
    if form is Form.JSON:
        return json.dumps(answer_document(answer))
    query = answer.query
    return table_bytes(form, query.columns, answer.rows, query.zone.key, about_lines(answer))
