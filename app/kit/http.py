"""Request bodies from people we do not know: counted, cut at a deadline, unpacked with a cap."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class BodyError(Exception):
    """A body that cannot be read; `status` and `code` say why to the caller."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class ClientGoneError(Exception):
    """The client hung up before its request was whole; nobody waits for an answer."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Lower-cased headers as text; of a repeated header the last one."""
    raw: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


async def read_body(receive: Receive, *, limit: int, deadline_seconds: float) -> bytes:
    """The whole body. Raises BodyError 413 past `limit` bytes, 408 past the deadline; ClientGoneError."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(deadline_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise BodyError(
                        413, "body_too_large", f"the body is larger than {limit} bytes; send less at once"
                    )
                chunks.append(chunk)
                if not message.get("more_body"):
                    return b"".join(chunks)
    except TimeoutError:
        raise BodyError(
            408, "body_too_slow", f"the body did not arrive within {deadline_seconds:g} s"
        ) from None


def unpack(body: bytes, encoding: str, *, limit: int) -> bytes:
    """The decoded body. Raises BodyError: 415 unless gzip or none, 400 for a broken one, 413 past `limit`."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise BodyError(415, "unsupported_encoding", f"Content-Encoding {encoding!r}: send gzip or none")
    decoder = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise BodyError(400, "broken_gzip", f"the body is not gzip: {error}") from None
    if len(plain) > limit:
        raise BodyError(
            413, "body_too_large", f"the unpacked body is larger than {limit} bytes; send less at once"
        )
    if not decoder.eof:
        raise BodyError(400, "broken_gzip", "the gzip body ends too early; send it whole")
    if decoder.unused_data:
        raise BodyError(400, "broken_gzip", "there are bytes after the end of the gzip body")
    return plain
