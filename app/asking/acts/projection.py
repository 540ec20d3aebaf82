"""Survey acts: what counts as silence after every commit, one row an act, and when its time ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.asking.acts.silence import silence_data
from app.asking.policies import AskingPolicies, PolicyVersions
from app.db.bulk import insert_rows, upsert_suffix
from app.db.engine import Tx
from app.db.tables.asking import asking_due, survey_acts
from app.domain.asking.act import ACT_TYPES, Act, Timeout, read_act, silences, silent_events
from app.domain.events import EventType, Origin, StoredEvent, SubjectKind
from app.domain.scales import QuestionMeasure
from app.journal.histories import load_histories
from app.journal.ports import POSITION_BITS, Announcement, Commit, Place

_COLUMNS = tuple(column.name for column in survey_acts.columns)
_DUE_COLUMNS = tuple(column.name for column in asking_due.columns)
_MAY_BE_ACTS = (SubjectKind.SURVEY, SubjectKind.INTERACTION, SubjectKind.TRANSACTION)


class SurveyActs:
    """Tells the feedback store, which comes after it, which refusals and time-outs count.

    As a projection it keeps the acts; as an announcer it tells who stayed silent, and moves the index of
    what runs out of time.
    """

    name = "survey_acts"
    tables = (survey_acts,)

    def __init__(self, policies: AskingPolicies) -> None:
        self._policies = policies

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Judge the silence of every act that this commit touches, and write the acts."""
        touched = _touched(commit)
        if not touched:
            return
        await load_histories(tx, commit, touched)
        policies = await self._policies.load(tx, commit.config)
        rows: list[tuple[Any, ...]] = []
        gone: list[UUID] = []
        for subject_id in touched:
            history = commit.histories[subject_id]
            _judge(commit, history)
            row = _row(commit, subject_id, history, policies)
            if row is None:
                gone.append(subject_id)
            else:
                rows.append(row)
        if gone:
            await tx.execute(
                "DELETE FROM survey_acts WHERE tenant_id = $1 AND subject_id = any($2)",
                commit.tenant_id,
                gone,
            )
        await insert_rows(tx, survey_acts, _COLUMNS, rows, suffix=upsert_suffix(survey_acts, _COLUMNS))

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """Move the due index of the acts that this commit touches, and tell of live silences."""
        touched = _touched(commit)
        if touched:
            await load_histories(tx, commit, touched)
            await move_due(tx, commit, touched, await self._policies.load(tx, commit.config))
        return [
            Announcement(event, silence_data(event, commit.histories[event.subject_id]))
            for event in commit.events
            if event.type is EventType.SURVEY_TIMED_OUT
            and event.subject_id is not None
            and event.origin is Origin.LIVE
        ]


async def move_due(
    tx: Tx, commit: Commit, subject_ids: Sequence[UUID], policies: PolicyVersions
) -> dict[UUID, datetime]:
    """Note when each of these acts must be looked at again (or never); histories are loaded."""
    ends: dict[UUID, datetime] = {}
    for subject_id in subject_ids:
        waiting = silences(read_act(commit.histories[subject_id]), timeout_by(policies))
        if waiting:
            ends[subject_id] = min(silence.at for silence in waiting)
    idle = [subject_id for subject_id in subject_ids if subject_id not in ends]
    if idle:
        await tx.execute(
            "DELETE FROM asking_due WHERE tenant_id = $1 AND subject_id = any($2)", commit.tenant_id, idle
        )
    rows = [(commit.tenant_id, subject_id, at) for subject_id, at in sorted(ends.items())]
    await insert_rows(tx, asking_due, _DUE_COLUMNS, rows, suffix=upsert_suffix(asking_due, _DUE_COLUMNS))
    return ends


def timeout_by(policies: PolicyVersions) -> Timeout:
    """The time to answer an invitation, by the policy under which it was recorded."""

    def seconds(started: StoredEvent) -> float:
        policy = policies.at(started.recorded_at)
        return policy.timeout_seconds(started.fact.get("channel"), started.fact.get("timeout_seconds"))

    return seconds


def _touched(commit: Commit) -> list[UUID]:
    """Subjects of which something was asked or answered here, or taken back."""
    return sorted({event.subject_id for event in commit.events if event.subject_id and _is_of_act(event)})


def _is_of_act(event: StoredEvent) -> bool:
    if event.type in ACT_TYPES:
        return True
    if event.type is EventType.FEEDBACK_RECEIVED:
        return event.subject_kind is SubjectKind.SURVEY
    return event.type is EventType.EVENT_RETRACTED and event.subject_kind in _MAY_BE_ACTS


def _judge(commit: Commit, history: Sequence[StoredEvent]) -> None:
    """Leave in the commit which silences begin to count, which do no more, and which never did."""
    first = commit.seq << POSITION_BITS
    past = [event for event in history if event.position < first]
    before, after = silent_events(past), silent_events(history)
    commit.withdrawn |= before - after
    restored = {event.event_id for event in commit.restored}
    for event in history:
        if event.type not in (EventType.SURVEY_REFUSED, EventType.SURVEY_TIMED_OUT):
            continue
        if event.event_id not in after:
            commit.overtaken.add(event.event_id)
        elif event.position < first and event.event_id not in before | restored:
            commit.restored.append(event)


def _row(
    commit: Commit, subject_id: UUID, history: Sequence[StoredEvent], policies: PolicyVersions
) -> tuple[Any, ...] | None:
    act = read_act(history)
    started = act.first_started
    if started is None:
        return None
    latest = max(event.occurred_at for event in act.asked.values())
    waiting = silences(act, timeout_by(policies))
    fact = started.fact
    return (
        commit.tenant_id,
        subject_id,
        commit.seq,
        None if started.subject_kind is None else started.subject_kind.value,
        latest,
        min((silence.at for silence in waiting), default=None),
        act.outcome,
        started.source,
        *(fact.get(name) for name in ("channel", "touchpoint", "location", "employee")),
        _customer(act.asked.values()),
        *(fact.get(name) for name in ("survey", "moment")),
        _is_relational(act),
        sorted(act.asked),
    )


def _customer(invitations: Iterable[StoredEvent]) -> bytes | None:
    return next((event.customer_ref for event in invitations if event.customer_ref is not None), None)


def _is_relational(act: Act) -> bool:
    stated = [event.fact.get("relational") for event in act.asked.values()]
    if any(flag is not None for flag in stated):
        return any(stated)
    return any(
        asked["measure"] == QuestionMeasure.NPS
        for event in act.asked.values()
        for asked in event.fact.get("asked", ())
    )
