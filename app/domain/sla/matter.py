"""What is put before the judgement of one cycle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.sla.calendar import Calendar
from app.domain.sla.deadline import Rests
from app.domain.sla.timer import Timer
from app.domain.sla.track import Track


@dataclass(frozen=True, slots=True)
class Change:
    """From when, and why, the definition holds for a cycle that was running under another."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Matter:
    """All that one judgement needs."""

    timer: Timer
    calendar: Calendar
    track: Track
    rests: Rests
    as_of: datetime
    change: Change | None = None
    received_at: datetime | None = None
    cancelled: Change | None = None
    foresee: bool = True
    """Lay out the rungs of the ladder before the breach too; a live look needs them only after it."""
