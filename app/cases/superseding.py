"""Decides that a case counts from the opening that its source states, not from a later one of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.cases.derived import retraction
from app.db.engine import Tx
from app.domain.events import EventType
from app.journal.histories import find_histories_so_far
from app.journal.ports import Commit, Draft

_REASON: Final = "the source had opened the case before"


class StatedOpenings:
    """The decider of openings that arrive after later feedback, for which we had opened the case ourselves.

    Told in their order, that feedback had found the case open. What followed from ours falls with it.
    """

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A retraction of each such opening of ours."""
        gone = commit.taken_back
        stated = [
            event
            for event in commit.events
            if event.type is EventType.CASE_OPENED and event.caused_by is None and event.event_id not in gone
        ]
        about = {case_id for event in stated if (case_id := commit.about(event)) is not None}
        if not about:
            return ()
        histories = await find_histories_so_far(tx, commit, about)
        drafts: list[Draft] = []
        for case_id in about:
            told = histories[case_id]
            back = {item.fact.get("event_id") for item in told if item.type is EventType.EVENT_RETRACTED}
            ours = [
                item
                for item in told
                if item.type is EventType.CASE_OPENED and item.caused_by and str(item.event_id) not in back
            ]
            first = min(
                (event for event in stated if commit.about(event) == case_id),
                key=lambda event: (event.occurred_at, event.source, event.external_id),
            )
            drafts += [
                retraction(commit, item, first, _REASON)
                for item in ours
                if first.occurred_at <= item.occurred_at
            ]
        return drafts
