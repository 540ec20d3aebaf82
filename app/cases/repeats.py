"""Decides which complaints repeat an earlier one of their customer, whichever of them became known first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.cases.derived import retraction
from app.db.engine import Tx
from app.domain.case import OpenedCase, fold, repetitions
from app.domain.causes import COMPLAINT_MECHANISM
from app.domain.complaint import CaseKind, severity_of_signs, severity_reason, severity_signs
from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.journal.drafts import draft
from app.journal.histories import find_histories_so_far
from app.journal.merges import tied_by
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.rows import select_events
from app.kit.ids import public_id

_OPENINGS: Final = """e.type = 'case.opened' AND e.event_id = any(ARRAY(
    SELECT event_id FROM event_personal WHERE tenant_id = $1 AND customer_ref = any($2)))"""
_CUSTOMERS: Final = """
SELECT DISTINCT p.customer_ref FROM events e
  JOIN event_personal p ON p.tenant_id = e.tenant_id AND p.event_id = e.event_id
 WHERE e.tenant_id = $1 AND e.subject_id = any($2) AND e.type = 'case.opened' AND p.customer_ref IS NOT NULL
"""
_MOVING: Final = frozenset(
    {EventType.EVENT_RETRACTED, EventType.CASE_OPENED, EventType.CASE_MARKED_INVALID,
     EventType.CASE_MERGED, EventType.CASE_LINKED}
)  # fmt: skip
_SIGNS: Final = ("safety", "legal", "rudeness", "loss", "repeat")
_REPEATED_BY: Final = "repeated_by"
_REASON: Final = "by what is known now the complaint does not repeat that one"


class Repeats:
    """The decider of repetitions: what the later case learns of the earlier one, and a word on that one.

    Which they are follows from the openings of a customer alone, so it is asked again whenever one of them
    comes or goes, and what was stated on less knowledge is taken back.
    """

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.assessed` and a `case.repeated` for each repetition; retractions of those that are none."""
        customers = await _customers(tx, commit)
        if not customers:
            return ()
        told = await select_events(tx, commit.tenant_id, _OPENINGS, sorted(customers))
        told += [event for event in commit.events if event.type is EventType.CASE_OPENED]
        theirs = {event.event_id: event for event in told if event.customer_ref in customers}
        ids = {event.subject_id for event in theirs.values()}
        if len(ids) < 2:
            return ()
        histories = await find_histories_so_far(tx, commit, {item for item in ids if item is not None})
        opened = (_opened(case_id, history) for case_id, history in histories.items())
        cases = [item for item in opened if item is not None and item.opening.event_id in theirs]
        wanted = repetitions(cases, lambda item: _window(commit, item))
        stated = [item for item in _stated(histories) if item[1].caused_by in theirs]
        return _difference(commit, cases, stated, wanted)


async def _customers(tx: Tx, commit: Commit) -> set[bytes]:
    """Whose complaints come, go or change in this commit."""
    openings = [event for event in commit.events if event.type is EventType.CASE_OPENED]
    known = {event.customer_ref for event in openings if event.customer_ref is not None}
    touched = {event.subject_id for event in commit.events if _may_change(event)} | tied_by(commit.events)
    named = [case_id for case_id in touched if case_id is not None]
    if not named:
        return known
    rows = await tx.fetch(_CUSTOMERS, commit.tenant_id, named)
    return known | {row["customer_ref"] for row in rows}


def _may_change(event: StoredEvent) -> bool:
    if event.subject_kind is not SubjectKind.CASE:
        return False
    if event.type is EventType.CASE_ASSESSED:
        return event.caused_by is None and bool({"kind", "cause"} & event.fact.keys())
    is_new = event.type is EventType.CASE_OPENED and event.customer_ref is not None
    return event.type in _MOVING and not is_new


def _opened(case_id: UUID, history: Sequence[StoredEvent]) -> OpenedCase | None:
    """The case with its first opening that stands; None for one that nothing opens."""
    openings = [event for event in _standing(history) if event.type is EventType.CASE_OPENED]
    if not openings:
        return None
    case = fold(history)
    first = [event for event in openings if event.occurred_at == case.opened_at]
    return OpenedCase(case_id, (first or openings)[0], case)


def _window(commit: Commit, later: OpenedCase) -> timedelta:
    rules = commit.config.care.complaint_rules_at(later.opening.recorded_at).value
    return timedelta(days=rules.repeat_days)


