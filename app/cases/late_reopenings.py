"""Decides that a case which its source reopens too late goes on as a new one, that repeats it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from app.cases.derived import derived, retraction
from app.cases.redating import in_place_of
from app.cases.unfounded import invalid
from app.db.engine import Tx
from app.domain.case import (
    CONTINUES,
    LOST_OPENING,
    REDATES,
    LateReopening,
    find_late_reopening,
    opening_after,
    refs_of,
)
from app.domain.case_opening import reopened_case_ref
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.journal.histories import find_told_so_far
from app.journal.merges import with_families
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.subjects import find_homes
from app.kit.ids import new_id, public_id

_REASON: Final = "the reopening is known to continue another case, or to be none that came too late"
_REOPENED: Final = """
SELECT DISTINCT subject_id FROM events
 WHERE tenant_id = $1 AND subject_id = any($2) AND type = 'case.reopened'
"""


@dataclass(slots=True)
class _Family:
    """What was told of cases tied to each other; of the openings that continue one, those that stand."""

    told: list[StoredEvent]
    openings: list[StoredEvent]
    gone: set[Any]
    dealt_with: set[UUID] = field(default_factory=set)
    drafts: list[Draft] = field(default_factory=list)


class LateReopenings:
    """The decider of reopenings for which a case is settled too long: the rest is of a new one.

    The openings that should stand follow from the facts alone, so it is asked again whenever one of them
    comes, and what was opened on less knowledge is taken back.
    """

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.opened` for each late reopening; a retraction of each such opening that has no ground."""
        facts = [event for event in commit.events if _tells(event)]
        named = {event.subject_id for event in facts if event.subject_id is not None}
        if not named:
            return ()
        named = await with_families(tx, commit, named)
        rows = await tx.fetch(_REOPENED, commit.tenant_id, sorted(named))
        reopened = {event.subject_id for event in facts if event.type is EventType.CASE_REOPENED}
        reopened |= {row["subject_id"] for row in rows}
        if not reopened:
            return ()
        _, told = await find_told_so_far(tx, commit, {item for item in reopened if item is not None})
        family = _family(told)
        while (late := find_late_reopening(family.told, family.dealt_with)) is not None:
            family.dealt_with.add(late.event.event_id)
            if _may_open(late.event, commit, told):
                await _continue(tx, commit, family, late)
        for opening in family.openings:
            kin = commit.families.get(opening.subject_id, ()) if opening.subject_id else ()
            cause = next((event for event in facts if event.subject_id in kin), facts[0])
            family.drafts += [retraction(commit, opening, cause, _REASON), invalid(commit, opening, cause)]
        return family.drafts


def _tells(event: StoredEvent) -> bool:
    return event.subject_kind is SubjectKind.CASE and not event.type.is_derived


def _family(told: Sequence[StoredEvent]) -> _Family:
    gone = {event.fact.get("event_id") for event in told if event.type is EventType.EVENT_RETRACTED}
    rest = [event for event in told if not _continues(event)]
    openings = [
        event
        for event in told
        if _continues(event) and str(event.event_id) not in gone and str(event.caused_by) not in gone
    ]
    return _Family(rest, openings, gone)


def _continues(event: StoredEvent) -> bool:
    return event.type is EventType.CASE_OPENED and event.caused_by is not None and CONTINUES in event.fact


def _may_open(event: StoredEvent, commit: Commit, told: Sequence[StoredEvent]) -> bool:
    """History opens no cases, unless who imports it asks for them."""
    if event.origin is not Origin.BACKFILL:
        return True
    draft = commit.drafts.get(event.event_id)
    before = any(_continues(item) and item.caused_by == event.event_id for item in told)
    return before if draft is None else draft.open_cases


async def _continue(tx: Tx, commit: Commit, family: _Family, late: LateReopening) -> None:
    """Let the opening stand that says this already, else state it in the place of what said otherwise."""
    ours = [event for event in family.openings if event.caused_by == late.event.event_id]
    family.openings = [event for event in family.openings if event not in ours]
    made = await _opening(tx, commit, late)
    stated = next((event for event in ours if _said(event) == _said(made)), None)
    if stated is None:
        stated = _placed(made, late)
        family.drafts += [in_place_of(made, ours), _word(commit, stated, late)]
        back = [event for event in family.told if _marks(event, stated, family.gone)]
        family.drafts += [retraction(commit, event, late.event, _REASON) for event in back]
        family.told = [event for event in family.told if event not in back]
    family.drafts += [retraction(commit, event, late.event, _REASON) for event in ours if event is not stated]
    family.told.append(stated)


async def _opening(tx: Tx, commit: Commit, late: LateReopening) -> Draft:
    event = late.event
    subject = Subject(SubjectKind.CASE, reopened_case_ref(event.source, event.external_id))
    known = await find_homes(tx, commit.tenant_id, [subject])
    data = opening_after(late, public_id("case", late.case_id))
    # what the same reopening opened before may have been taken back
    again = "" if event.event_id in commit.drafts else f":{commit.seq}"
    made = derived(commit, event, EventType.CASE_OPENED, data, subject=subject, name=again)
    made = made.with_fact({**made.fact, CONTINUES: str(late.case_id)})
    subject_id = known.get(subject) or new_id()
    return replace(made, subject_id=subject_id, event_id=new_id(), customer_ref=late.customer_ref)


def _placed(made: Draft, late: LateReopening) -> StoredEvent:
    """The opening as it will be stored: what is told later may find the new case settled as well."""
    assert made.event_id is not None
    return replace(
        late.event,
        event_id=made.event_id,
        type=made.event.type,
        source=OWN_SOURCE,
        external_id=made.event.id,
        fact=made.fact,
        personal=made.personal,
        caused_by=late.event.event_id,
        subject_id=made.subject_id,
        object=None,
        version=None,
        customer_ref=made.customer_ref,
        bearing=None,
    )


def _word(commit: Commit, opening: StoredEvent, late: LateReopening) -> Draft:
    """That the old case is complained of again; it falls with the opening."""
    cause = opening.fact.get("cause")
    data = {"about_handling": False, "same_cause": cause is not None, "later_cause": cause, "human": False}
    ref = refs_of(late.history, late.case_id)[0]
    subject = Subject(SubjectKind.CASE, ref)
    made = derived(commit, opening, EventType.CASE_REPEATED, data, subject=subject)
    return replace(made, subject_id=late.case_id)


def _marks(event: StoredEvent, opening: StoredEvent, gone: set[Any]) -> bool:
    """True of the word that the case had no ground, which it has again."""
    ours = event.type is EventType.CASE_MARKED_INVALID and event.source == OWN_SOURCE
    lost = ours and LOST_OPENING in event.fact and event.subject_id == opening.subject_id
    return lost and str(event.event_id) not in gone


def _said(opening: StoredEvent | Draft) -> tuple[Any, ...]:
    fact = {name: value for name, value in opening.fact.items() if name != REDATES}
    return fact, opening.customer_ref
