"""What subscribers are told of actions, failures and debriefs, each with how it stands after the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.db.engine import Tx
from app.domain.events import Origin, StoredEvent, SubjectKind
from app.domain.improvement import (
    Action,
    Debrief,
    Failure,
    fold_action,
    fold_debrief,
    fold_failure,
    is_of_improvement,
)
from app.improvement import lookups
from app.journal.ports import Announcement, Commit, Place
from app.kit.ids import public_id


class ImprovementAnnouncer:
    """Announces each live event of these families once."""

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """One announcement per live event of this commit."""
        told = [
            event
            for event in commit.events
            if is_of_improvement(event)
            and event.origin is Origin.LIVE
            and event.subject_id in commit.histories
        ]
        return [Announcement(event, await _data(tx, commit, event)) for event in told]


async def _data(tx: Tx, commit: Commit, event: StoredEvent) -> dict[str, Any]:
    assert event.subject_id is not None
    data: dict[str, Any] = {
        "details": dict(event.fact),
        "event_id": public_id("evt", event.event_id),
        "occurred_at": event.occurred_at,
        "source": event.source,
        "sequence": event.position,
    }
    history = commit.histories[event.subject_id]
    match event.subject_kind:
        case SubjectKind.ACTION:
            ref = event.personal.get("subject_ref") or ""
            owed = await lookups.count_owed(tx, commit.tenant_id, ref)
            shown = _shown("action", event, fold_action(history))
            return {"action": {**shown, "ref": ref}, "owed": owed, **data}
        case SubjectKind.FAILURE:
            return {"failure": _shown("failure", event, fold_failure(history)), **data}
        case _:
            return {"debrief": _shown("debrief", event, fold_debrief(history)), **data}


def _shown(prefix: str, event: StoredEvent, value: Action | Failure | Debrief | None) -> dict[str, Any]:
    assert event.subject_id is not None
    fields = {} if value is None else asdict(value)
    state = None if value is None else value.state
    return {"id": public_id(prefix, event.subject_id), **fields, "state": state}
