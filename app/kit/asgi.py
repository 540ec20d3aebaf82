"""What stands in front of every route: request id, bounded bodies, one log line, and a last resort for errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog

from app.kit import http
from app.kit.ids import new_id, public_id

log = structlog.get_logger()

Refuse = Callable[[http.BodyError, str], http.App]
Recover = Callable[[Exception, str], http.App]


class Front:
    """The outermost ASGI application: exact hot paths go to their own apps, all else to the framework.

    Bodies for the framework are read here, counted and cut at a deadline; the hot paths read their own.
    """

    def __init__(
        self,
        app: http.App,
        *,
        hot: Mapping[tuple[str, str], http.App],
        refuse: Refuse,
        recover: Recover,
        max_body_bytes: int,
        deadline_seconds: float,
    ) -> None:
        self._app = app
        self._hot = dict(hot)
        self._refuse = refuse
        self._recover = recover
        self._max_body_bytes = max_body_bytes
        self._deadline_seconds = deadline_seconds

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        """Serve one request (or pass the lifespan on)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = public_id("req", new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        try:
            await self._serve(scope, receive, answer)
        except http.ClientGoneError:
            answer.status = 499
        except Exception as error:
            if answer.status is not None:
                raise
            await self._recover(error, request_id)(scope, receive, answer)
        finally:
            log.debug(
                "request",
                request_id=request_id,
                method=scope["method"],
                path=scope["path"],
                status=answer.status,
                ms=round((time.perf_counter() - started) * 1000, 2),
            )

    async def _serve(self, scope: http.Scope, receive: http.Receive, answer: http.Send) -> None:
        hot = self._hot.get((scope["method"], scope["path"]))
        if hot is not None:
            await hot(scope, receive, answer)
            return
        if scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, answer)
            return
        try:
            body = await http.read_body(
                receive, limit=self._max_body_bytes, deadline_seconds=self._deadline_seconds
            )
        except http.BodyError as error:
            await self._refuse(error, scope["state"]["request_id"])(scope, receive, answer)
            return
        await self._app(scope, _replay(body, receive), answer)


class _Answer:
    """Adds the request id to the response and remembers its status."""

    def __init__(self, send: http.Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status: int | None = None

    async def __call__(self, message: http.Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._request_id)]
        await self._send(message)


def _replay(body: bytes, receive: http.Receive) -> http.Receive:
    sent = False

    async def replay() -> http.Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
