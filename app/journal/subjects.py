"""What events are about: many references, one subject; resolved before storing, rebuilt from events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.journal import case_ties, subject_aliases, subjects
from app.domain.case import LINKED
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.merges import lead_references, note_ties
from app.journal.ports import Commit
from app.kit.ids import new_id

_FIND = """
SELECT a.kind, a.ref, a.subject_id, coalesce(a.home_id, a.subject_id) AS home_id
  FROM unnest($2::text[], $3::text[]) AS wanted(kind, ref)
  JOIN subject_aliases a ON a.tenant_id = $1 AND a.kind = wanted.kind AND a.ref = wanted.ref
"""


async def find_subjects(tx: Tx, tenant_id: UUID, wanted: Iterable[Subject]) -> dict[Subject, UUID]:
    """The subjects that are known by these references; of merged cases those that go on."""
    return await _find(tx, tenant_id, wanted, "subject_id")


async def find_homes(tx: Tx, tenant_id: UUID, wanted: Iterable[Subject]) -> dict[Subject, UUID]:
    """The subjects whose events name these references, whatever they were merged into."""
    return await _find(tx, tenant_id, wanted, "home_id")


async def _find(tx: Tx, tenant_id: UUID, wanted: Iterable[Subject], column: str) -> dict[Subject, UUID]:
    distinct = list(dict.fromkeys(wanted))
    if not distinct:
        return {}
    kinds, refs = [subject.kind.value for subject in distinct], [subject.ref for subject in distinct]
    rows = await tx.fetch(_FIND, tenant_id, kinds, refs)
    return {Subject(SubjectKind(row["kind"]), row["ref"]): row[column] for row in rows}


async def resolve_subjects(tx: Tx, tenant_id: UUID, wanted: Iterable[Subject]) -> dict[Subject, UUID]:
    """The subjects of which events with these references speak; a new id for each that is met first."""
    distinct = list(dict.fromkeys(wanted))
    known = await find_homes(tx, tenant_id, distinct)
    return {subject: known.get(subject) or new_id() for subject in distinct}


class Subjects:
    """The projection of subjects, of their aliases, and of the merges that tie cases together."""

    name = "subjects"
    tables = (subjects, subject_aliases, case_ties)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Note new subjects and references; a link or a merge leads those of one case to another."""
        found: dict[UUID, tuple[Any, ...]] = {}
        aliases: list[tuple[Any, ...]] = []
        for event in commit.events:
            for subject_id, kind, ref in _named(event):
                found.setdefault(subject_id, (commit.tenant_id, subject_id, kind, event.position, None))
                if ref:
                    aliases.append((commit.tenant_id, kind, ref, subject_id, None))
        await insert_rows(
            tx, subjects, _columns(subjects), list(found.values()), suffix="ON CONFLICT DO NOTHING"
        )
        await insert_rows(
            tx, subject_aliases, _columns(subject_aliases), aliases, suffix="ON CONFLICT DO NOTHING"
        )
        await note_ties(tx, commit)
        await lead_references(tx, commit)


def _named(event: StoredEvent) -> Iterator[tuple[UUID, str, str | None]]:
    """The subjects that an event names, each with its kind and a reference."""
    if event.subject_id is None or event.subject_kind is None:
        return
    kind, said = event.subject_kind.value, event.personal
    yield event.subject_id, kind, said.get("subject_ref")
    if event.type is EventType.CASE_LINKED:
        other = event.fact.get(LINKED)
        yield UUID(other) if other else event.subject_id, kind, said.get("ref") or event.fact.get("ref")
    if event.type is EventType.CASE_MERGED and event.fact.get("into_id"):
        yield UUID(event.fact["into_id"]), kind, said.get("into") or event.fact.get("into")


def _columns(table: Any) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)
