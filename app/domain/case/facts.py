"""What each kind of event means to a case, and how a time kept in one is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from app.domain.case.state import CaseState
from app.domain.complaint import CaseKind, Severity
from app.domain.events import EventType
from app.domain.playbook import Step

STEPS: Final = {
    EventType.CASE_ACKNOWLEDGED: Step.THANKED,
    EventType.CASE_ASSESSED: Step.ASSESSED,
    EventType.CASE_REPLIED: Step.REPLIED,
    EventType.CASE_APOLOGISED: Step.APOLOGISED,
    EventType.CASE_PROMISED: Step.PROMISED,
    EventType.CASE_DECLINED: Step.DECLINED,
    EventType.CASE_REMEDIED: Step.REMEDIED,
    EventType.CASE_DECISION_COMMUNICATED: Step.DECISION_COMMUNICATED,
    EventType.CASE_RESURVEYED: Step.RESURVEYED,
    EventType.CASE_CLOSED: Step.CLOSED,
}
ENDINGS: Final = {
    EventType.CASE_WITHDRAWN: CaseState.WITHDRAWN,
    EventType.CASE_MARKED_INVALID: CaseState.INVALID,
    EventType.CASE_MARKED_DUPLICATE: CaseState.DUPLICATE,
    EventType.CASE_MERGED: CaseState.MERGED,
}
MARKS: Final = frozenset(ENDINGS) - {EventType.CASE_WITHDRAWN}
PLACE: Final = ("touchpoint", "location", "product", "segment")
OF_THE_ACT: Final = ("channel", "employee")
JUDGEMENTS: Final[Mapping[str, type[StrEnum]]] = {"kind": CaseKind, "severity": Severity}
# What speaks of the case as a whole; elsewhere a channel and an employee are those of the act.
DESCRIBES: Final = frozenset({EventType.CASE_OPENED, EventType.CASE_ASSESSED})
ENDS_WAITING: Final = frozenset(
    {
        EventType.CASE_RESUMED,
        EventType.CASE_CUSTOMER_CONTACTED,
        EventType.CASE_REMEDIED,
        EventType.CASE_DECLINED,
        EventType.CASE_CLOSED,
    }
)
FIT_AN_END: Final = MARKS | {
    EventType.CASE_CLOSED,
    EventType.CASE_LINKED,
    EventType.CASE_CUSTOMER_CONTACTED,
}
FIT_A_CLOSED: Final = FIT_AN_END | {EventType.CASE_REOPENED, EventType.CASE_RESURVEYED}
# At one and the same time the order of the closed list decides, which is that of handling.
RANK: Final = {kind: rank for rank, kind in enumerate(EventType) if kind.startswith("case.")}


def moment_of(value: object) -> datetime | None:
    """A time kept in a fact, aware and in UTC; None when there is none, or none that can be read."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else None
