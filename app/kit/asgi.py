"""What stands in front of every route: request id, bounded bodies, a log line, a last resort for errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from prometheus_client import Histogram

from app.kit import http, instruments, json
from app.kit.ids import new_id, public_id

log = structlog.get_logger()
_root = logging.getLogger()
"""Knows the level at no cost; binding the structured logger only to drop its line costs as much as a hash."""

Refuse = Callable[[http.BodyError, str], http.App]
Recover = Callable[[Exception, str], http.App]


class Front:
    """The outermost ASGI application: exact hot paths go to their own apps, all else to the framework.

    Bodies for the framework are read here, counted, cut at a deadline and, below no `opaque` prefix,
    held to the strict JSON parser; the hot paths read their own. What follows a `secret` prefix in a path
    opens a door, so no log line shows it.
    """

    def __init__(
        self,
        app: http.App,
        *,
        hot: Mapping[tuple[str, str], http.App],
        opaque: Sequence[str],
        secret: Sequence[str] = (),
        refuse: Refuse,
        recover: Recover,
        max_body_bytes: int,
        deadline_seconds: float,
    ) -> None:
        self._app = app
        self._hot = dict(hot)
        self._hot_paths = frozenset(path for _, path in hot)
        self._counted: dict[tuple[str, str], Histogram] = {}
        self._opaque = tuple(opaque)
        self._secret = tuple(secret)
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
            if answer.complete:
                return  # the framework has answered and logged it, and passes it on only for others to see
            if answer.status is not None:
                raise
            await self._recover(error, request_id)(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            self._count(scope["path"], answer.status or 500, seconds)
            if _root.isEnabledFor(logging.DEBUG):
                log.debug(
                    "request",
                    request_id=request_id,
                    method=scope["method"],
                    path=self._shown(scope["path"]),
                    status=answer.status,
                    ms=round(seconds * 1000, 2),
                )

    def _count(self, path: str, status: int, seconds: float) -> None:
        door = "inlet" if path.startswith(self._opaque) else "events" if path in self._hot_paths else "api"
        key = door, f"{status // 100}xx"
        counted = self._counted.get(key)
        if counted is None:
            counted = self._counted[key] = instruments.REQUESTS.labels(*key)
        counted.observe(seconds)

    def _shown(self, path: str) -> str:
        return next((f"{prefix}..." for prefix in self._secret if path.startswith(prefix)), path)

    async def _serve(self, scope: http.Scope, receive: http.Receive, answer: _Answer) -> None:
        hot = self._hot.get((scope["method"], scope["path"]))
        if hot is not None:
            await hot(scope, receive, answer)
            return
        try:
            _refuse_nul(scope)
            if scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
                await self._app(scope, receive, answer)
                return
            body = await http.read_body(
                receive, limit=self._max_body_bytes, deadline_seconds=self._deadline_seconds
            )
            if not scope["path"].startswith(self._opaque):
                _refuse_bad_json(scope, body)
        except http.BodyError as error:
            answer.closes = True  # the rest of the body is not waited for
            await self._refuse(error, scope["state"]["request_id"])(scope, receive, answer)
            return
        await self._app(scope, _replay(body, receive), answer)


class _Answer:
    """Adds the request id to the response and remembers its status."""

    def __init__(self, send: http.Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status: int | None = None
        self.closes = False
        self.complete = False

    async def __call__(self, message: http.Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self._request_id)]
            message["headers"] = [*headers, (b"connection", b"close")] if self.closes else headers
        await self._send(message)
        self.complete = message["type"] == "http.response.body" and not message.get("more_body")


def _refuse_nul(scope: http.Scope) -> None:
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
        raise http.BodyError(
            400, "nul_character", "the address holds the character U+0000, which nothing has"
        )


def _refuse_bad_json(scope: http.Scope, body: bytes) -> None:
    """What the framework's own parser lets pass (NaN, lone surrogates, U+0000) ends here."""
    media_type = http.headers_of(scope).get("content-type", "").partition(";")[0].strip().lower()
    if body and (media_type == "" or media_type.endswith("json")):
        try:
            json.parse_untrusted(body)
        except json.JsonError as error:
            raise http.BodyError(400, error.reason, str(error)) from None


def _replay(body: bytes, receive: http.Receive) -> http.Receive:
    sent = False

    async def replay() -> http.Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
