"""An event as the clock sees it: when it happened, what it says, whether a human did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.events import StoredEvent


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """A business fact about one subject; `day_precision`: only its local date is meant."""

    event_id: UUID
    type: str
    occurred_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    human: bool = True
    day_precision: bool = False


def clock_event(stored: StoredEvent) -> ClockEvent:
    """The clock's view of a stored event: automatic when its fact says `"human": false` or `"auto": true`."""
    human = stored.fact.get("human")
    return ClockEvent(
        event_id=stored.event_id,
        type=stored.type.value,
        occurred_at=stored.occurred_at,
        data=stored.fact,
        human=human if isinstance(human, bool) else stored.fact.get("auto") is not True,
        day_precision=stored.day_precision,
    )
