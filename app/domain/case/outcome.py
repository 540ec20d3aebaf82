"""What may come of a handling: ways to fail the customer again, and to win him back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Final
from uuid import UUID


class Trigger(StrEnum):
    """Why a handling failed the customer a second time; the last two are missed promises, told apart."""

    REOPENED = auto()
    POST_RESOLUTION_NEGATIVE = auto()
    REPEAT_NEGATIVE = auto()
    SECOND_COMPLAINT = auto()
    PROMISE_MISSED = auto()
    COMPENSATION_LATE = auto()


BROKEN_PROMISES: Final = frozenset({Trigger.PROMISE_MISSED, Trigger.COMPENSATION_LATE})


@dataclass(frozen=True, slots=True)
class Deviation:
    """One way in which the handling of a cycle failed; `cycle` is the event that began it."""

    trigger: Trigger
    cycle: UUID
    at: datetime
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Aftermath:
    """`recovered_at`: the first contented answer after the final settlement that nothing contradicts;
    `resurvey_class`: what the customer said last after it; `is_ambassador`: recovered, and 9 or 10 of 10.
    """

    deviations: tuple[Deviation, ...] = ()
    recovered_at: datetime | None = None
    resurvey_class: str | None = None
    is_ambassador: bool = False


NO_AFTERMATH: Final = Aftermath()
