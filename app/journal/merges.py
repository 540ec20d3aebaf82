"""Cases that merges, links and late reopenings tie together: found as families, led to what goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.journal import case_ties
from app.domain.case import CONTINUES, LINKED, Merges, ends_of, merges_of, places_of, survivor_of, ties
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.ports import Commit, Draft
from app.journal.rows import select_events
from app.journal.tenants import move_config

_FAMILIES = """
WITH RECURSIVE kin(case_id) AS (
    SELECT id FROM unnest($2::uuid[]) AS id
     UNION
    SELECT t.other_id FROM kin JOIN case_ties t ON t.tenant_id = $1 AND t.case_id = kin.case_id
)
SELECT t.case_id, t.other_id FROM kin JOIN case_ties t ON t.tenant_id = $1 AND t.case_id = kin.case_id
"""
_MERGES = f"""e.subject_id = any($2) AND e.position < $3 AND (
    e.type IN ('case.merged', 'event.retracted') OR e.type = 'case.opened' AND e.fact ? '{CONTINUES}'
    OR e.type = 'case.linked' AND e.fact ? '{LINKED}')"""
_LEAD_ALIASES = """
UPDATE subject_aliases a SET subject_id = led.survivor, home_id = nullif(led.home, led.survivor)
  FROM unnest($2::uuid[], $3::uuid[]) AS led(home, survivor)
 WHERE a.tenant_id = $1 AND (a.home_id = led.home OR a.home_id IS NULL AND a.subject_id = led.home)
   AND a.subject_id <> led.survivor
"""
_LEAD_SUBJECTS = """
UPDATE subjects s SET merged_into = nullif(led.survivor, led.home)
  FROM unnest($2::uuid[], $3::uuid[]) AS led(home, survivor)
 WHERE s.tenant_id = $1 AND s.subject_id = led.home
"""


def may_move(event: StoredEvent) -> bool:
    """True for what may give facts told before to another case."""
    return event.type is EventType.EVENT_RETRACTED or ties(event)


def tied_subject(draft: Draft) -> tuple[str, Subject] | None:
    """The other case that a `case.merged` or a `case.linked` names, and the fact that is to hold its id."""
    match draft.event.type:
        case EventType.CASE_MERGED:
            fact, ref = "into_id", draft.event.data.get("into")
        case EventType.CASE_LINKED:
            fact, ref = LINKED, draft.event.data.get("ref")
        case _:
            return None
    return (fact, Subject(SubjectKind.CASE, ref)) if ref else None


async def find_families(tx: Tx, tenant_id: UUID, case_ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Case -> all that merges ever tied to it, directly or by way of others: for these and their kin."""
    rows = await tx.fetch(_FAMILIES, tenant_id, list(case_ids)) if case_ids else ()
    tied: dict[UUID, list[UUID]] = {}
    for row in rows:
        tied.setdefault(row["case_id"], []).append(row["other_id"])
    families: dict[UUID, frozenset[UUID]] = {}
    for case_id in case_ids:
        if case_id not in families:
            family = _reached(case_id, tied)
            families.update(dict.fromkeys(family, family))
    return families


def _reached(case_id: UUID, tied: Mapping[UUID, Sequence[UUID]]) -> frozenset[UUID]:
    """All that one gets to from this case by its ties; they lead both ways."""
    family, ahead = {case_id}, [case_id]
    while ahead:
        fresh = {other for other in tied.get(ahead.pop(), ()) if other not in family}
        family |= fresh
        ahead += fresh
    return frozenset(family)


async def with_families(tx: Tx, commit: Commit, case_ids: Collection[UUID]) -> set[UUID]:
    """These cases and their families, as this commit knows them; a tenant that never merged asks nothing."""
    if not commit.config.has_merges:
        return set(case_ids)
    unknown = [case_id for case_id in case_ids if case_id not in commit.families]
    commit.families |= await find_families(tx, commit.tenant_id, unknown)
    return {member for case_id in case_ids for member in commit.families[case_id]}


async def load_merges(tx: Tx, commit: Commit, case_ids: Collection[UUID]) -> Merges:
    """The merges that count of the families of these cases, those of the commit being built included."""
    told = [event for event in commit.events if may_move(event)]
    tied = tied_by(told)
    family = await with_families(tx, commit, {*case_ids, *tied})
    if not tied and all(len(commit.families.get(case_id, ())) <= 1 for case_id in case_ids):
        return {}  # most cases of a tenant that merges were never merged themselves
    stored = await select_events(tx, commit.tenant_id, _MERGES, sorted(family), commit.next_position)
    known = {event.event_id for event in stored}
    return merges_of([*stored, *(event for event in told if event.event_id not in known)])


async def note_moves(tx: Tx, commit: Commit) -> None:
    """Say of which case the events placed so far are, where that is another than they name."""
    told = [event for event in commit.events if event.subject_kind is SubjectKind.CASE]
    named = {event.subject_id for event in told if event.subject_id is not None}
    if not named or not (commit.config.has_merges or any(ties(event) for event in told)):
        return
    merges = await load_merges(tx, commit, named)
    if merges:
        places = places_of(told, merges)
        commit.moved = {
            event.event_id: places[event.event_id]
            for event in told
            if event.subject_id is not None and places[event.event_id] != event.subject_id
        }


async def note_ties(tx: Tx, commit: Commit) -> None:
    """Store which cases the merges, links and late reopenings of this commit tie together."""
    pairs = [ends_of(event) for event in commit.events if ties(event)]
    if not pairs:
        return
    commit.families = {}
    await insert_rows(
        tx,
        case_ties,
        ("tenant_id", "case_id", "other_id"),
        [(commit.tenant_id, *pair) for pair in {*pairs, *((other, one) for one, other in pairs)}],
        suffix="ON CONFLICT DO NOTHING",
    )
    if not commit.config.has_merges:
        # from the first one on, every process of the service looks for them
        commit.config.has_merges = True
        await move_config(tx, commit.tenant_id)


async def lead_references(tx: Tx, commit: Commit) -> None:
    """Let every reference lead to the case that goes on in the place of the one it names."""
    told = [event for event in commit.events if event.subject_kind is SubjectKind.CASE and may_move(event)]
    if not told or not commit.config.has_merges:
        return
    named = {event.subject_id for event in told if event.subject_id is not None}
    homes = sorted(await with_families(tx, commit, {*named, *tied_by(told)}))
    merges = await load_merges(tx, commit, homes)
    survivors = [survivor_of(home, merges) for home in homes]
    await tx.execute(_LEAD_ALIASES, commit.tenant_id, homes, survivors)
    await tx.execute(_LEAD_SUBJECTS, commit.tenant_id, homes, survivors)


def tied_by(events: Iterable[StoredEvent]) -> set[UUID]:
    """The cases that merges, links and late reopenings among these events tie together."""
    return {case_id for event in events if ties(event) for case_id in ends_of(event)}
