"""One wire to a receiver: writes a request, collects a bounded reply, and knows if it may be used again."""

from __future__ import annotations

import asyncio
from typing import cast

from app.webhooks.reply import Reply, ReplyError, ReplyReader


class CutOffError(ConnectionError):
    """The receiver closed or reset the connection before its reply was whole."""

    def __init__(self, received: int, status: int | None) -> None:
        super().__init__("the connection was closed before the reply was whole")
        self.received = received
        self.status = status


class Connection(asyncio.Protocol):
    """An HTTP/1.1 connection that carries one exchange at a time.

    Bytes that arrive while nothing was asked end it: they would be taken for the next reply.
    """

    def __init__(self) -> None:
        self.exchanges = 0
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._reader: ReplyReader | None = None
        self._done: asyncio.Future[Reply] | None = None

    @property
    def is_open(self) -> bool:
        """True while a request may be written."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes) -> Reply:
        """Send and wait for the whole reply. Raises ReplyError, CutOffError; cancelling ends the wire."""
        reader = self._reader = ReplyReader()
        done = self._done = asyncio.get_running_loop().create_future()
        self.exchanges += 1
        try:
            if self._transport is None or self._transport.is_closing():
                raise CutOffError(0, None)
            self._transport.write(request)
            reply: Reply = await done
        except BaseException:
            self.abort()
            raise
        finally:
            self._done = None
        if not reply.keep_alive:
            self.abort()
        assert reply is reader.reply
        return reply

    @property
    def status(self) -> int | None:
        """The status of the latest reply, as far as it came."""
        return self._reader.status if self._reader else None

    def abort(self) -> None:
        """Drop the connection now, without a farewell that a hostile receiver could drag out."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        if self._reader is None or self._done is None or self._done.done():
            self.abort()
            return
        try:
            if self._reader.feed(data):
                self._done.set_result(cast(Reply, self._reader.reply))
        except ReplyError as error:
            self._done.set_exception(error)

    def eof_received(self) -> None:
        """Called by the loop: the receiver sends no more (and the wire closes)."""
        self._ended()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the loop."""
        self._ended(reset=error is not None)

    def _ended(self, *, reset: bool = False) -> None:
        if self._reader is None or self._done is None or self._done.done():
            return
        if self._reader.end() and not reset:
            self._done.set_result(cast(Reply, self._reader.reply))
        else:
            self._done.set_exception(CutOffError(self._reader.received, self._reader.status))
