"""`known_at` as a time: the last commit that was recorded by then."""

from __future__ import annotations

from datetime import datetime

from app.domain.errors import InvalidError
from app.metrics.facts import TenantFacts
from app.metrics.period import get_zone, parse_instant
from app.metrics.repository import Snapshot
from app.metrics.schemas import MetricQueryIn


async def known_by_seq(
    view: Snapshot, given: MetricQueryIn, facts: TenantFacts, now: datetime
) -> MetricQueryIn:
    """The query with the number of a commit where it has a time. Raises InvalidError."""
    told = given.known_at
    if not isinstance(told, str):
        return given
    if told.isascii() and told.isdigit():
        return given.model_copy(update={"known_at": int(told)})
    zone = get_zone(given.time_zone or facts.time_zone)
    try:
        at = parse_instant(told, zone, "/known_at")
    except InvalidError:
        raise InvalidError(
            "invalid_time",
            f"{told[:40]!r} is neither a data_seq nor a time",
            pointer="/known_at",
            cure="send the data_seq of an earlier answer, or a time such as 2026-03-01T09:00:00+02:00",
        ) from None
    if at > now:
        raise InvalidError(
            "known_at_in_the_future",
            "nobody knows yet what will be known then",
            pointer="/known_at",
            cure="send a time that has passed, or leave it out",
        )
    return given.model_copy(update={"known_at": await _seq_at(view, at, facts.seq)})


async def _seq_at(view: Snapshot, at: datetime, head: int) -> int:
    """The last commit with events that was recorded at or before the time; 0: none was.

    Commits are recorded in the order of their numbers: halving takes some twenty looks at the key, whatever
    the length of the journal.
    """
    known, last = 0, head
    while known < last:
        middle = (known + last + 1) // 2
        found = await view.find_commit(middle)
        if found is None or found[1] > at:
            last = middle - 1
        else:
            known = found[0]
    return known
