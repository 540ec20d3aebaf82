"""Keeps the claim cheap while a transaction elsewhere stays open and no vacuum can take dead rows.

A look for the oldest row of every endpoint reads through all that died before it. As long as that is
cheap nothing is remembered. Once it is not, it is done on its own, for a small share of the time, and
claims begin where it found life. What it does not know (an endpoint that had nothing to send for
minutes, a row that a slow commit made due in the past) waits for the next look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.webhooks.claim_sql import HEADS

COSTLY_SECONDS = 0.1
CHEAP_SECONDS = 0.03
SHARE = 10
"""A look that took t seconds is not repeated for SHARE * t."""
MAX_BLIND_SECONDS = 10.0
REMEMBERED = timedelta(minutes=10)
COMMIT_LAG = timedelta(seconds=5)
"""What becomes due is due from the beginning of its transaction: so much later it may be seen."""

# `infinity` (held back for the sake of order) is no moment that the driver could tell
_LOOK = HEADS + "SELECT endpoint_id, first_try, least(due_at, now()) AS due_at FROM heads"
_NOW = "SELECT clock_timestamp()"

Group = tuple[UUID, bool]
"""An endpoint and whether first tries or retries: the rows of each are one stretch of the index."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that may have something, and the `due_at` before which nothing of them is alive."""

    endpoint_ids: Sequence[UUID]
    first_tries: Sequence[bool]
    live_from: Sequence[datetime]


class Horizon:
    """What one process knows of where the queue is alive; nothing, as long as looking is cheap."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._is_costly = False
        self._look_at = 0.0
        self._alive: dict[Group, datetime] = {}
        self._groups: Groups | None = None

    async def groups(self, tx: Tx) -> Groups | None:
        """What to claim from; None: look for yourself."""
        if self.is_look_due:
            now: datetime = await tx.fetchval(_NOW)
            started = self._clock()
            rows = await tx.fetch(_LOOK)
            self.saw(rows, now, self._clock() - started)
        return self.known

    @property
    def is_look_due(self) -> bool:
        """True when claims are costly, and what is known is too old."""
        return self._is_costly and self._clock() >= self._look_at

    @property
    def known(self) -> Groups | None:
        """What is known; None while claims are cheap."""
        return self._groups if self._is_costly else None

    def claimed(self, took_seconds: float) -> None:
        """A claim took so long, without knowing anything."""
        if not self._is_costly and took_seconds > COSTLY_SECONDS:
            self._is_costly, self._look_at = True, self._clock()

    def saw(self, heads: Iterable[Any], now: datetime, took_seconds: float) -> None:
        """A look that began at `now` (of the database) found these heads, in so many seconds."""
        if took_seconds < CHEAP_SECONDS:
            self._is_costly, self._groups, self._alive = False, None, {}
            return
        self._look_at = self._clock() + min(MAX_BLIND_SECONDS, SHARE * took_seconds)
        edge = now - COMMIT_LAG
        found = {(row["endpoint_id"], row["first_try"]): row["due_at"] for row in heads}
        self._alive = {group: at for group, at in self._alive.items() if at > now - REMEMBERED}
        self._alive |= dict.fromkeys(found, now)
        starts = [min(edge, found.get(group, edge)) for group in self._alive]
        self._groups = Groups([g[0] for g in self._alive], [g[1] for g in self._alive], starts)
