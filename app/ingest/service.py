"""accept(): identity, drafts, one commit per chunk; a poison event is isolated, its neighbours never see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from app.auth import UnauthenticatedError
from app.db.engine import Tx, is_retryable
from app.domain.errors import ConflictError, DomainError, InvalidError
from app.domain.events import Event, Origin
from app.ingest.batcher import Batcher
from app.ingest.quarantine import quarantine
from app.ingest.results import Item, Result, Status, Terms, Ticket
from app.journal.drafts import draft
from app.journal.journal import Appended, Head, Identity, Journal
from app.journal.ports import Draft, Standing

log = structlog.get_logger()

_TRIES = 6
_STATUS_OF = {
    Standing.CREATED: Status.CREATED,
    Standing.REVISED: Status.REVISED,
    Standing.STALE: Status.STALE,
}


class RefusedBatchError(Exception):
    """An atomic batch with at least one item that cannot be stored: nothing was."""


class DryRunError(Exception):
    """Thrown to roll back what a dry run tried."""


@dataclass(slots=True)
class _Judged:
    """What a chunk comes to before anything is written."""

    results: dict[int, Result] = field(default_factory=dict)
    drafts: list[tuple[int, Draft]] = field(default_factory=list)
    repeats: dict[int, int] = field(default_factory=dict)
    """item -> the earlier item of the chunk that it repeats"""


class Ingest:
    """Takes events of any door into the journal."""

    def __init__(self, journal: Journal, *, committed: Callable[[Appended], None]) -> None:
        self._journal = journal
        self._committed = committed
        self.batcher = Batcher(self._store_chunk)

    async def accept(
        self, tenant_id: UUID, events: Sequence[Event], terms: Terms, *, atomic: bool = False, dry_run: bool = False
    ) -> list[Result]:
        """Store events and say what became of each, in input order; returns after the commit.

        Raises UnauthenticatedError when the key died meanwhile, OverloadedError when too much waits.
        """
        ticket = Ticket(len(events))
        items = [Item(event, terms, ticket) for event in events]
        if atomic or dry_run:
            await self._store_alone(tenant_id, items, atomic=atomic, dry_run=dry_run)
        else:
            await self.batcher.submit(tenant_id, items)
        results = [item.result for item in items if item.result is not None]
        if results and isinstance(results[0].error, UnauthenticatedError):
            raise results[0].error
        return results

    async def _store_chunk(self, tenant_id: UUID, items: Sequence[Item]) -> None:
        """Commit a chunk; retry faults of the moment, halve it until a poison event stands alone."""
        for attempt in range(_TRIES):
            try:
                outcome = await self._commit(tenant_id, items)
            except _NothingNewError as nothing:
                return _settle(items, nothing.args[0])
            except DomainError as error:
                return await self._halve(tenant_id, items, error)
            except Exception as error:
                if not is_retryable(error):
                    return await self._halve(tenant_id, items, error)
                log.warning("chunk_retried", attempt=attempt, error=repr(error))
                if attempt + 1 < _TRIES:
                    await asyncio.sleep(min(1.0, 0.05 * 2**attempt))
            else:
                return _settle(items, outcome)
        unavailable = InvalidError("database_unavailable", "the database cannot answer now; nothing was stored")
        for item in items:
            item.settle(Result(Status.REJECTED, error=unavailable, retryable=True))
        return None

    async def _halve(self, tenant_id: UUID, items: Sequence[Item], error: Exception) -> None:
        if len(items) > 1:
            middle = len(items) // 2
            await self._store_chunk(tenant_id, items[:middle])
            await self._store_chunk(tenant_id, items[middle:])
            return
        if isinstance(error, DomainError):
            items[0].settle(Result(Status.REJECTED, error=error))
            return
        log.error("poison_event", error=repr(error), exc_info=error)
        detail = "this event cannot be stored; it is kept in the quarantine"
        await quarantine(self._journal.database, tenant_id, items[0], repr(error))
        items[0].settle(Result(Status.REJECTED, error=InvalidError("quarantined", detail)))

    async def _store_alone(self, tenant_id: UUID, items: Sequence[Item], *, atomic: bool, dry_run: bool) -> None:
        try:
            outcome = await self._commit(tenant_id, items, atomic=atomic, dry_run=dry_run)
        except RefusedBatchError as refused:
            outcome = refused.args[0]
        except DryRunError as tried:
            outcome = tried.args[0]
        except _NothingNewError as nothing:
            outcome = nothing.args[0]
        _settle(items, outcome)

    async def _commit(
        self, tenant_id: UUID, items: Sequence[Item], *, atomic: bool = False, dry_run: bool = False
    ) -> list[Result]:
        """One transaction: judge, lock, append. Nothing is written when nothing is new."""
        journal = self._journal
        identities = [Identity(item.event.source, item.event.id) for item in items]
        appended: Appended | None = None
        async with journal.transaction(tenant_id) as tx:
            dead = await _dead_keys(tx, tenant_id, items)
            head = await journal.read_head(tx, tenant_id, identities)
            judged = _judge(items, identities, head, dead)
            if atomic:
                _refuse_whole(judged, len(items))
            if judged.drafts:
                commit = await journal.lock(tx, tenant_id)
                if commit.seq != head.seq + 1 or commit.config.version != head.config.version:
                    # somebody committed between the look and the lock: look again, now that nobody can
                    head = await journal.read_head(tx, tenant_id, identities)
                    judged = _judge(items, identities, head, dead)
                    if not judged.drafts:
                        raise _NothingNewError(_in_order(judged, len(items)))
                appended = await journal.append(tx, commit, [draft for _, draft in judged.drafts])
                for (index, _), stored in zip(judged.drafts, appended.events, strict=False):
                    standing = appended.standings.get(stored.event_id, Standing.CREATED)
                    judged.results[index] = Result(_STATUS_OF[standing], stored.event_id)
            results = _in_order(judged, len(items))
            if dry_run:
                raise DryRunError(results)
        if appended is not None:
            self._committed(appended)
        return results


class _NothingNewError(Exception):
    """Everything became a duplicate while we waited for the lock: give the place back."""


def _settle(items: Sequence[Item], outcome: Sequence[Result]) -> None:
    for item, result in zip(items, outcome, strict=True):
        item.settle(result)


def _judge(items: Sequence[Item], identities: Sequence[Identity], head: Head, dead: set[UUID]) -> _Judged:
    judged = _Judged()
    first: dict[Identity, tuple[int, bytes]] = {}
    for index, (item, identity) in enumerate(zip(items, identities, strict=True)):
        if item.terms.key_id in dead:
            error = UnauthenticatedError("revoked_key", "this API key was revoked or has expired")
            judged.results[index] = Result(Status.REJECTED, error=error)
            continue
        try:
            made = _draft(item, head)
        except DomainError as error:
            judged.results[index] = Result(Status.REJECTED, error=error)
            continue
        known, earlier = head.known.get(identity), first.get(identity)
        fingerprint = known.fingerprint if known is not None else earlier[1] if earlier is not None else None
        if fingerprint is None:
            first[identity] = (index, made.fingerprint)
            judged.drafts.append((index, made))
        elif fingerprint != made.fingerprint:
            judged.results[index] = Result(Status.REJECTED, error=_conflict(identity))
        elif known is not None:
            judged.results[index] = Result(Status.DUPLICATE, known.event_id)
        elif earlier is not None:
            judged.repeats[index] = earlier[0]
    return judged


def _draft(item: Item, head: Head) -> Draft:
    terms = item.terms
    return draft(
        item.event,
        head.config,
        received_at=terms.received_at,
        origin=Origin.BACKFILL if terms.backfill else Origin.LIVE,
        open_cases=terms.open_cases,
    )


def _conflict(identity: Identity) -> ConflictError:
    return ConflictError(
        "event_conflict",
        f"the source {identity.source!r} already sent another event with the id {identity.external_id!r}",
        pointer="/id",
        cure="give the new fact its own id; a changed state of the same thing is a new event with the same "
        "`object` and a greater `version`",
    )


def _in_order(judged: _Judged, count: int) -> list[Result]:
    for index, earlier in judged.repeats.items():
        result = judged.results[earlier]
        judged.results[index] = Result(Status.DUPLICATE, result.event_id)
    return [judged.results[index] for index in range(count)]


def _refuse_whole(judged: _Judged, count: int) -> None:
    if not any(result.status is Status.REJECTED for result in judged.results.values()):
        return
    error = ConflictError(
        "batch_refused",
        "another event of this atomic batch cannot be stored, so nothing was",
        cure="mend the events that say why, or send the batch without `atomic=true`",
    )
    whole = Result(Status.REJECTED, error=error)
    raise RefusedBatchError([judged.results.get(index, whole) for index in range(count)])


async def _dead_keys(tx: Tx, tenant_id: UUID, items: Sequence[Item]) -> set[UUID]:
    """Keys of this chunk that no longer count: checked in the same transaction that stores."""
    asked = {item.terms.key_id for item in items if item.terms.key_id is not None}
    if not asked:
        return set()
    rows = await tx.fetch(
        "SELECT key_id FROM api_keys WHERE tenant_id = $1 AND key_id = any($2) AND revoked_at IS NULL "
        "AND (expires_at IS NULL OR expires_at > $3)",
        tenant_id,
        list(asked),
        items[0].terms.received_at,
    )
    return asked - {row["key_id"] for row in rows}
