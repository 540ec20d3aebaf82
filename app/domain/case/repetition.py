"""Which complaint repeats which: the same customer again, within the days that count (domain.md 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.domain.case.state import Case, CaseState
from app.domain.complaint import CaseKind
from app.domain.events import StoredEvent


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case with the opening that counts; its customer is whom that one names."""

    case_id: UUID
    opening: StoredEvent
    case: Case

    @property
    def is_complaint(self) -> bool:
        """True of what may repeat a complaint, and be repeated."""
        return self.case.kind is CaseKind.COMPLAINT and self.case.state is not CaseState.INVALID

    @property
    def repeats_as_stated(self) -> bool:
        """True where the opening itself says which complaint it repeats."""
        return self.opening.fact.get("repeat_of") is not None

    @property
    def place(self) -> tuple[Any, ...]:
        """Its place among the complaints of its customer."""
        return self.opening.occurred_at, self.opening.personal.get("subject_ref") or "", str(self.case_id)


def repetitions(
    cases: Iterable[OpenedCase], window_of: Callable[[OpenedCase], timedelta]
) -> dict[UUID, OpenedCase]:
    """Case -> the latest complaint that its customer had before it, within the window of the later one.

    Cases whose opening says what they repeat are left out. Two that begin at the same instant repeat
    neither each other.
    """
    complaints = [item for item in cases if item.is_complaint]
    found: dict[UUID, OpenedCase] = {}
    for later in complaints:
        at, who = later.opening.occurred_at, later.opening.customer_ref
        before = [
            item
            for item in complaints
            if item.opening.customer_ref == who
            and item.opening.occurred_at < at <= item.opening.occurred_at + window_of(later)
        ]
        if who is not None and before and not later.repeats_as_stated:
            found[later.case_id] = max(before, key=lambda item: item.place)
    return found
