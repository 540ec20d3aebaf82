"""Reads a receiver's HTTP/1.1 reply: strict, bounded in every direction, and honest about how far it got."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_BODY_BYTES = 16 * 1024
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 200
MAX_INTERIM = 8

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\x00\r\n]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00\r\n]*)?")


class ReplyError(Exception):
    """The bytes are not a reply we accept; `status` is set where the status line was still readable."""

    def __init__(self, detail: str, *, too_large: bool = False, status: int | None = None) -> None:
        super().__init__(detail)
        self.too_large = too_large
        self.status = status


@dataclass(slots=True)
class Reply:
    """What came back. `truncated` when the body went on beyond the cap; `keep_alive` if the wire is clean."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytearray = field(default_factory=bytearray)
    truncated: bool = False
    keep_alive: bool = False

    def header(self, name: bytes) -> str | None:
        """The first value of a header (`name` in lower case), or None."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)


class ReplyReader:
    """Fed with bytes as they arrive; `reply` is complete once `feed` or `end` returned True."""

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self.received = 0
        self._buffer = bytearray()
        self._searched = 0
        self._framing_bytes = 0
        self._interim = 0
        self._left: int | None = None  # bytes until the end of the body or chunk; None: until the end
        self._chunked = False
        self._at_chunk_end = False
        self._in_trailer = False

    @property
    def status(self) -> int | None:
        """The status as far as it is known."""
        return self.reply.status if self.reply else None

    def feed(self, data: bytes) -> bool:
        """Take more bytes. True when the reply is complete (or its body has reached the cap)."""
        self.received += len(data)
        self._buffer += data
        while self.reply is None:
            if not self._read_head():
                return False
        return self._read_chunks() if self._chunked else self._read_plain()

    def end(self) -> bool:
        """The receiver closed. True when that completes the reply, False when it was cut off."""
        return self.reply is not None and self._left is None and not self._chunked

    def _read_head(self) -> bool:
        """Parse one head from the buffer if it is whole; interim (1xx) heads are skipped."""
        end = _HEAD_END.search(self._buffer, self._searched)
        if end is None:
            if len(self._buffer) + self._framing_bytes > MAX_HEAD_BYTES:
                raise ReplyError("headers without end", too_large=True, status=_status_of(self._buffer))
            if not b"HTTP/1.".startswith(self._buffer[:7]):
                raise ReplyError("not an HTTP/1 reply")
            self._searched = max(0, len(self._buffer) - 3)
            return False
        lines = bytes(self._buffer[: end.start()]).replace(b"\r\n", b"\n").split(b"\n")
        del self._buffer[: end.end()]
        self._framing_bytes += end.end()
        self._searched = 0
        status_line = _STATUS_LINE.fullmatch(lines[0])
        if status_line is None:
            raise ReplyError("not an HTTP/1 status line", status=_status_of(lines[0]))
        status = int(status_line[2])
        if self._framing_bytes > MAX_HEAD_BYTES or len(lines) - 1 > MAX_HEADERS:
            raise ReplyError("too many headers", too_large=True, status=status)
        if status == 101:
            raise ReplyError("an upgrade that nobody asked for", status=status)
        if status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise ReplyError("interim replies without end", too_large=True, status=status)
            return True
        self.reply = Reply(status, _parse_headers(lines[1:], status))
        self._frame(self.reply, http_1_1=status_line[1] == b"1")
        return True

    def _frame(self, reply: Reply, *, http_1_1: bool) -> None:
        """Decide where the body ends, and whether the connection may be used again."""
        codings = [value.lower() for key, value in reply.headers if key == b"transfer-encoding"]
        lengths = {value for key, value in reply.headers if key == b"content-length"}
        connection = b",".join(value.lower() for key, value in reply.headers if key == b"connection")
        reply.keep_alive = http_1_1 and b"close" not in connection and not (codings and lengths)
        if reply.status in (204, 304):
            self._left = 0
        elif codings:
            if codings != [b"chunked"]:
                raise ReplyError("an unknown transfer coding", status=reply.status)
            self._chunked, self._left = True, 0
        elif lengths:
            length = lengths.pop()
            if lengths or not length.isdigit() or len(length) > 15:
                raise ReplyError("a content length that is none", status=reply.status)
            self._left = int(length)
        else:
            reply.keep_alive = False

    def _read_plain(self) -> bool:
        reply = self._current()
        taken = self._take(reply, len(self._buffer) if self._left is None else self._left)
        if self._left is not None:
            self._left -= taken
        if reply.truncated:
            return True
        if self._left == 0:
            reply.keep_alive = reply.keep_alive and not self._buffer  # bytes nobody asked for
            return True
        return False

    def _read_chunks(self) -> bool:
        reply = self._current()
        while True:
            if self._left:
                self._left -= self._take(reply, self._left)
                if reply.truncated:
                    return True
                if self._left:
                    return False
                self._at_chunk_end = True
            line = self._line()
            if self._framing_bytes > MAX_HEAD_BYTES:
                reply.truncated, reply.keep_alive = True, False
                return True
            if line is None:
                return False
            if self._at_chunk_end:
                if line:
                    raise ReplyError("a chunk longer than it said", status=reply.status)
                self._at_chunk_end = False
            elif self._in_trailer:
                if not line:
                    reply.keep_alive = reply.keep_alive and not self._buffer
                    return True
            else:
                size = _CHUNK_SIZE.fullmatch(line)
                if size is None:
                    raise ReplyError("a chunk size that is none", status=reply.status)
                self._left = int(size[1], 16)
                self._in_trailer = self._left == 0

    def _line(self) -> bytes | None:
        """One line of the chunked framing, or None; its bytes count like those of a head."""
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                self._framing_bytes += len(self._buffer)
            return None
        self._framing_bytes += end + 1
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    def _take(self, reply: Reply, wanted: int) -> int:
        """Move up to `wanted` bytes of body out of the buffer; what is beyond the cap ends the reading."""
        available = min(wanted, len(self._buffer))
        room = MAX_BODY_BYTES - len(reply.body)
        reply.body += self._buffer[: min(available, room)]
        del self._buffer[:available]
        if available > room:
            reply.truncated, reply.keep_alive = True, False
        return available

    def _current(self) -> Reply:
        assert self.reply is not None
        return self.reply


def printable(data: bytes | bytearray | str, limit: int) -> str:
    """Text that is safe to store and show: UTF-8 as far as it is, control characters replaced, cut."""
    text = data if isinstance(data, str) else bytes(data[: limit * 4]).decode("utf-8", "replace")
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text[:limit]
    )


def _parse_headers(lines: list[bytes], status: int) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise ReplyError("a header line that is none", status=status)
        headers.append((match[1].lower(), match[2]))
    return headers


def _status_of(head: bytes | bytearray) -> int | None:
    match = re.match(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?![0-9])", head)
    return int(match[1]) if match else None
