"""Timers: projected after every commit, announced once, and put into the due index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.db.bulk import insert_rows, upsert_suffix
from app.db.engine import Tx
from app.db.tables.sla import sla_due, sla_timers
from app.domain.case import fold
from app.domain.events import SubjectKind
from app.journal.histories import load_histories
from app.journal.merges import with_families
from app.journal.ports import Announcement, Commit, Place
from app.journal.renames import load_renames, rename_rows
from app.sla.judging import Judge, vanished
from app.sla.ledger import append_announced, list_announced
from app.sla.readings import Circumstances, SubjectClock, read_subject
from app.sla.receipts import find_receipts
from app.sla.rows import timer_values
from app.sla.silence import find_silent
from app.sla.statements import Worded, state, word, word_vanished

TIMER_COLUMNS = tuple(column.name for column in sla_timers.columns)
_DUE_COLUMNS = tuple(column.name for column in sla_due.columns)


class Look(NamedTuple):
    """What one look at some subjects found."""

    worded: list[Worded]
    wakeups: dict[UUID, datetime]
    clocks: Sequence[SubjectClock]


class SlaTimers:
    """Reads the clock of every subject that a commit touches.

    As a projection it keeps what follows from events alone (a running timer past its due time
    is not yet `breached` in the table: due_at and the asker's instant decide). As an announcer it
    states what has become true by now, and when to look again.
    """

    name = "sla_timers"
    tables = (sla_timers,)

    def __init__(self, *, settle_seconds: float) -> None:
        self.settle_seconds = settle_seconds

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Write the timers of the touched subjects."""
        await rename_rows(tx, commit, sla_timers)
        named = await named_subjects(tx, commit)
        if not named:
            return
        await write_timers(tx, commit, named, await read_clocks(tx, commit, named, ahead=True))

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """Say what is newly true of the touched subjects, note it in the ledger, move the due index."""
        named = await named_subjects(tx, commit)
        if not named and not commit.touched:
            return ()
        asked = sorted({*named, *commit.touched})
        look = await self.look(tx, commit, asked, await find_silent(tx, commit))
        stated, rows = state(commit, look.worded, place)
        await move_due(tx, commit, asked, look.wakeups)
        # last, so that it travels with the events and the outbox in one statement
        await append_announced(tx, rows)
        return stated

    async def look(self, tx: Tx, commit: Commit, asked: Sequence[UUID], silent: frozenset[str]) -> Look:
        """Read the clocks of these subjects: what is to be said now, and when to look again."""
        if not asked:
            return Look([], {}, [])
        clocks = await read_clocks(tx, commit, asked)
        told = await list_announced(tx, commit.tenant_id, asked)
        judge = Judge(commit, told, self.settle_seconds, silent)
        found = [item for clock in clocks for item in judge.findings(clock)]
        worded = [*word_vanished(commit, vanished(told, clocks)), *word(commit, found)]
        return Look(worded, judge.wakeups(clocks), clocks)


async def named_subjects(tx: Tx, commit: Commit) -> list[UUID]:
    """Subjects of business facts; what is announced changes no reading, and a rebuild must find the same.

    With them the cases that merges tie to one of them: a fact may become the other's, and the statutory
    clock of a survivor counts from the earliest receipt.
    """
    timed = commit.config.timed_subjects
    named = {
        event.subject_id
        for event in commit.events
        if event.subject_id is not None and event.subject_kind in timed and not event.type.is_derived
    }
    return sorted(await with_families(tx, commit, named))


async def write_timers(
    tx: Tx, commit: Commit, subject_ids: Sequence[UUID], clocks: Sequence[SubjectClock]
) -> None:
    """Replace the rows of these subjects by what their clocks say."""
    await tx.execute(
        "DELETE FROM sla_timers WHERE tenant_id = $1 AND subject_id = any($2)",
        commit.tenant_id,
        list(subject_ids),
    )
    renames = await load_renames(tx, commit.config, commit.end_position)
    found = [
        timer_values(commit.tenant_id, clock, commit.histories[clock.subject_id], reading)
        | {"touchpoint": renames.name_of(clock.facts.get("touchpoint"))}
        for clock in clocks
        for reading in clock.readings
    ]
    rows = [[values[name] for name in TIMER_COLUMNS] for values in found]
    await insert_rows(tx, sla_timers, TIMER_COLUMNS, rows)


async def read_clocks(
    tx: Tx, commit: Commit, subject_ids: Sequence[UUID], *, ahead: bool = False
) -> list[SubjectClock]:
    """The clocks at this commit; `ahead` counts facts of fast clocks too, whose time is yet to come."""
    await load_histories(tx, commit, subject_ids)
    receipts = await find_receipts(tx, commit.tenant_id, commit.config, subject_ids)
    clocks: list[SubjectClock] = []
    for subject_id in subject_ids:
        history = commit.histories[subject_id]
        case = commit.folded.get(subject_id)
        if case is None and any(event.type.value.startswith("case.") for event in history):
            case = fold(history)
        elif case is None and history and history[0].subject_kind is SubjectKind.CASE:
            continue
        as_of = _as_of(commit, subject_id, ahead)
        known = commit.clocks.get(subject_id)
        if known is None or known[0] != as_of:
            terms = Circumstances(as_of, receipts.get(subject_id))
            known = (as_of, read_subject(subject_id, history, case, commit.config, terms))
            commit.clocks[subject_id] = known
        if known[1] is not None:
            clocks.append(known[1])
    return clocks


def _as_of(commit: Commit, subject_id: UUID, ahead: bool) -> datetime:
    history = commit.histories[subject_id] if ahead else ()
    told = (event.occurred_at for event in history if not event.type.is_derived)
    return max(max(told, default=commit.recorded_at), commit.recorded_at)


async def move_due(tx: Tx, commit: Commit, asked: Sequence[UUID], wakeups: dict[UUID, datetime]) -> None:
    """Say when each of these subjects must be looked at again."""
    idle = [subject_id for subject_id in asked if subject_id not in wakeups]
    if idle:
        await tx.execute(
            "DELETE FROM sla_due WHERE tenant_id = $1 AND subject_id = any($2)", commit.tenant_id, idle
        )
    rows = [(commit.tenant_id, subject_id, at) for subject_id, at in sorted(wakeups.items())]
    await insert_rows(tx, sla_due, _DUE_COLUMNS, rows, suffix=upsert_suffix(sla_due, _DUE_COLUMNS))
