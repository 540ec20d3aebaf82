"""What was said of answers after they were given: amendments, and touchpoints that got another name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.feedback import amendments
from app.db.tables.journey import touchpoint_retags
from app.domain.amendment import AMENDING, Amendment, amended
from app.domain.case_opening import feedback_case_ref, named_by
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.ports import Commit
from app.journal.renames import NO_RENAMES, Renames, given_names, load_renames
from app.journal.rows import select_events
from app.journal.subjects import find_homes
from app.journal.tenants import move_config

_AMENDMENTS = tuple(column.name for column in amendments.columns)
_RETAGS = tuple(column.name for column in touchpoint_retags.columns)
_FIND = """
SELECT event_id, kind, occurred_at, target_source, target_id, subject_id, question, stated FROM amendments
 WHERE tenant_id = $1 AND (subject_id = any($2) OR (target_source, target_id) IN (
       SELECT * FROM unnest($3::text[], $4::text[])))
"""
_TARGETS = """
SELECT DISTINCT event_id FROM feedback WHERE tenant_id = $1 AND seq_to IS NULL AND event_id = any(ARRAY(
       SELECT event_id FROM events WHERE tenant_id = $1 AND subject_id = any($2)
       UNION ALL
       SELECT e.event_id FROM unnest($3::text[], $4::text[]) AS named(source, name)
         JOIN events e ON e.tenant_id = $1 AND e.source = named.source AND e.external_id = named.name
       UNION ALL
       SELECT h.event_id FROM unnest($3::text[], $4::text[]) AS named(source, name)
         JOIN object_heads h ON h.tenant_id = $1 AND h.source = named.source AND h.object = named.name))
"""
_REFS = """
SELECT ref FROM subject_aliases
 WHERE tenant_id = $1 AND kind = 'case' AND coalesce(home_id, subject_id) = any($2)
   AND (home_id = any($2) OR subject_id = any($2)) AND starts_with(ref, 'feedback:')
"""
_Target = tuple[str | None, str | None, UUID | None]


@dataclass(slots=True)
class Overlay:
    """The amendments and new names that apply to some events."""

    of_event: dict[tuple[str, str], list[Amendment]] = field(default_factory=dict)
    of_subject: dict[UUID, list[Amendment]] = field(default_factory=dict)
    cases: dict[Subject, UUID] = field(default_factory=dict)
    """the cases that these events opened"""
    renames: Renames = NO_RENAMES

    def changes(self, event: StoredEvent, question: str) -> dict[str, Any]:
        """What is different from the event's own facts, for its answer to this question."""
        found = [*self.of_event.get((event.source, event.external_id), ())]
        case_id = self.cases.get(_case_of(event))
        for subject_id in dict.fromkeys((event.subject_id, case_id)):
            found += self.of_subject.get(subject_id, ()) if subject_id else ()
        said = [item for item in found if item.question in (None, question)]
        changes = amended(event.fact, said) if said else {}
        name = self.renames.name_of(event.fact.get("touchpoint"))
        return changes if name is None else {**changes, "touchpoint": name}


async def note_amendments(tx: Tx, commit: Commit) -> list[UUID]:
    """Store what this commit says of answers; the events of the stored answers that it is about."""
    retracted = [
        UUID(event.fact["event_id"]) for event in commit.events if event.type is EventType.EVENT_RETRACTED
    ]
    targets: list[_Target] = []
    if retracted and commit.config.has_overlays:
        gone = await tx.fetch(
            "DELETE FROM amendments WHERE tenant_id = $1 AND event_id = any($2) "
            "RETURNING target_source, target_id, subject_id",
            commit.tenant_id,
            retracted,
        )
        targets += [(row["target_source"], row["target_id"], row["subject_id"]) for row in gone]
    said = [event for event in commit.events if event.type in AMENDING and event.event_id not in retracted]
    rows = [_row(event) for event in said]
    await insert_rows(tx, amendments, _AMENDMENTS, rows)
    targets += [(row[4], row[5], row[6]) for row in rows]
    if rows:
        await _note_overlays(tx, commit)
    return await _events_of(tx, commit, targets)


