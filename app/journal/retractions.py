"""What a retraction takes back: an event stored before, or an earlier one of the same commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.db.engine import Tx
from app.domain.errors import DomainError
from app.domain.events import EventType, SubjectKind
from app.journal.ports import Commit, Draft, Identity


@dataclass(frozen=True, slots=True)
class Retractable:
    """What a retraction must know of the event that it takes back."""

    event_id: UUID
    subject_kind: SubjectKind | None
    subject_id: UUID | None


def _retracts(draft: Draft) -> Identity:
    return Identity(draft.event.data.get("source") or draft.event.source, draft.event.data["event"])


async def find_retractable(tx: Tx, commit: Commit, drafts: Iterable[Draft]) -> dict[Identity, Retractable]:
    """What the journal holds of the events that these drafts take back."""
    wanted = [_retracts(draft) for draft in drafts if draft.event.type is EventType.EVENT_RETRACTED]
    if not wanted:
        return {}
    rows = await tx.fetch(
        "SELECT e.source, e.external_id, e.event_id, e.subject_kind, e.subject_id "
        "FROM unnest($2::text[], $3::text[]) AS k(source, external_id) "
        "JOIN events e ON e.tenant_id = $1 AND e.source = k.source AND e.external_id = k.external_id",
        commit.tenant_id,
        [identity.source for identity in wanted],
        [identity.external_id for identity in wanted],
    )
    return {
        Identity(row["source"], row["external_id"]): Retractable(
            row["event_id"],
            None if row["subject_kind"] is None else SubjectKind(row["subject_kind"]),
            row["subject_id"],
        )
        for row in rows
    }


def target_of(draft: Draft, known: dict[Identity, Retractable], commit: Commit) -> Retractable:
    """The event that a draft takes back: stored before, or an earlier one of the same commit."""
    identity = _retracts(draft)
    if identity in known:
        return known[identity]
    for event in commit.events:
        if (event.source, event.external_id) == (identity.source, identity.external_id):
            return Retractable(event.event_id, event.subject_kind, event.subject_id)
    raise NothingToRetractError(identity.source, identity.external_id)


class NothingToRetractError(DomainError):
    """The event to be taken back is not known (yet)."""

    def __init__(self, source: str, external_id: str) -> None:
        super().__init__(
            "nothing_to_retract",
            f"there is no event {external_id!r} of the source {source!r}",
            pointer="/data/event",
            cure="name an event that was stored (and its `source`, when it is another), or send it first",
        )
