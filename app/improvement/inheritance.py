"""Decides what a surviving case takes over: the corrective actions of the ones that it absorbed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from app.db.engine import Tx
from app.domain.case import Merges, absorber_of
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.improvement import lookups
from app.improvement.stated import follow
from app.journal.merges import load_merges
from app.journal.ports import Commit, Draft
from app.journal.rows import select_events


class Inheritance:
    """The decider of merges: no customer loses the word that he is owed, whichever is told first."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `case.action_linked` on the survivor for each action whose customer was not told yet.

        Where it turns out later that he had been told before the merge, what was taken over is settled.
        """
        gone = commit.taken_back
        told = [event for event in commit.events if event.event_id not in gone]
        merged = {event.subject_id for event in told if event.type is EventType.CASE_MERGED}
        linked = _pairs(commit, told, EventType.CASE_ACTION_LINKED)
        informed = _pairs(commit, told, EventType.CASE_IMPROVEMENT_INFORMED)
        if not merged and not ((linked or informed) and commit.config.has_merges):
            return ()
        spoken_of = (case_id for case_id, _ in (*linked, *informed))
        named = {case_id for case_id in (*merged, *spoken_of) if case_id is not None}
        merges = await load_merges(tx, commit, named)
        if not merges:
            return ()
        absorbed = [case_id for case_id in merged if case_id is not None]
        rows = await lookups.list_unsettled(tx, commit.tenant_id, absorbed)
        owed = {(row["case_id"], row["action"]) for row in rows} | linked.keys()
        owed -= informed.keys() | await lookups.list_informed(
            tx, commit.tenant_id, [item[0] for item in owed]
        )
        drafts = await _inherited(tx, commit, {item for item in owed if item[0] in merges}, merges)
        return drafts + await _settled(tx, commit, informed, merges)


def _pairs(
    commit: Commit, told: Iterable[StoredEvent], kind: EventType
) -> dict[tuple[UUID, str], StoredEvent]:
    """The cases and actions that such events of this commit speak of."""
    return {
        (case_id, str(event.fact.get("action"))): event
        for event in told
        if event.type is kind and (case_id := commit.about(event)) is not None
    }


async def _settled(
    tx: Tx, commit: Commit, informed: Mapping[tuple[UUID, str], StoredEvent], merges: Merges
) -> list[Draft]:
    """Nobody is thanked twice: that he was told counts for the case that took over the link, too.

    As of the merge, since that is when the link was taken over. A link of the survivor's own stays owed.
    """
    heirs = {item: heir for item in informed if (heir := absorber_of(item[0], merges)) is not None}
    if not heirs:
        return []
    owed = await lookups.list_unsettled(tx, commit.tenant_id, list(heirs.values()))
    unsettled = {(row["case_id"], row["action"]) for row in owed}
    taken_over = await lookups.list_taken_over(tx, commit.tenant_id, list(heirs.values()))
    refs = await lookups.list_case_refs(tx, commit.tenant_id, list(heirs.values()))
    drafts = []
    for item, heir in sorted(heirs.items(), key=str):
        since = taken_over.get((heir, item[1]))
        if since is not None and (heir, item[1]) in unsettled and heir in refs:
            subject, data = Subject(SubjectKind.CASE, refs[heir]), {"action": item[1]}
            at = max(since, informed[item].occurred_at)
            kind = EventType.CASE_IMPROVEMENT_INFORMED
            drafts.append(follow(commit, informed[item], kind, subject, data, name=str(heir), at=at))
    return drafts


async def _inherited(tx: Tx, commit: Commit, owed: set[tuple[UUID, str]], merges: Merges) -> list[Draft]:
    """The links that the cases which go on do not have yet, each as of the merge that brings it."""
    heirs = {case_id: heir for case_id, _ in owed if (heir := absorber_of(case_id, merges)) is not None}
    known = await lookups.list_links(tx, commit.tenant_id, list(heirs.values()))
    refs = await lookups.list_case_refs(tx, commit.tenant_id, list(heirs.values()))
    causes = await _causes(tx, commit, [merges[case_id].event_id for case_id in heirs])
    drafts = []
    taken_over = [item for item in owed if item[0] in heirs]
    for case_id, action in sorted(taken_over, key=lambda item: (merges[item[0]].at, str(item[0]), item[1])):
        heir, cause = heirs[case_id], causes.get(merges[case_id].event_id)
        if (heir, action) not in known and heir in refs and cause is not None:
            known.add((heir, action))
            subject, data = Subject(SubjectKind.CASE, refs[heir]), {"action": action}
            drafts.append(follow(commit, cause, EventType.CASE_ACTION_LINKED, subject, data, name=action))
    stated = await lookups.list_stated(tx, commit.tenant_id, [draft.event.id for draft in drafts])
    return [draft for draft in drafts if draft.event.id not in stated]


async def _causes(tx: Tx, commit: Commit, event_ids: list[UUID]) -> dict[UUID, StoredEvent]:
    here = {event.event_id: event for event in commit.events}
    missing = [event_id for event_id in event_ids if event_id not in here]
    stored = await select_events(tx, commit.tenant_id, "e.event_id = any($2)", missing) if missing else []
    return here | {event.event_id: event for event in stored}
