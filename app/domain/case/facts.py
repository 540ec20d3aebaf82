"""What each kind of event means to a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domain.case.state import CaseState
from app.domain.complaint import CaseKind, Severity
from app.domain.events import EventType, StoredEvent
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
SETTLING: Final = frozenset(
    {EventType.CASE_REMEDIED, EventType.CASE_DECLINED, EventType.CASE_CLOSED, *ENDINGS}
) - {EventType.CASE_MERGED}
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
# What follows a case for long: lessons drawn from it, thanks, the author's identity, tidying up.
LASTING: Final = frozenset(
    {
        EventType.CASE_LINKED,
        EventType.CASE_CUSTOMER_CONTACTED,
        EventType.CASE_CHECKLIST_TICKED,
        EventType.CASE_REPEATED,
        EventType.CASE_VERIFICATION_REQUESTED,
        EventType.CASE_VERIFIED,
        EventType.CASE_UNVERIFIED,
        EventType.CASE_VERIFICATION_EXPIRED,
        EventType.CASE_ACTION_LINKED,
        EventType.CASE_ACTION_NOT_NEEDED,
        EventType.CASE_IMPROVEMENT_DEPLOYED,
        EventType.CASE_IMPROVEMENT_INFORMED,
    }
)
FIT_AN_END: Final = MARKS | LASTING | {EventType.CASE_CLOSED}
FIT_A_CLOSED: Final = FIT_AN_END | {EventType.CASE_REOPENED, EventType.CASE_RESURVEYED}
# At one and the same time the order of the closed list decides, which is that of handling.
RANK: Final = {
    kind: rank for rank, kind in enumerate(EventType) if kind.startswith("case.") and not kind.is_derived
}


def refs_of(history: Sequence[StoredEvent], subject_id: UUID | None = None) -> list[str]:
    """The callers' references that the events of a subject name, in order of first mention.

    Those of `subject_id` come first, those of cases that it absorbed behind them.
    """
    found: dict[str, None] = {}
    for event in sorted(history, key=lambda event: event.subject_id != subject_id) if subject_id else history:
        linked = named(event, "ref") if event.type is EventType.CASE_LINKED else None
        found |= dict.fromkeys(ref for ref in (event.personal.get("subject_ref"), linked) if ref)
    return list(found)


def named(fact: StoredEvent, name: str) -> str | None:
    """A caller's reference that a fact names; it is personal, and was kept among the facts at first."""
    found: str | None = fact.personal.get(name) or fact.fact.get(name)
    return found
