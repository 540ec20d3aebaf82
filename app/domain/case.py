"""A case: what its events, in whatever order they came, say of a complaint, and which commands it allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from functools import reduce
from typing import Any, Final
from uuid import UUID

from app.domain.complaint import CaseKind, Severity
from app.domain.errors import ConflictError, InvalidError, NotFoundError
from app.domain.events import EventType, StoredEvent
from app.domain.playbook import Playbooks, Step
from app.domain.sla.clock_event import clock_event
from app.domain.sla.document import nearest

REOPEN_WINDOW: Final = timedelta(days=14)
_REST_OF_DAY: Final = timedelta(days=1, microseconds=-1)


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
    def reopened_count(self) -> int:
        return len(self.cycles) - 1

    def _first(self, step: Step) -> datetime | None:
        return next((cycle.steps[step] for cycle in self.cycles if step in cycle.steps), None)


_STEPS: Final = {
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
_ENDINGS: Final = {
    EventType.CASE_WITHDRAWN: CaseState.WITHDRAWN,
    EventType.CASE_MARKED_INVALID: CaseState.INVALID,
    EventType.CASE_MARKED_DUPLICATE: CaseState.DUPLICATE,
    EventType.CASE_MERGED: CaseState.MERGED,
}
_MARKS: Final = frozenset(_ENDINGS) - {EventType.CASE_WITHDRAWN}
_PLACE: Final = ("touchpoint", "location", "product", "segment")
_OF_THE_ACT: Final = ("channel", "employee")
_JUDGEMENTS: Final[Mapping[str, type[StrEnum]]] = {"kind": CaseKind, "severity": Severity}
# What speaks of the case as a whole; elsewhere a channel and an employee are those of the act.
_DESCRIBES: Final = frozenset({EventType.CASE_OPENED, EventType.CASE_ASSESSED})
_ENDS_WAITING: Final = frozenset(
    {
        EventType.CASE_RESUMED,
        EventType.CASE_CUSTOMER_CONTACTED,
        EventType.CASE_REMEDIED,
        EventType.CASE_DECLINED,
        EventType.CASE_CLOSED,
    }
)
_FIT_AN_END: Final = _MARKS | {
    EventType.CASE_CLOSED,
    EventType.CASE_LINKED,
    EventType.CASE_CUSTOMER_CONTACTED,
}
_FIT_A_CLOSED: Final = _FIT_AN_END | {EventType.CASE_REOPENED, EventType.CASE_RESURVEYED}
# At one and the same time the order of the closed list decides, which is that of handling.
_RANK: Final = {kind: rank for rank, kind in enumerate(EventType) if kind.startswith("case.")}


def moment_of(value: object) -> datetime | None:
    """A time kept in a fact, aware and in UTC; None when there is none, or none that can be read."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else None


def fold(events: Sequence[StoredEvent]) -> Case:
    """The case that these events of one subject tell of: the same in whatever order, however often each.

    Ignores what is not about handling (`feedback.*`, `sla.*`), what an `event.retracted` names by its
    `{event, source}` (a retraction is final), and states of an object that a greater version replaces.
    A case all of whose facts were taken back is `invalid`. Raises `NotFoundError` (`no_events`) for [].
    """
    if not events:
        raise NotFoundError("no_events", "A case is known by its events, and there are none.")
    told = [event for event in events if event.type in _RANK]
    facts = sorted(_standing(told, events), key=_order)
    if not facts:
        return _void(min(told, key=_order)) if told else _awaiting(events)
    opening = next((fact for fact in facts if fact.type is EventType.CASE_OPENED), None)
    case = _opened_by(opening) if opening else _awaiting(facts)
    return reduce(_apply, (fact for fact in facts if fact is not opening), case)


def _opened_by(opening: StoredEvent) -> Case:
    at, said = opening.occurred_at, opening.fact
    facing, initiative = said.get("customer_facing") is not False, said.get("initiative") or "reactive"
    case = Case(
        opened_at=at,
        source=opening.source,
        cycles=(Cycle(opening.event_id, at, {Step.RECEIVED: at}),),
        due_given_at=moment_of(said.get("due_at")),
        customer_facing=facing,
        initiative=initiative,
        detection=said.get("detection") or {},
        repeat_of=said.get("repeat_of"),
        contacts=1 if facing and initiative == "reactive" else 0,
    )
    return _learn(case, opening)


def _awaiting(facts: Sequence[StoredEvent]) -> Case:
    first = min(facts, key=lambda fact: (fact.occurred_at, *_order(fact)))
    cycle = Cycle(first.event_id, first.occurred_at, {})
    return _list(Case(first.occurred_at, first.source, (cycle,), False), "awaiting_opening", first)