async def note_retags(tx: Tx, commit: Commit) -> None:
    """Store the new names that this commit gives to touchpoints."""
    rows = [
        (*key, event.fact["raw"], event.fact["touchpoint"], event.occurred_at, event.position)
        for event in commit.events
        if event.type is EventType.TOUCHPOINT_RETAGGED
        for key in [(commit.tenant_id, event.event_id)]
    ]
    await insert_rows(tx, touchpoint_retags, _RETAGS, rows)
    if rows:
        await _note_overlays(tx, commit)


async def apply_retags(tx: Tx, commit: Commit, table: Table) -> None:
    """Give what is stored (and stands) the new name of its touchpoint, as further versions of it."""
    changed = given_names(commit)
    if not changed:
        return
    names = [column.name for column in table.columns]
    fresh = {"seq_from": "$2::bigint", "seq_to": "NULL", "touchpoint": "new_name"}
    await tx.execute(
        f"WITH ended AS (UPDATE {table.name} SET seq_to = $2 FROM unnest($3::text[], $4::text[]) "
        "AS renamed(raw, new_name) WHERE tenant_id = $1 AND touchpoint = raw AND seq_to IS NULL "
        f"RETURNING {table.name}.*, new_name) "
        f"INSERT INTO {table.name} ({', '.join(names)}) "
        f"SELECT {', '.join(fresh.get(name, name) for name in names)} FROM ended",
        commit.tenant_id,
        commit.seq,
        list(changed),
        list(changed.values()),
    )


async def load_overlay(tx: Tx, commit: Commit, events: Sequence[StoredEvent]) -> Overlay:
    """What applies to these events; nothing is asked of a tenant that never amended or re-tagged."""
    overlay = Overlay()
    if not events or not commit.config.has_overlays:
        return overlay
    overlay.cases = await find_homes(tx, commit.tenant_id, [_case_of(event) for event in events])
    named = [event.subject_id for event in events if event.subject_id is not None]
    rows = await tx.fetch(
        _FIND,
        commit.tenant_id,
        [*named, *overlay.cases.values()],
        [event.source for event in events],
        [event.external_id for event in events],
    )
    for row in rows:
        item = Amendment(
            row["event_id"], EventType(row["kind"]), row["occurred_at"], row["stated"], row["question"]
        )
        if row["target_id"] is not None:
            overlay.of_event.setdefault((row["target_source"], row["target_id"]), []).append(item)
        else:
            overlay.of_subject.setdefault(row["subject_id"], []).append(item)
    overlay.renames = await load_renames(tx, commit.config, commit.end_position)
    return overlay


async def find_events(tx: Tx, commit: Commit, event_ids: Iterable[UUID]) -> list[StoredEvent]:
    """These events as they were stored."""
    wanted = list(event_ids)
    if not wanted:
        return []
    return await select_events(tx, commit.tenant_id, "e.event_id = any($2)", wanted)


def _case_of(event: StoredEvent) -> Subject:
    """The name of the case that this event opens when it is negative, whether it did or not."""
    return Subject(SubjectKind.CASE, feedback_case_ref(event.source, event.object or event.external_id))


def _row(event: StoredEvent) -> tuple[Any, ...]:
    fact: Mapping[str, Any] = event.fact
    named = fact.get("event")
    stated = {
        name: fact[name]
        for name in ("qualification", "cause", "label", "confidence", "model", "is_complaint", "lang")
        if fact.get(name) is not None
    }
    return (
        event.tenant_id,
        event.event_id,
        event.type.value,
        event.occurred_at,
        None if named is None else fact.get("source") or event.source,
        named,
        event.subject_id if named is None else None,
        fact.get("question"),
        stated,
    )


async def _events_of(tx: Tx, commit: Commit, targets: Sequence[_Target]) -> list[UUID]:
    if not targets:
        return []
    named = [(source, target) for source, target, _ in targets if target is not None]
    subjects = [subject for _, _, subject in targets if subject is not None]
    refs = await tx.fetch(_REFS, commit.tenant_id, subjects) if subjects else ()
    named += [name for row in refs for name in named_by(row["ref"])]
    rows = await tx.fetch(
        _TARGETS,
        commit.tenant_id,
        subjects,
        [source for source, _ in named],
        [target for _, target in named],
    )
    return [row["event_id"] for row in rows]


async def _note_overlays(tx: Tx, commit: Commit) -> None:
    """From the first one on, every process of the service looks for them."""
    if commit.config.has_overlays:
        return
    commit.config.has_overlays = True
    await move_config(tx, commit.tenant_id)
