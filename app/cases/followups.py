"""Decides what follows from a case as it is opened or assessed: how severe it is, and who gets it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from app.cases.derived import derived
from app.cases.repository import get_states, list_refs_of
from app.db.engine import Tx
from app.domain.case import CONTINUES
from app.domain.causes import COMPLAINT_MECHANISM
from app.domain.complaint import CaseKind, Severity, severity_of_signs, severity_reason, severity_signs
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.ports import Commit, Draft
from app.kit.ids import parse_public_id

_TELLING: Final = (EventType.CASE_OPENED, EventType.CASE_ASSESSED)


@dataclass(slots=True)
class _Known:
    """What is known of a case at this point of the commit."""

    kind: str = CaseKind.COMPLAINT
    severity: str = Severity.SEV3
    cause: str | None = None
    assignee: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def learn(self, event: StoredEvent) -> None:
        for name in ("kind", "severity", "cause", "assignee"):
            if event.fact.get(name) is not None:
                setattr(self, name, event.fact[name])
        self.facts = {**self.facts, **event.fact}


class Followups:
    """The decider of severity and of routing: rules raise the one, the first that holds names the other."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.assessed` where a rule finds more than was stated, a `case.assigned` where nobody was."""
        gone = commit.taken_back
        telling = [
            event
            for event in commit.events
            if event.type in _TELLING and event.subject_id is not None and event.event_id not in gone
        ]
        if not telling:
            return ()
        known = await _known(tx, commit, telling)
        drafts = await _repeated(tx, commit, _repeats(commit, telling))
        for event in telling:
            case_id = commit.about(event)
            case = known[case_id] if case_id is not None else _Known()
            raised = _raised(commit, event, case)
            case.learn(event)
            if raised is not None:
                case.severity = raised.fact.get("severity", case.severity)
                drafts.append(raised)
            if event.type is EventType.CASE_OPENED and case.assignee is None:
                assigned = _assigned(commit, event, case)
                drafts += [] if assigned is None else [assigned]
        return drafts


async def _known(tx: Tx, commit: Commit, telling: list[StoredEvent]) -> dict[UUID, _Known]:
    ids = {case_id for event in telling if (case_id := commit.about(event)) is not None}
    # a case that we open ourselves in this commit is new: it needs no look
    own = [event for event in telling if event.type is EventType.CASE_OPENED and event.caused_by]
    new = {event.subject_id for event in own if event.event_id not in commit.moved}
    rows = await get_states(tx, commit.tenant_id, [case_id for case_id in ids if case_id not in new])
    names = ("kind", "severity", "cause", "assignee")
    return {
        case_id: _Known(**{name: rows[case_id][name] for name in names}) if case_id in rows else _Known()
        for case_id in ids
    }


def _repeats(commit: Commit, telling: Sequence[StoredEvent]) -> list[tuple[StoredEvent, UUID]]:
    """Openings that say themselves which complaint they repeat; what nobody said is found by `Repeats`."""
    # an opening that continues a case is stated together with the word on it (`Consequences`)
    stated = (
        (event, parse_public_id("case", str(event.fact.get("repeat_of") or "")))
        for event in telling
        if event.type is EventType.CASE_OPENED and CONTINUES not in event.fact
    )
    return [(event, earlier) for event, earlier in stated if earlier not in (None, commit.about(event))]


async def _repeated(tx: Tx, commit: Commit, later: Sequence[tuple[StoredEvent, UUID]]) -> list[Draft]:
    """A word on each earlier case whose customer complains again; `later`: the new opening, the old case."""
    if not later:
        return []
    earlier_ids = list({earlier for _, earlier in later})
    states = await get_states(tx, commit.tenant_id, earlier_ids)
    refs = await list_refs_of(tx, commit.tenant_id, earlier_ids)
    return [
        _repetition(commit, event, refs[earlier], states[earlier]["cause"])
        for event, earlier in later
        if earlier in refs and earlier in states and earlier != event.subject_id
    ]


def _repetition(commit: Commit, event: StoredEvent, ref: str, earlier_cause: str | None) -> Draft:
    cause = event.fact.get("cause")
    data = {
        "about_handling": cause == COMPLAINT_MECHANISM,
        "same_cause": cause is not None and cause == earlier_cause,
        "later_cause": cause,
        "human": False,
    }
    return derived(commit, event, EventType.CASE_REPEATED, data, subject=Subject(SubjectKind.CASE, ref))


def _raised(commit: Commit, event: StoredEvent, case: _Known) -> Draft | None:
    """What the rules make of a cause or a text whose sender did not say how severe it is."""
    if event.fact.get("severity") is not None:
        return None
    bound = commit.config.care.complaint_rules_at(commit.recorded_at)
    facts = {**event.personal, **event.fact}
    facts.setdefault("cause", case.cause)
    kind = CaseKind(facts["kind"]) if facts.get("kind") in list(CaseKind) else CaseKind(case.kind)
    repeat = event.type is EventType.CASE_OPENED and event.fact.get("repeat_of") is not None
    signs = severity_signs(facts, repeat=repeat, rules=bound.value)
    found = severity_of_signs(kind, signs)
    # words rank as they are written: sev1 is the gravest
    if not signs or found >= Severity(case.severity):
        return None
    data = {
        "severity": found.value,
        "severity_by": "+".join(signs),
        "severity_reason": severity_reason(kind, signs),
        "rules_version": bound.version,
        "human": False,
    }
    return derived(commit, event, EventType.CASE_ASSESSED, data)


def _assigned(commit: Commit, event: StoredEvent, case: _Known) -> Draft | None:
    bound = commit.config.care.routing_at(commit.recorded_at)
    if bound.value is None:
        return None
    facts = {**case.facts, "kind": case.kind, "severity": case.severity, "cause": case.cause}
    found = bound.value.assign(facts)
    data = {
        "assignee": found.assignee,
        "rule": found.rule,
        "routing_version": bound.version,
        "human": False,
    }
    return derived(commit, event, EventType.CASE_ASSIGNED, data)
