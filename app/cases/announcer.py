"""What subscribers are told of cases themselves: opened, replied, compensated, failed again, recovered ..."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.cases.presentation import public_fact
from app.cases.stating import is_told_already
from app.db.engine import Tx
from app.domain.case import Case, refs_of
from app.domain.case.compensations import Compensation
from app.domain.events import Event, EventType, Origin, StoredEvent, Subject, SubjectKind
from app.journal.drafts import draft
from app.journal.merges import may_move, with_families
from app.journal.ports import OWN_SOURCE, Announcement, Commit, Draft, Place
from app.journal.renames import Renames, load_renames
from app.kit.ids import public_id

_FAMILIES: Final = ("case.", "compensation.", "platform_moderation.")


class CaseAnnouncer:
    """Announces each live event about a case once, with the case as it stands after it."""

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """One announcement per live event of this commit, and of what has come of the handling."""
        told = [event for event in commit.events if _is_told(event, commit)]
        spoken = [event for event in commit.events if event.origin is Origin.LIVE]
        subjects = {commit.about(event) for event in spoken}
        moved = {event.subject_id for event in spoken if may_move(event) and event.subject_id}
        subjects |= await with_families(tx, commit, moved)
        for folded_id, case in commit.folded.items():
            if folded_id in subjects:
                known = {event.external_id for event in commit.histories.get(folded_id, ())}
                told += [
                    place(item, folded_id)
                    for item in _findings(commit, folded_id, case)
                    if item.event.id not in known
                ]
        told += [
            place(_unopened(commit, case_id, event), case_id)
            for event in spoken
            if (case_id := _loses_its_opening(commit, event)) is not None
        ]
        if not told:
            return ()
        renames = await load_renames(tx, commit.config, commit.end_position)
        return [
            Announcement(event, _data(commit, renames, case_id, event))
            for event in told
            if (case_id := commit.about(event)) is not None
        ]


def _is_told(event: StoredEvent, commit: Commit) -> bool:
    case_id = commit.about(event)
    return (
        event.subject_kind is SubjectKind.CASE
        and case_id in commit.folded
        and event.origin is Origin.LIVE
        and event.type.startswith(_FAMILIES)
        and not is_told_already(event, commit, commit.histories[case_id])
    )


def _findings(commit: Commit, case_id: UUID, case: Case) -> Iterator[Draft]:
    """Once for each cycle: that the handling failed the customer again, or won him back."""
    cycles: dict[UUID, list[str]] = {}
    for item in case.aftermath.deviations:
        cycles.setdefault(item.cycle, []).append(item.trigger.value)
    for cycle, triggers in cycles.items():
        first = next(item for item in case.aftermath.deviations if item.cycle == cycle)
        data: dict[str, Any] = {"cycle": str(cycle), "triggers": sorted(set(triggers))}
        yield _draft(commit, case_id, EventType.CASE_DOUBLE_DEVIATION, cycle, first.at, data)
    recovered_at = case.aftermath.recovered_at
    if recovered_at is not None:
        cycle = case.current.started_by
        data = {"cycle": str(cycle), "ambassador": case.aftermath.is_ambassador}
        yield _draft(commit, case_id, EventType.CASE_RECOVERED, cycle, recovered_at, data)


def _loses_its_opening(commit: Commit, event: StoredEvent) -> UUID | None:
    """The case whose opening a source takes back by this event, unless something else opens it.

    Of an opening of our own that falls subscribers hear by `case.marked_invalid`.
    """
    case_id = commit.about(event) if event.type is EventType.EVENT_RETRACTED else None
    case: Case | None = None if case_id is None else commit.folded.get(case_id)
    if case_id is None or case is None or case.is_opened:
        return None
    lost = (item for item in commit.histories[case_id] if str(item.event_id) == event.fact.get("event_id"))
    opening = next(lost, None)
    stated = opening is not None and opening.type is EventType.CASE_OPENED and opening.caused_by is None
    return case_id if stated and opening and opening.origin is Origin.LIVE else None


def _unopened(commit: Commit, case_id: UUID, retraction: StoredEvent) -> Draft:
    kind, data = EventType.CASE_OPENING_RETRACTED, {"opening": retraction.fact["event_id"]}
    return _draft(commit, case_id, kind, retraction.event_id, retraction.occurred_at, data)


def _draft(
    commit: Commit, case_id: UUID, kind: EventType, cycle: UUID, at: Any, data: Mapping[str, Any]
) -> Draft:
    stated = Event(
        type=kind,
        id=f"{kind.value}:{case_id}:{cycle}",
        source=OWN_SOURCE,
        occurred_at=at,
        data=data,
        subject=Subject(SubjectKind.CASE, str(case_id)),
    )
    made = draft(stated, commit.config, received_at=max(commit.recorded_at, at), caused_by=cycle)
    return Draft(
        event=made.event,
        fact=made.fact,
        personal={},
        fingerprint=made.fingerprint,
        received_at=commit.recorded_at,
        caused_by=cycle,
    )


def _data(commit: Commit, renames: Renames, case_id: UUID, event: StoredEvent) -> dict[str, Any]:
    case, history = commit.folded[case_id], commit.histories[case_id]
    shown = {**case_data(case_id, case), "touchpoint": renames.name_of(case.touchpoint)}
    return {
        "case": {**shown, "refs": refs_of(history, case_id)},
        "event_id": public_id("evt", event.event_id),
        "ref": event.personal.get("subject_ref"),
        "occurred_at": event.occurred_at,
        "source": event.source,
        "sequence": event.position,
        "details": public_fact(event.fact),
        "anomalies": sorted({odd.reason for odd in case.anomalies if odd.event_id == event.event_id}),
    }


def case_data(case_id: UUID, case: Case) -> dict[str, Any]:
    """A case as subscribers get it: no text, no customer."""
    cost = case.cost
    same = (
        "opened_at", "channel", "reply_channel", "location", "employee", "product", "segment", "cause",
        "assignee", "initiative", "due_given_at", "promised_due_at", "customer_facing", "reopened_count",
        "outcome", "repeat_of",
    )  # fmt: skip
    return {
        "id": public_id("case", case_id),
        "kind": case.kind.value,
        "severity": case.severity.value,
        "state": case.state.value,
        **{name: getattr(case, name) for name in same},
        "steps": {step.value: at for step, at in case.steps.items()},
        "verification": None if case.dialogue is None else case.dialogue.state.value,
        "compensation": {
            "currency": cost.currency,
            "net": cost.net,
            "items": [_gift_data(item) for item in case.compensations],
        },
        "improvements_owed": [link.action for link in case.links if link.is_owed],
    }


def _gift_data(item: Compensation) -> dict[str, Any]:
    """What was offered, by whom, and how far it is: who approves or hands it over need not ask back."""
    return {
        "compensation": item.key,
        "type": item.kind,
        "amount": None if item.amount is None else str(item.amount),
        "currency": item.currency,
        "state": item.state.value,
        "employee": item.employee,
        "approver": item.approver,
        "due_at": item.due_at,
    }
