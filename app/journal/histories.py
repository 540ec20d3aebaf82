"""Histories of subjects: all events of each, where merges have led them to the case they belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from app.db.engine import Tx
from app.domain.case import split
from app.domain.events import Bearing, StoredEvent
from app.journal.merges import find_families, tied_by, with_families
from app.journal.ports import Commit
from app.journal.rows import select_events

_EVENTS = "e.subject_id = any($2)"
_EVENTS_BEFORE = f"{_EVENTS} AND e.position < $3"


async def load_histories(tx: Tx, commit: Commit, subject_ids: Collection[UUID]) -> None:
    """Fill `commit.histories` with all events of these subjects up to and with this commit.

    Of a tenant that merges cases those of their families too, and `commit.moved` with what became another's.
    """
    wanted = await with_families(tx, commit, subject_ids)
    missing = [subject_id for subject_id in wanted if subject_id not in commit.histories]
    if not missing:
        return
    stored = await select_events(tx, commit.tenant_id, _EVENTS_BEFORE, missing, commit.end_position)
    found = _by_subject(missing, stored, merges=commit.config.has_merges)
    commit.histories.update(found)
    if commit.config.has_merges:
        for subject_id, history in found.items():
            for event in history:
                is_moved = event.subject_id != subject_id and event.bearing is not Bearing.INHERITED
                if is_moved and event.seq == commit.seq:
                    commit.moved[event.event_id] = subject_id


async def find_histories(
    tx: Tx, tenant_id: UUID, subject_ids: Collection[UUID], *, before: int | None = None, merges: bool = True
) -> dict[UUID, list[StoredEvent]]:
    """All events of these subjects, in journal order: of each of them and of the families of merged cases.

    `before`: only what stands before this position. `merges`: false where it is known that there are none.
    """
    families = await find_families(tx, tenant_id, subject_ids) if merges else {}
    wanted = sorted(set(subject_ids).union(*families.values()))
    if before is None:
        stored = await select_events(tx, tenant_id, _EVENTS, wanted)
    else:
        stored = await select_events(tx, tenant_id, _EVENTS_BEFORE, wanted, before)
    return _by_subject(wanted, stored, merges=merges)


async def find_histories_so_far(
    tx: Tx, commit: Commit, case_ids: Collection[UUID]
) -> dict[UUID, list[StoredEvent]]:
    """What is known of cases with the commit that is being built: its events are not stored yet."""
    wanted, told = await find_told_so_far(tx, commit, case_ids)
    return _by_subject(wanted, told, merges=commit.config.has_merges or bool(tied_by(commit.events)))


async def find_told_so_far(
    tx: Tx, commit: Commit, case_ids: Collection[UUID]
) -> tuple[set[UUID], list[StoredEvent]]:
    """These cases and all that are tied to them, and all that was told of them, as it was told."""
    wanted = await with_families(tx, commit, {*case_ids, *tied_by(commit.events)})
    stored = await select_events(tx, commit.tenant_id, _EVENTS_BEFORE, sorted(wanted), commit.first_position)
    return wanted, [*stored, *(event for event in commit.events if event.subject_id in wanted)]


def _by_subject(
    subject_ids: Iterable[UUID], events: list[StoredEvent], *, merges: bool
) -> dict[UUID, list[StoredEvent]]:
    found: dict[UUID, list[StoredEvent]] = {subject_id: [] for subject_id in subject_ids}
    if merges:
        return found | split(events)
    for event in events:
        if event.subject_id is not None:
            found[event.subject_id].append(event)
    return found
