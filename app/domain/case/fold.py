"""The case that a pile of events tells of, whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final

from app.domain.case.aftermath import ANSWERS, aftermath_of
from app.domain.case.care import dialogue_of, first_at, links_of, ticks_of
from app.domain.case.compensations import fold_compensations
from app.domain.case.facts import (
    DESCRIBES,
    ENDINGS,
    ENDS_WAITING,
    JUDGEMENTS,
    OF_THE_ACT,
    PLACE,
    RANK,
    SETTLING,
    STEPS,
    named,
)
from app.domain.case.misfit import BEFORE_OPENING, misfit_of
from app.domain.case.moments import moment_of
from app.domain.case.openings import told_as
from app.domain.case.standing import latest, order, standing
from app.domain.case.state import Anomaly, Case, CaseState, Cycle
from app.domain.errors import NotFoundError
from app.domain.events import Bearing, EventType, StoredEvent
from app.domain.playbook import Step
from app.domain.sla.clock_event import clock_event

_HUMAN: Final = frozenset({Step.REPLIED, Step.ASSESSED})
"""Steps that an automatic message or a rule does not take."""
_CARES: Final = frozenset({"ticked", "action"})
_WORDS: Final = {name: {word.value: word for word in words} for name, words in JUDGEMENTS.items()}
_LATEST: Final = ("cause", "assignee", "outcome", "preferred_channel")
_UNKNOWN: Final = Case(datetime.min.replace(tzinfo=UTC), "", ())
"""What is known of a case before its opening."""


def fold(events: Sequence[StoredEvent]) -> Case:
    """The case that these events of one subject tell of: the same in whatever order, however often each.

    Ignores what is not about handling (`feedback.*`, `sla.*`), what an `event.retracted` names by its
    `{event, source}` (a retraction is final), and states of an object that a greater version replaces.
    A case all of whose facts were taken back is `invalid`. Raises `NotFoundError` (`no_events`) for [].
    """
    if not events:
        raise NotFoundError("no_events", "A case is known by its events, and there are none.")
    told = [event for event in events if event.type in RANK and event.bearing is not Bearing.INHERITED]
    facts = sorted(standing(told, events), key=order)
    if not facts:
        return _void(min(told, key=order)) if told else _awaiting(events)
    opening = next((fact for fact in facts if fact.type is EventType.CASE_OPENED), None)
    case = _opened_by(opening, events) if opening else _awaiting(facts)
    case = reduce(_apply, (fact for fact in facts if fact is not opening), case)
    return _care_for(case, facts, events)


def _care_for(case: Case, facts: Sequence[StoredEvent], events: Sequence[StoredEvent]) -> Case:
    """What the facts as a whole, and the answers, gifts and inherited words beside them, tell of the case."""
    beside = [event for event in events if _counts(event)]
    told = sorted(standing(beside, events), key=order) if beside else []
    heard = [event for event in events if event.bearing is Bearing.INHERITED]
    if not told and not heard and len(facts) == 1 and not facts[0].fact.keys() & _CARES:
        return case  # one fact with nothing before or beside it
    given = fold_compensations(told)
    answers = [event for event in told if event.type in ANSWERS]
    learned: dict[str, Any] = {
        "ticked": ticks_of(facts),
        "dialogue": dialogue_of(sorted([*facts, *heard], key=order) if heard else facts),
        "links": links_of(facts),
        "action_not_needed_at": first_at(facts, EventType.CASE_ACTION_NOT_NEEDED),
        "compensations": given,
        "aftermath": aftermath_of(case, facts, answers, given),
    }
    # most cases have nothing of it, and a copy of a case costs more than the look
    changes = {name: value for name, value in learned.items() if value != getattr(case, name)}
    return replace(case, **changes) if changes else case


def _counts(event: StoredEvent) -> bool:
    return event.type in ANSWERS or event.type.startswith("compensation.")


def _opened_by(opening: StoredEvent, events: Sequence[StoredEvent]) -> Case:
    at, said = opening.occurred_at, opening.fact
    facing, initiative = said.get("customer_facing") is not False, said.get("initiative") or "reactive"
    stated: dict[str, Any] = {
        "opened_at": at,
        "source": opening.source,
        "cycles": (Cycle(told_as(opening, events), at, {Step.RECEIVED: at}),),
        "due_given_at": moment_of(said.get("due_at")),
        "is_inferred": opening.caused_by is not None,
        "customer_facing": facing,
        "initiative": initiative,
        "detection": said.get("detection") or {},
        "repeat_of": said.get("repeat_of"),
        "contacts": 1 if facing and initiative == "reactive" else 0,
    }
    return Case(**stated, **_learned(_UNKNOWN, opening))


def _awaiting(facts: Sequence[StoredEvent]) -> Case:
    first = min(facts, key=lambda fact: (fact.occurred_at, *order(fact)))
    cycle = Cycle(first.event_id, first.occurred_at, {})
    return _list(Case(first.occurred_at, first.source, (cycle,), False), "awaiting_opening", first)


def _void(first: StoredEvent) -> Case:
    at, cycle = first.occurred_at, Cycle(first.event_id, first.occurred_at, {})
    case = Case(at, first.source, (cycle,), False, ended_as=CaseState.INVALID, ended_at=at, contacts=0)
    return _list(case, "retracted", first)


def _list(case: Case, reason: str, fact: StoredEvent) -> Case:
    anomaly = Anomaly(reason, fact.event_id, fact.occurred_at)
    return replace(case, anomalies=(*case.anomalies, anomaly))


def _apply(case: Case, fact: StoredEvent) -> Case:
    misfit = misfit_of(case, fact)
    if misfit is not None:
        case = _list(case, misfit, fact)
        if misfit == BEFORE_OPENING and case.is_inferred and fact.type in SETTLING:
            return case  # it settled what was before: this complaint came after it and waits for its answer
    elif fact.type is EventType.CASE_OPENED:
        given = case.due_given_at or moment_of(fact.fact.get("due_at"))
        case = replace(case, confirmed_by=fact.event_id, due_given_at=given)
    case = _learn(case, fact)
    if fact.type is EventType.CASE_REOPENED:
        return case if misfit else _reopen(case, fact)
    if fact.type in ENDINGS:
        return case if misfit == "after_closing" or fact.bearing else _end(case, fact)
    if fact.type is EventType.CASE_CUSTOMER_CONTACTED:
        case = replace(case, contacts=case.contacts + 1)
    return replace(case, cycles=(*case.cycles[:-1], _advance(case.current, fact)))


def _advance(cycle: Cycle, fact: StoredEvent) -> Cycle:
    step = STEPS.get(fact.type)
    if step is not None and (step not in _HUMAN or clock_event(fact).human):
        cycle = replace(cycle, steps={step: fact.occurred_at, **cycle.steps})
    if fact.type in ENDS_WAITING:
        cycle = replace(cycle, waiting_since=None, closing_notified_at=None)
    match fact.type:
        case EventType.CASE_WAITING_CUSTOMER:
            return replace(cycle, waiting_since=cycle.waiting_since or fact.occurred_at)
        case EventType.CASE_ESCALATED:
            return replace(cycle, escalated_at=cycle.escalated_at or fact.occurred_at)
        case EventType.CASE_PROMISED:
            return replace(cycle, promised_due_at=moment_of(fact.fact.get("due_at")) or cycle.promised_due_at)
        case EventType.CASE_CLOSING_NOTIFIED if cycle.waiting_since is not None:
            return replace(cycle, closing_notified_at=cycle.closing_notified_at or fact.occurred_at)
        case EventType.CASE_CLOSED:
            return replace(cycle, closed_until=cycle.closed_until or latest(fact))
        case _:
            return cycle


def _reopen(case: Case, fact: StoredEvent) -> Case:
    cycle = Cycle(fact.event_id, fact.occurred_at, {Step.RECEIVED: fact.occurred_at})
    return replace(case, cycles=(*case.cycles, cycle), ended_as=None, ended_at=None)


def _end(case: Case, fact: StoredEvent) -> Case:
    ending, ranks = ENDINGS[fact.type], list(CaseState)
    if case.ended_as is not None and ranks.index(case.ended_as) > ranks.index(ending):
        ending = case.ended_as
    return replace(
        case,
        ended_as=ending,
        ended_at=case.ended_at or fact.occurred_at,
        duplicate_of=case.duplicate_of or named(fact, "of"),
        merged_into=case.merged_into or named(fact, "into"),
    )


def _learn(case: Case, fact: StoredEvent) -> Case:
    changes = _learned(case, fact)
    return replace(case, **changes) if changes else case


def _learned(case: Case, fact: StoredEvent) -> dict[str, Any]:
    """What the fact says of the case: attribution is frozen by who states it first, the rest by who last."""
    said, describes = fact.fact, fact.type in DESCRIBES
    changes: dict[str, Any] = {}
    odd: list[Anomaly] = []
    for name in (*PLACE, *OF_THE_ACT) if describes else PLACE:
        stated, known = said.get(name), getattr(case, name)
        if stated is not None and known is None:
            changes[name] = stated
        elif stated not in (None, known):
            odd.append(Anomaly("stated_differently", fact.event_id, fact.occurred_at, name))
    for name, words in _WORDS.items() if describes else ():
        stated = said.get(name)
        if isinstance(stated, str) and stated in words:
            changes[name] = words[stated]
        elif stated is not None:
            odd.append(Anomaly("unreadable_fact", fact.event_id, fact.occurred_at, name))
    if said.get("due_at") is not None and moment_of(said["due_at"]) is None:
        odd.append(Anomaly("unreadable_fact", fact.event_id, fact.occurred_at, "due_at"))
    changes |= {name: said[name] for name in _LATEST if said.get(name)}
    if fact.type is EventType.CASE_ASSESSED and case.repeat_of is None and said.get("repeat_of"):
        changes["repeat_of"] = said["repeat_of"]
    if said.get("attributes"):
        changes["attributes"] = {**case.attributes, **said["attributes"]}
    if fact.type is EventType.CASE_LINKED and (ref := named(fact, "ref")):
        changes["linked"] = tuple(sorted({*case.linked, ref}))
    if odd:
        changes["anomalies"] = (*case.anomalies, *odd)
    return changes
