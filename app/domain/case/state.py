"""What a case is: the cycles of its handling, the steps done in each, and the state that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Any
from uuid import UUID

from app.domain.case.care import ActionLink, Dialogue
from app.domain.case.compensations import Compensation, Sums, sum_compensations
from app.domain.case.outcome import NO_AFTERMATH, Aftermath
from app.domain.complaint import CaseKind, Severity
from app.domain.playbook import Step


class CaseState(StrEnum):
    """Where a case stands; derived, never stated. The last four end it without an answer; the last wins."""

    AWAITING_OPENING = auto()
    OPEN = auto()
    WAITING_CUSTOMER = auto()
    REMEDIED = auto()
    CLOSED = auto()
    WITHDRAWN = auto()
    INVALID = auto()
    DUPLICATE = auto()
    MERGED = auto()


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A fact that does not fit: kept, applied as far as it can be, and listed (design.md 3).

    `reason`: awaiting_opening, before_opening, second_opening, after_closing, after_ending, retracted,
    merged_already, merged_in_a_circle,
    stated_differently, unreadable_fact (both name the `field`), reopened_while_open, reopened_too_late,
    resumed_without_waiting.
    """

    reason: str
    event_id: UUID
    occurred_at: datetime
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run of handling from an opening or reopening (`started_by`) on, with the first time of each step.

    `closed_until` is the latest moment that its closing can mean: where only the day is known, its end.
    """

    started_by: UUID
    started_at: datetime
    steps: Mapping[Step, datetime]
    promised_due_at: datetime | None = None
    waiting_since: datetime | None = None
    escalated_at: datetime | None = None
    closed_until: datetime | None = None
    closing_notified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint or question as its facts leave it; `steps` and most times are those of its last cycle.

    `opened_at` is the time of the opening or, while none is known (`awaiting_opening`), the earliest time
    of any fact. `contacts` counts how often the customer had to come to us.
    """

    opened_at: datetime
    source: str
    cycles: tuple[Cycle, ...]
    is_opened: bool = True
    kind: CaseKind = CaseKind.COMPLAINT
    severity: Severity = Severity.SEV3
    channel: str | None = None
    touchpoint: str | None = None
    location: str | None = None
    employee: str | None = None
    product: str | None = None
    segment: str | None = None
    cause: str | None = None
    assignee: str | None = None
    outcome: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    due_given_at: datetime | None = None
    is_inferred: bool = False
    """opened by what we read off feedback"""
    confirmed_by: UUID | None = None
    """the later opening by its source, which then is no second one"""
    customer_facing: bool = True
    initiative: str = "reactive"
    detection: Mapping[str, Any] = field(default_factory=dict)
    repeat_of: str | None = None
    duplicate_of: str | None = None
    merged_into: str | None = None
    linked: tuple[str, ...] = ()
    contacts: int = 1
    ended_as: CaseState | None = None
    ended_at: datetime | None = None
    anomalies: tuple[Anomaly, ...] = ()
    preferred_channel: str | None = None
    ticked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dialogue: Dialogue | None = None
    links: tuple[ActionLink, ...] = ()
    action_not_needed_at: datetime | None = None
    compensations: tuple[Compensation, ...] = ()
    aftermath: Aftermath = NO_AFTERMATH

    @property
    def current(self) -> Cycle:
        return self.cycles[-1]

    @property
    def steps(self) -> Mapping[Step, datetime]:
        return self.current.steps

    @property
    def state(self) -> CaseState:
        if self.ended_as is not None:
            return self.ended_as
        if not self.is_opened:
            return CaseState.AWAITING_OPENING
        if self.closed_at is not None:
            return CaseState.CLOSED
        if self.current.waiting_since is not None:
            return CaseState.WAITING_CUSTOMER
        return CaseState.OPEN if self.remedied_at is None else CaseState.REMEDIED

    @property
    def acknowledged_at(self) -> datetime | None:
        return self._first(Step.THANKED)

    @property
    def first_response_at(self) -> datetime | None:
        """The first human reply in any cycle (domain.md 5)."""
        return self._first(Step.REPLIED)

    @property
    def promised_due_at(self) -> datetime | None:
        return self.current.promised_due_at

    @property
    def remedied_at(self) -> datetime | None:
        """The final remedy (domain.md 5): one before the last reopening did not hold."""
        return self.steps.get(Step.REMEDIED)

    @property
    def closed_at(self) -> datetime | None:
        return self.steps.get(Step.CLOSED)

    @property
    def settled_at(self) -> datetime | None:
        """Where the 14 days of a reopening begin: closing, else remedy or refusal; a withdrawal; or None."""
        if self.ended_as is CaseState.WITHDRAWN:
            return self.ended_at
        answers = (self.steps[step] for step in (Step.REMEDIED, Step.DECLINED) if step in self.steps)
        return self.current.closed_until or max(answers, default=None)

    @property
    def reply_channel(self) -> str | None:
        """Where to answer: where the customer prefers it, else where he spoke (domain.md S2.11)."""
        return self.preferred_channel or self.channel

    @property
    def cost(self) -> Sums:
        """What was given to the customer, in the tenant's currency."""
        return sum_compensations(self.compensations)

    @property
    def reopened_count(self) -> int:
        return len(self.cycles) - 1

    def _first(self, step: Step) -> datetime | None:
        return next((cycle.steps[step] for cycle in self.cycles if step in cycle.steps), None)
