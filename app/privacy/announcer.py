"""Tells subscribers that a person was forgotten, so that copies elsewhere can be erased."""

from __future__ import annotations

from collections.abc import Sequence

from app.db.engine import Tx
from app.domain.events import EventType
from app.journal.ports import Announcement, Commit, Place


class ErasureAnnouncer:
    """Announces `erasure.completed`; no name of the person is left to be told."""

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """One announcement per erasure of this commit."""
        return [
            Announcement(event, {**event.fact, "completed_at": event.occurred_at, "sequence": event.position})
            for event in commit.events
            if event.type is EventType.ERASURE_COMPLETED
        ]
