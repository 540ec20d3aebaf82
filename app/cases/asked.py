"""What an invitation tells of the answers to it: the channel and the place where the customer was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType, StoredEvent
from app.journal.ports import Commit
from app.journal.rows import select_events

_TELLS: Final = ("channel", "touchpoint", "journey_stage", "location", "employee", "product", "segment")
_STARTED: Final = """e.subject_id = any($2) AND e.type = 'survey.started' AND NOT EXISTS (
    SELECT FROM events r WHERE r.tenant_id = e.tenant_id AND r.type = 'event.retracted'
       AND r.fact->>'event_id' = e.event_id::text)"""


async def places_asked(
    tx: Tx, commit: Commit, spoken: Sequence[StoredEvent]
) -> Mapping[UUID, Mapping[str, Any]]:
    """Answer -> what the `survey.started` of its survey says of channel and place; of several the first."""
    surveys = {
        event.event_id: event.subject_id
        for event in spoken
        if event.type is EventType.SURVEY_ANSWERED and event.subject_id is not None
    }
    if not surveys:
        return {}
    told = await select_events(tx, commit.tenant_id, _STARTED, sorted(set(surveys.values())))
    told += [event for event in commit.events if event.type is EventType.SURVEY_STARTED]
    found: dict[UUID | None, dict[str, Any]] = {}
    for event in sorted(told, key=lambda item: (item.occurred_at, item.source, item.external_id)):
        if event.event_id not in commit.taken_back:
            said = {name: event.fact[name] for name in _TELLS if event.fact.get(name) is not None}
            found[event.subject_id] = said | found.get(event.subject_id, {})
    return {answer: found[survey] for answer, survey in surveys.items() if survey in found}