def _standing(told: Sequence[StoredEvent], events: Sequence[StoredEvent]) -> list[StoredEvent]:
    retractions = [event for event in events if event.type is EventType.EVENT_RETRACTED]
    gone = {(event.fact.get("source", event.source), event.fact.get("event")) for event in retractions}
    current: dict[tuple[str | None, ...], StoredEvent] = {}
    for event in told:
        if (event.source, event.external_id) not in gone:
            named = None if event.object is not None else event.external_id
            thing = (event.source, event.type, event.object, named)
            current[thing] = max(current.get(thing, event), event, key=_version)
    return list(current.values())


def _version(event: StoredEvent) -> tuple[Any, ...]:
    return event.version or 0, event.occurred_at, event.external_id


def _order(event: StoredEvent) -> tuple[Any, ...]:
    """By time, with ties broken by what the source said and never by when we heard of it."""
    at = event.occurred_at if event.type is EventType.CASE_OPENED else _latest(event)
    return at, _RANK.get(event.type, 0), event.version or 0, event.source, event.external_id


def _latest(event: StoredEvent) -> datetime:
    """The latest moment that its time can mean."""
    return event.occurred_at + (_REST_OF_DAY if event.day_precision else timedelta())


def _void(first: StoredEvent) -> Case:
    at, cycle = first.occurred_at, Cycle(first.event_id, first.occurred_at, {})
    case = Case(at, first.source, (cycle,), False, ended_as=CaseState.INVALID, ended_at=at, contacts=0)
    return _list(case, "retracted", first)


def _list(case: Case, reason: str, fact: StoredEvent, name: str | None = None) -> Case:
    anomaly = Anomaly(reason, fact.event_id, fact.occurred_at, name)
    return replace(case, anomalies=(*case.anomalies, anomaly))


def _apply(case: Case, fact: StoredEvent) -> Case:
    misfit = _misfit(case, fact)
    if misfit is not None:
        case = _list(case, misfit, fact)
    case = _learn(case, fact)
    if fact.type is EventType.CASE_REOPENED:
        return case if misfit else _reopen(case, fact)
    if fact.type in _ENDINGS:
        return case if misfit == "after_closing" else _end(case, fact)
    if fact.type is EventType.CASE_CUSTOMER_CONTACTED:
        case = replace(case, contacts=case.contacts + 1)
    return replace(case, cycles=(*case.cycles[:-1], _advance(case.current, fact)))


def _advance(cycle: Cycle, fact: StoredEvent) -> Cycle:
    step = _STEPS.get(fact.type)
    if step is not None and (step is not Step.REPLIED or clock_event(fact).human):
        cycle = replace(cycle, steps={step: fact.occurred_at, **cycle.steps})
    if fact.type in _ENDS_WAITING:
        cycle = replace(cycle, waiting_since=None)
    match fact.type:
        case EventType.CASE_WAITING_CUSTOMER:
            return replace(cycle, waiting_since=cycle.waiting_since or fact.occurred_at)
        case EventType.CASE_ESCALATED:
            return replace(cycle, escalated_at=cycle.escalated_at or fact.occurred_at)
        case EventType.CASE_PROMISED:
            return replace(cycle, promised_due_at=moment_of(fact.fact.get("due_at")) or cycle.promised_due_at)
        case EventType.CASE_CLOSED:
            return replace(cycle, closed_until=cycle.closed_until or _latest(fact))
        case _:
            return cycle


def _reopen(case: Case, fact: StoredEvent) -> Case:
    cycle = Cycle(fact.event_id, fact.occurred_at, {Step.RECEIVED: fact.occurred_at})
    return replace(case, cycles=(*case.cycles, cycle), ended_as=None, ended_at=None)


def _end(case: Case, fact: StoredEvent) -> Case:
    ending, order = _ENDINGS[fact.type], list(CaseState)
    if case.ended_as is not None and order.index(case.ended_as) > order.index(ending):
        ending = case.ended_as
    return replace(
        case,
        ended_as=ending,
        ended_at=case.ended_at or fact.occurred_at,
        duplicate_of=case.duplicate_of or fact.fact.get("of"),
        merged_into=case.merged_into or fact.fact.get("into"),
    )


