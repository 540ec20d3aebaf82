"""What a message about a timer says beside the reading: how its subject stands now, and who is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.events import StoredEvent
from app.domain.routing import Routing
from app.sla.readings import SubjectClock

_OF_A_CASE: Final = ("assignee", "cause", "promised_due_at", "reply_channel", "customer_facing")
_OF_OTHERS: Final = (
    "promised_at", "due_at", "source_url", "owner", "name", "severity", "amount", "currency", "case", "lang",
    "checklist",
)  # fmt: skip


def standing_data(clock: SubjectClock, history: Sequence[StoredEvent]) -> dict[str, Any]:
    """How the subject stands: enough to act on it without asking back (no words of people).

    A case as it is folded; of anything else what its facts said last, the scores given in it, and its last
    fact.
    """
    case = clock.case
    if case is not None:
        told = {name: getattr(case, name) for name in _OF_A_CASE}
        stands = {"state": case.state.value, "severity": case.severity.value, "kind": case.kind.value}
        return {**stands, **told, "waiting_since": case.current.waiting_since}
    facts = sorted(
        (event for event in history if not event.type.is_derived),
        key=lambda event: (event.occurred_at, event.position),
    )
    found: dict[str, Any] = {}
    for event in facts:
        found |= {name: event.fact[name] for name in _OF_OTHERS if event.fact.get(name) is not None}
        if event.fact.get("answers"):
            found["scores"] = [_score(answer) for answer in event.fact["answers"]]
    if facts:
        found["last_event"] = {"type": facts[-1].type.value, "occurred_at": facts[-1].occurred_at}
    return found


def person_meant(to: str, clock: SubjectClock, routing: Routing | None) -> str | None:
    """The employee behind a role of the ladder; None where nobody is known."""
    assignee = clock.facts.get("assignee") if clock.case is None else clock.case.assignee
    if to == "assignee" or not to or routing is None:
        return assignee if to == "assignee" else None
    if to == "manager":
        return routing.above(assignee, clock.facts)
    return routing.owner_of(clock.facts) if to == "feedback_owner" else None


def _score(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: answer.get(name) for name in ("question", "scale", "value", "class")}
