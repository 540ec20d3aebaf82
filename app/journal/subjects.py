"""What events are about: many references, one subject; resolved before storing, rebuilt from events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.journal import subject_aliases, subjects
from app.domain.events import EventType, Subject, SubjectKind
from app.journal.ports import Commit
from app.kit.ids import new_id

_FIND = """
SELECT a.kind, a.ref, a.subject_id
  FROM unnest($2::text[], $3::text[]) AS wanted(kind, ref)
  JOIN subject_aliases a ON a.tenant_id = $1 AND a.kind = wanted.kind AND a.ref = wanted.ref
"""


async def find_subjects(tx: Tx, tenant_id: UUID, wanted: Iterable[Subject]) -> dict[Subject, UUID]:
    """The subjects that are known by these references."""
    distinct = list(dict.fromkeys(wanted))
    if not distinct:
        return {}
    kinds, refs = [subject.kind.value for subject in distinct], [subject.ref for subject in distinct]
    rows = await tx.fetch(_FIND, tenant_id, kinds, refs)
    return {Subject(SubjectKind(row["kind"]), row["ref"]): row["subject_id"] for row in rows}


async def resolve_subjects(tx: Tx, tenant_id: UUID, wanted: Iterable[Subject]) -> dict[Subject, UUID]:
    """The same, with a new id for each subject met for the first time."""
    distinct = list(dict.fromkeys(wanted))
    known = await find_subjects(tx, tenant_id, distinct)
    return {subject: known.get(subject) or new_id() for subject in distinct}


class Subjects:
    """The projection of subjects and their aliases."""

    name = "subjects"
    tables = (subjects, subject_aliases)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Note new subjects and references; `case.linked` adds one, `case.merged` moves them all."""
        found: dict[UUID, tuple[Any, ...]] = {}
        aliases: list[tuple[Any, ...]] = []
        for event in commit.events:
            if event.subject_id is None or event.subject_kind is None:
                continue
            kind = event.subject_kind.value
            found.setdefault(
                event.subject_id, (commit.tenant_id, event.subject_id, kind, event.position, None)
            )
            refs = [event.personal.get("subject_ref")]
            if event.type is EventType.CASE_LINKED:
                refs.append(event.personal.get("ref") or event.fact.get("ref"))
            aliases += [(commit.tenant_id, kind, ref, event.subject_id) for ref in refs if ref]
        await insert_rows(
            tx, subjects, _columns(subjects), list(found.values()), suffix="ON CONFLICT DO NOTHING"
        )
        await insert_rows(
            tx, subject_aliases, _columns(subject_aliases), aliases, suffix="ON CONFLICT DO NOTHING"
        )
        for event in commit.events:
            if event.type is EventType.CASE_MERGED and event.fact.get("into_id"):
                await _merge(tx, commit.tenant_id, event.subject_id, UUID(event.fact["into_id"]))


async def _merge(tx: Tx, tenant_id: UUID, absorbed: UUID | None, survivor: UUID) -> None:
    await tx.execute(
        "UPDATE subject_aliases SET subject_id = $3 WHERE tenant_id = $1 AND subject_id = $2",
        tenant_id,
        absorbed,
        survivor,
    )
    await tx.execute(
        "UPDATE subjects SET merged_into = $3 WHERE tenant_id = $1 AND subject_id = $2",
        tenant_id,
        absorbed,
        survivor,
    )


def _columns(table: Any) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)