def _misfit(case: Case, fact: StoredEvent) -> str | None:
    """Why the fact does not belong where its time puts it; None when it does."""
    at, closed_until = fact.occurred_at, case.current.closed_until
    if fact.type is EventType.CASE_OPENED:
        return "second_opening"
    if case.is_opened and _latest(fact) < case.opened_at:
        return "before_opening"
    if fact.type is EventType.CASE_REOPENED:
        return _reopening_misfit(case, at)
    if case.ended_at is not None and case.ended_at < at and fact.type not in _FIT_AN_END:
        return "after_ending"
    if closed_until is not None and closed_until < at and fact.type not in _FIT_A_CLOSED:
        return "after_closing"
    if fact.type is EventType.CASE_RESUMED and case.current.waiting_since is None:
        return "resumed_without_waiting"
    return None


def _reopening_misfit(case: Case, at: datetime) -> str | None:
    if case.ended_as not in (None, CaseState.WITHDRAWN):
        return "after_ending"
    if case.settled_at is None:
        return "reopened_while_open"
    return "reopened_too_late" if at - case.settled_at > REOPEN_WINDOW else None


def _learn(case: Case, fact: StoredEvent) -> Case:
    """What the fact says of the case: attribution is frozen by who states it first, the rest by who last."""
    said, describes = fact.fact, fact.type in _DESCRIBES
    changes: dict[str, Any] = {}
    for name in (*_PLACE, *_OF_THE_ACT) if describes else _PLACE:
        stated, known = said.get(name), getattr(case, name)
        if stated is not None and known is None:
            changes[name] = stated
        elif stated not in (None, known):
            case = _list(case, "stated_differently", fact, name)
    for name, words in _JUDGEMENTS.items() if describes else ():
        if said.get(name) in list(words):
            changes[name] = words(said[name])
        elif said.get(name) is not None:
            case = _list(case, "unreadable_fact", fact, name)
    if said.get("due_at") is not None and moment_of(said["due_at"]) is None:
        case = _list(case, "unreadable_fact", fact, "due_at")
    changes |= {name: said[name] for name in ("cause", "assignee", "outcome") if said.get(name)}
    if said.get("attributes"):
        changes["attributes"] = {**case.attributes, **said["attributes"]}
    if fact.type is EventType.CASE_LINKED and said.get("ref"):
        changes["linked"] = tuple(sorted({*case.linked, said["ref"]}))
    return replace(case, **changes) if changes else case


COMMANDS: Final[Mapping[str, EventType]] = {
    "acknowledge": EventType.CASE_ACKNOWLEDGED,
    "assess": EventType.CASE_ASSESSED,
    "assign": EventType.CASE_ASSIGNED,
    "reply": EventType.CASE_REPLIED,
    "apologise": EventType.CASE_APOLOGISED,
    "promise": EventType.CASE_PROMISED,
    "decline": EventType.CASE_DECLINED,
    "remedy": EventType.CASE_REMEDIED,
    "communicate-decision": EventType.CASE_DECISION_COMMUNICATED,
    "resurvey": EventType.CASE_RESURVEYED,
    "close": EventType.CASE_CLOSED,
    "reopen": EventType.CASE_REOPENED,
    "wait-customer": EventType.CASE_WAITING_CUSTOMER,
    "resume": EventType.CASE_RESUMED,
    "escalate": EventType.CASE_ESCALATED,
    "withdraw": EventType.CASE_WITHDRAWN,
    "mark-duplicate": EventType.CASE_MARKED_DUPLICATE,
    "mark-invalid": EventType.CASE_MARKED_INVALID,
    "link": EventType.CASE_LINKED,
    "merge": EventType.CASE_MERGED,
}
_NEEDS: Final = {
    EventType.CASE_ASSIGNED: "assignee",
    EventType.CASE_PROMISED: "due_at",
    EventType.CASE_DECLINED: "reason",
    EventType.CASE_MARKED_DUPLICATE: "of",
    EventType.CASE_MARKED_INVALID: "reason",
    EventType.CASE_LINKED: "ref",
    EventType.CASE_MERGED: "into",
}
# Said once in a cycle: a second time would only blur when it was done.
_ONCE: Final = frozenset({Step.THANKED, Step.DECLINED, Step.REMEDIED, Step.RESURVEYED})


