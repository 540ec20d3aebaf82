"""What the events of a chunk come to before anything is written: new, repeated, refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.auth import UnauthenticatedError
from app.domain.errors import ConflictError, DomainError
from app.ingest.results import BATCH_REFUSED, Item, Result, Status
from app.journal.config import TenantConfig
from app.journal.drafts import draft
from app.journal.journal import Head, Journal
from app.journal.ports import FORGOTTEN, Draft, Identity


class RolledBackError(Exception):
    """Nothing of this transaction is to be stored; `results` say why, or what would have become of it."""

    def __init__(self, results: list[Result]) -> None:
        super().__init__(results)
        self.results = results


@dataclass(slots=True)
class Judged:
    """What a chunk comes to before anything is written."""

    results: dict[int, Result] = field(default_factory=dict)
    drafts: list[tuple[int, Draft]] = field(default_factory=list)
    repeats: dict[int, int] = field(default_factory=dict)
    """item -> the earlier item of the chunk that it repeats"""

    def in_order(self, count: int) -> list[Result]:
        """The results of all items, those of repeats like the first one's."""
        for index, earlier in self.repeats.items():
            self.results[index] = Result(Status.DUPLICATE, self.results[earlier].event_id)
        return [self.results[index] for index in range(count)]


def prepare(journal: Journal, items: Iterable[Item], config: TenantConfig) -> None:
    """Draft and annotate the items, or note why one is refused: once for one configuration."""
    for item in items:
        if item.prepared_for == config.version:
            continue
        terms = item.terms
        try:
            made = draft(
                item.event,
                config,
                received_at=terms.received_at,
                origin=terms.origin,
                open_cases=terms.open_cases,
            )
            item.draft = journal.annotated(made, config)
        except DomainError as error:
            item.draft = error
        item.prepared_for = config.version


def judge(items: Sequence[Item], identities: Sequence[Identity], head: Head, *, atomic: bool) -> Judged:
    """What prepared items come to. Raises RolledBackError for an atomic batch with a refused one."""
    judged = Judged()
    first: dict[Identity, tuple[int, bytes]] = {}
    for index, (item, identity) in enumerate(zip(items, identities, strict=True)):
        made = item.draft
        if item.terms.key_id in head.dead_keys:
            error = UnauthenticatedError("revoked_key", "this API key was revoked or has expired")
            judged.results[index] = Result(Status.REJECTED, error=error)
            continue
        if not isinstance(made, Draft):
            assert made is not None, "judged before it was prepared"
            judged.results[index] = Result(Status.REJECTED, error=made)
            continue
        known, earlier = head.known.get(identity), first.get(identity)
        fingerprint = known.fingerprint if known is not None else earlier[1] if earlier is not None else None
        if fingerprint is None:
            first[identity] = (index, made.fingerprint)
            judged.drafts.append((index, made))
        elif fingerprint not in (made.fingerprint, FORGOTTEN):
            judged.results[index] = Result(Status.REJECTED, error=_conflict(identity))
        elif known is not None:
            judged.results[index] = Result(Status.DUPLICATE, known.event_id)
        elif earlier is not None:
            judged.repeats[index] = earlier[0]
    if atomic:
        _refuse_whole(judged, len(items))
    return judged


def _conflict(identity: Identity) -> ConflictError:
    return ConflictError(
        "event_conflict",
        f"the source {identity.source!r} already sent another event with the id {identity.external_id!r}",
        pointer="/id",
        cure="give the new fact its own id; a changed state of the same thing is a new event with the same "
        "`object` and a greater `version`",
    )


def _refuse_whole(judged: Judged, count: int) -> None:
    refused = {index: result for index, result in judged.results.items() if result.status is Status.REJECTED}
    if refused:
        raise RolledBackError([refused.get(index, BATCH_REFUSED) for index in range(count)])
