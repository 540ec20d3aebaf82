"""Bodies of answers that this process gave, by their ETag: equal tags, equal rows, nothing can be stale."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

MOST_BYTES: Final = 16_000_000
"""What all bodies of a process may take; the one that was not asked for longest goes first."""


class Body(NamedTuple):
    """What was sent, and the cursor of the next page."""

    content: bytes
    next_cursor: str | None


class Bodies:
    """A bounded memory of one process; a tag names tenant, commit, configuration, form and reader."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._size = 0
        self._kept: OrderedDict[str, Body] = OrderedDict()

    def find(self, etag: str) -> Body | None:
        """The body with this tag, which then is the youngest."""
        body = self._kept.get(etag)
        if body is not None:
            self._kept.move_to_end(etag)
        return body

    def keep(self, etag: str, body: Body) -> None:
        """Remember it; one that would take a quarter of the room is not worth the others."""
        size = len(body.content)
        if etag in self._kept or size > self._most_bytes // 4:
            return
        self._kept[etag] = body
        self._size += size
        while self._size > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest.content)