def check(
    case: Case, command: str, data: Mapping[str, Any], now: datetime, playbooks: Playbooks
) -> EventType:
    """The event that a command would append now. `data` are the event's, times as datetime or ISO text.

    Raises `InvalidError`, with a pointer into `data`, for what can never be right (`unknown_command`,
    `missing_<field>`, `unreadable_time`, `due_in_the_past`, `unknown_<field>`, `nothing_assessed`) and
    `ConflictError` for what the case does not allow now, saying what is missing or stands in the way.
    """
    event = COMMANDS.get(command)
    if event is None:
        detail = f"There is no command {command!r}."
        raise InvalidError("unknown_command", detail, cure=nearest(command, COMMANDS))
    _check_data(event, data, now)
    if case.ended_as is not None:
        _check_ended(case, event, case.ended_as)
    elif case.closed_at is not None and event not in _FIT_A_CLOSED - {EventType.CASE_CLOSED}:
        cure = "Reopen it within 14 days of its closing; later, open a new case with `repeat_of`."
        raise ConflictError("case_closed", "The case is closed.", cure=cure)
    _check_steps(case, event, now)
    missing = playbooks.missing_to_close(case) if event is EventType.CASE_CLOSED else ()
    if missing:
        detail = f"Before it closes, the case must still be: {'; '.join(missing)}."
        raise ConflictError("close_incomplete", detail, cure="Do what is missing, each by its own command.")
    return event


def _check_data(event: EventType, data: Mapping[str, Any], now: datetime) -> None:
    needed = _NEEDS.get(event)
    if needed is not None and not str(data.get(needed) or "").strip():
        raise InvalidError(f"missing_{needed}", f"{event} needs `{needed}`.", pointer=f"/{needed}")
    for name, words in _JUDGEMENTS.items():
        if data.get(name) is not None and data[name] not in list(words):
            detail = f"There is no {name} {data[name]!r}."
            raise InvalidError(
                f"unknown_{name}", detail, pointer=f"/{name}", cure=nearest(data[name], list(words))
            )
    if event is EventType.CASE_ASSESSED and not any(data.get(name) for name in ("cause", *_JUDGEMENTS)):
        detail = "An assessment says at least one of severity, kind and cause."
        raise InvalidError("nothing_assessed", detail)
    if data.get("due_at") is not None:
        due_at = moment_of(data["due_at"])
        if due_at is None:
            cure = 'Write it with its zone, as in "2026-11-22T10:00:00Z".'
            raise InvalidError("unreadable_time", "This is not a time.", pointer="/due_at", cure=cure)
        if due_at <= now:
            detail = "What is promised must still lie ahead."
            raise InvalidError("due_in_the_past", detail, pointer="/due_at")


def _check_ended(case: Case, event: EventType, ended_as: CaseState) -> None:
    """A withdrawn case may be reopened, one that is no case of its own still linked or merged."""
    allowed = {EventType.CASE_LINKED}
    if ended_as is CaseState.WITHDRAWN:
        allowed |= {EventType.CASE_REOPENED, *_MARKS}
    elif ended_as is not CaseState.MERGED:
        allowed.add(EventType.CASE_MERGED)
    if event not in allowed:
        words = {CaseState.DUPLICATE: "marked as a duplicate", CaseState.INVALID: "marked as invalid"}
        detail = f"The case is {words.get(ended_as, ended_as.value)}."
        survivor = case.merged_into or case.duplicate_of
        cure = f"Send it to {survivor}." if survivor else "Retract the event that ended it, if it was wrong."
        raise ConflictError(f"case_{ended_as}", detail, cure=cure)


def _check_steps(case: Case, event: EventType, now: datetime) -> None:
    step, waiting = _STEPS.get(event), case.current.waiting_since is not None
    if step in _ONCE and step in case.steps:
        raise ConflictError(
            f"already_{step}", f"The case is {step} already.", cure="Reply instead, or close."
        )
    match event:
        case EventType.CASE_PROMISED | EventType.CASE_DECLINED if Step.REMEDIED in case.steps:
            raise ConflictError("already_remedied", "There is nothing left to promise or to refuse.")
        case EventType.CASE_RESURVEYED if case.settled_at is None and Step.REPLIED not in case.steps:
            raise ConflictError("not_answered", "Ask again after a remedy, a refusal or an answer.")
        case EventType.CASE_WAITING_CUSTOMER if waiting:
            raise ConflictError("already_waiting", "The case waits for the customer already.")
        case EventType.CASE_WAITING_CUSTOMER if not case.customer_facing:
            raise ConflictError("no_customer", "Nobody can be waited for: the author is not known.")
        case EventType.CASE_RESUMED if not waiting:
            raise ConflictError("not_waiting", "The case does not wait for the customer.")
        case EventType.CASE_REOPENED:
            _check_reopening(case, now)
        case _:
            pass


def _check_reopening(case: Case, now: datetime) -> None:
    misfit = _reopening_misfit(case, now)
    if misfit == "reopened_while_open":
        raise ConflictError(misfit, "The case is open: nothing was remedied, refused or closed yet.")
    if misfit == "reopened_too_late":
        cure = "Open a new case with `repeat_of`."
        raise ConflictError(misfit, "More than 14 days have passed since it was settled.", cure=cure)
