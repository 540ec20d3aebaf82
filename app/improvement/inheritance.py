"""Decides what a surviving case takes over: the corrective actions of the one that it absorbed."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.improvement import lookups
from app.improvement.stated import follow
from app.journal.ports import Commit, Draft


class Inheritance:
    """The decider of merges: no customer loses the word that he is owed."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.action_linked` on the survivor for each action whose customer was not told yet."""
        gone = commit.taken_back
        merges: dict[UUID, StoredEvent] = {
            event.subject_id: event
            for event in commit.events
            if event.type is EventType.CASE_MERGED
            and event.event_id not in gone
            and event.subject_id is not None
            and event.fact.get("into_id")
            and event.fact["into_id"] != str(event.subject_id)
        }
        if not merges:
            return ()
        rows = await lookups.list_unsettled(tx, commit.tenant_id, list(merges))
        survivors = [UUID(event.fact["into_id"]) for event in merges.values()]
        refs = await lookups.list_case_refs(tx, commit.tenant_id, survivors)
        drafts = []
        for number, row in enumerate(rows):
            merge = merges[row["case_id"]]
            survivor = UUID(merge.fact["into_id"])
            if survivor in refs:
                subject = Subject(SubjectKind.CASE, refs[survivor])
                data = {"action": row["action"]}
                kind = EventType.CASE_ACTION_LINKED
                drafts.append(follow(commit, merge, kind, subject, data, name=str(number)))
        return drafts