def _difference(
    commit: Commit,
    cases: Sequence[OpenedCase],
    stated: Sequence[tuple[UUID, StoredEvent]],
    wanted: Mapping[UUID, OpenedCase],
) -> list[Draft]:
    """What brings what stands to what should."""
    later = {item.case_id: item for item in cases}
    learned = [item for item in stated if item[1].type is EventType.CASE_ASSESSED]
    words = [item for item in stated if item[1].type is EventType.CASE_REPEATED]
    known, heard = set[UUID](), set[UUID]()
    drafts: list[Draft] = []
    for case_id, event in learned:
        earlier = wanted.get(case_id)
        if earlier and event.fact["repeat_of"] == public_id("case", earlier.case_id) and case_id not in known:
            known.add(case_id)
        elif not (case_id in later and later[case_id].repeats_as_stated):
            drafts.append(_taken_back(commit, event))
    for on_id, event in words:
        by = next((i for i in wanted if public_id("case", i) == event.fact.get(_REPEATED_BY)), None)
        said = {} if by is None else _said(later[by], wanted[by])
        if by and wanted[by].case_id == on_id and said.items() <= event.fact.items():
            heard.add(by)
        else:
            drafts.append(_taken_back(commit, event))
    for case_id, earlier in wanted.items():
        item = later[case_id]
        drafts += [] if case_id in known else [_learned(commit, item, earlier)]
        drafts += [] if case_id in heard else [_word(commit, item, earlier)]
    return drafts


def _stated(histories: Mapping[UUID, Sequence[StoredEvent]]) -> list[tuple[UUID, StoredEvent]]:
    """Our words on repetitions, as far as they stand, each with its case."""
    fields = {EventType.CASE_ASSESSED: "repeat_of", EventType.CASE_REPEATED: _REPEATED_BY}
    found: list[tuple[UUID, StoredEvent]] = []
    for case_id, history in histories.items():
        found += [
            (case_id, event)
            for event in _standing(history)
            if event.source == OWN_SOURCE
            and event.caused_by is not None
            and fields.get(event.type) in event.fact
        ]
    return found


def _standing(history: Sequence[StoredEvent]) -> list[StoredEvent]:
    """What of a history nothing took back."""
    gone = {event.fact.get("event_id") for event in history if event.type is EventType.EVENT_RETRACTED}
    return [event for event in history if str(event.event_id) not in gone]


def _taken_back(commit: Commit, event: StoredEvent) -> Draft:
    about = (item for item in commit.events if item.subject_id == event.subject_id)
    return retraction(commit, event, next(about, commit.events[0]), _REASON)


def _learned(commit: Commit, later: OpenedCase, earlier: OpenedCase) -> Draft:
    """A repetition raises the severity that nobody stated (domain.md 6.2)."""
    event = later.opening
    data: dict[str, Any] = {"repeat_of": public_id("case", earlier.case_id), "human": False}
    found = str((event.fact.get("detection") or {}).get("severity_by", ""))
    if event.fact.get("severity") is None or found not in ("", "stated"):
        bound = commit.config.care.complaint_rules_at(event.recorded_at)
        read = severity_signs({**event.personal, **event.fact}, repeat=True, rules=bound.value)
        signs = [sign for sign in _SIGNS if sign in {*read, *found.split("+")}]
        data |= {
            "severity": severity_of_signs(CaseKind.COMPLAINT, signs).value,
            "severity_by": "+".join(signs),
            "severity_reason": severity_reason(CaseKind.COMPLAINT, signs),
            "rules_version": bound.version,
        }
    return _drafted(commit, EventType.CASE_ASSESSED, data, later, earlier, later)


def _word(commit: Commit, later: OpenedCase, earlier: OpenedCase) -> Draft:
    return _drafted(commit, EventType.CASE_REPEATED, _said(later, earlier), later, earlier, earlier)


def _said(later: OpenedCase, earlier: OpenedCase) -> dict[str, Any]:
    cause = later.case.cause
    return {
        "about_handling": cause == COMPLAINT_MECHANISM,
        "same_cause": cause is not None and cause == earlier.case.cause,
        "later_cause": cause,
        _REPEATED_BY: public_id("case", later.case_id),
        "human": False,
    }


def _drafted(
    commit: Commit,
    kind: EventType,
    data: Mapping[str, Any],
    later: OpenedCase,
    earlier: OpenedCase,
    about: OpenedCase,
) -> Draft:
    cause = later.opening
    stated = Event(
        type=kind,
        id=f"{kind.value}:{cause.event_id}:{earlier.opening.event_id}:{commit.seq}",
        source=OWN_SOURCE,
        occurred_at=cause.occurred_at,
        data=data,
        subject=Subject(SubjectKind.CASE, about.opening.personal.get("subject_ref") or f"{about.case_id}"),
        day_precision=cause.day_precision,
    )
    return draft(
        stated, commit.config, received_at=commit.recorded_at, origin=cause.origin, caused_by=cause.event_id
    )
