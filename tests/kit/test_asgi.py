"""What stands in front: ids, refusals, and the last resort."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from app.kit import http
from app.kit.asgi import Front
from app.kit.logging import configure_logging


async def echo(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
    body = await http.read_body(receive, limit=10**6, deadline_seconds=1)
    await PlainTextResponse(body)(scope, receive, send)


async def broken(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
    raise RuntimeError("at once")


async def broken_after_its_answer(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
    await PlainTextResponse("done", 418)(scope, receive, send)
    raise RuntimeError("too late to matter")


async def broken_in_its_answer(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("half an answer")


def client(app: http.App) -> httpx.AsyncClient:
    front = Front(
        app,
        hot={("POST", "/hot"): echo},
        opaque=("/raw/",),
        secret=("/in/",),
        refuse=lambda error, request_id: PlainTextResponse(f"{error.code} {request_id}", error.status),
        recover=lambda error, request_id: PlainTextResponse(f"{error} {request_id}", 500),
        max_body_bytes=100,
        deadline_seconds=1,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url="http://front.test")


async def test_every_answer_carries_its_own_request_id() -> None:
    async with client(echo) as front:
        answers = [await front.post("/", content=b"1") for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert all(text.startswith("req_") for text in ids)


async def test_a_fault_before_the_answer_becomes_one_that_names_the_request() -> None:
    async with client(broken) as front:
        answer = await front.get("/")
    assert (answer.status_code, answer.text) == (500, f"at once {answer.headers['x-request-id']}")


async def test_a_fault_after_the_answer_changes_nothing_and_one_within_it_is_not_hidden() -> None:
    async with client(broken_after_its_answer) as front:
        assert (await front.get("/")).status_code == 418
    async with client(broken_in_its_answer) as front:
        with pytest.raises(RuntimeError, match="half"):
            await front.get("/")


@pytest.mark.parametrize(
    ("path", "body", "media_type", "expected"),
    [
        ("/", b"[1]", "application/json", 200),
        ("/", b"NaN", "application/json", 400),
        ("/", b"NaN", "application/problem+json; charset=utf-8", 400),
        ("/", b"NaN", "", 400),
        ("/", b"NaN", "text/plain", 200),
        ("/raw/x", b"NaN", "application/json", 200),
        ("/hot", b"NaN", "application/json", 200),
        ("/", b'"\\u0000"', "application/json", 400),
        ("/", b"1" * 101, "text/plain", 413),
        ("/hot", b"1" * 101, "text/plain", 200),
        ("/a%00b", b"", "", 400),
        ("/?a=%00", b"", "", 400),
    ],
)
async def test_bodies_of_the_framework_are_bounded_and_strict(
    path: str, body: bytes, media_type: str, expected: int
) -> None:
    async with client(echo) as front:
        answer = await front.post(path, content=body, headers={"Content-Type": media_type})
    assert answer.status_code == expected
    assert ("close" in answer.headers.get("connection", "")) is (expected >= 400)


async def test_the_lifespan_passes_through() -> None:
    seen: list[Any] = []

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        seen.append(scope["type"])

    front = Front(
        app,
        hot={},
        opaque=(),
        refuse=lambda *_: app,
        recover=lambda *_: app,
        max_body_bytes=1,
        deadline_seconds=1,
    )
    await front({"type": "lifespan"}, chunks_of_nothing, swallow)
    assert seen == ["lifespan"]


async def chunks_of_nothing() -> http.Message:
    return {"type": "lifespan.startup"}


async def swallow(message: http.Message) -> None:
    raise AssertionError(message)


async def test_a_token_in_a_path_is_in_no_log_line() -> None:
    async def served(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        await PlainTextResponse(scope["path"])(scope, receive, send)

    configure_logging("debug", as_json=True)
    try:
        with capture_logs() as logged:
            async with client(served) as caller:
                assert (await caller.get("/in/in_s3cret")).text == "/in/in_s3cret"
                await caller.get("/v1/cases")
    finally:
        configure_logging("warning", as_json=True)
    assert [line["path"] for line in logged] == ["/in/...", "/v1/cases"]
