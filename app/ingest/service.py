"""accept(): identity, drafts, one commit per chunk; a poison event is isolated from its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.auth import UnauthenticatedError
from app.db.engine import is_retryable
from app.domain.errors import DomainError, InvalidError
from app.domain.events import Event
from app.ingest.batcher import Batcher
from app.ingest.judging import RolledBackError, judge, prepare
from app.ingest.quarantine import quarantine
from app.ingest.results import BATCH_REFUSED, UNAVAILABLE, Item, Result, Status, Terms, Ticket
from app.journal.journal import Appended, Journal
from app.journal.ports import Identity, Standing
from app.kit.turns import in_slices

log = structlog.get_logger()

_TRIES = 6
RETRY_SECONDS = 10.0
"""A fault of the moment that lasts longer is the caller's to wait out (503)."""
_STATUS_OF = {
    Standing.CREATED: Status.CREATED,
    Standing.REVISED: Status.REVISED,
    Standing.STALE: Status.STALE,
}


class Ingest:
    """Takes events of any door into the journal."""

    def __init__(self, journal: Journal, *, committed: Callable[[Appended], None]) -> None:
        self._journal = journal
        self._committed = committed
        self.batcher = Batcher(self._prepare, self._store_chunk)

    async def accept(
        self,
        tenant_id: UUID,
        events: Sequence[Event],
        terms: Terms,
        *,
        atomic: bool = False,
        dry_run: bool = False,
    ) -> list[Result]:
        """Store events and say what became of each, in input order; returns after the commit.

        Raises UnauthenticatedError when the key died meanwhile, OverloadedError when too much waits.
        """
        ticket = Ticket(len(events))
        items = [Item(event, terms, ticket) for event in events]
        if atomic or dry_run:
            async for part in in_slices(items):
                self._prepare(tenant_id, part)
            await self._store_alone(tenant_id, items, atomic=atomic, dry_run=dry_run)
        else:
            await self.batcher.submit(tenant_id, items)
        results = [item.result for item in items if item.result is not None]
        if results and isinstance(results[0].error, UnauthenticatedError):
            raise results[0].error
        return results

    def _prepare(self, tenant_id: UUID, items: Sequence[Item]) -> None:
        """Do before the transaction what needs none of it, by the configuration that is known by now.

        The transaction does the rest: where nothing was known, where it changed meanwhile, and of an
        event that nobody can draft, so that it is found and kept apart as any poison is.
        """
        config = self._journal.configs.find_known(tenant_id)
        if config is None:
            return
        try:
            prepare(self._journal, items, config)
        except Exception as error:  # noqa: BLE001 - met again in the transaction, and isolated there
            log.warning("not_prepared", error=repr(error))

    async def _store_chunk(self, tenant_id: UUID, items: Sequence[Item]) -> None:
        """Commit a chunk; halve one that cannot be stored until a poison event stands alone."""
        try:
            outcome = await self._persist(tenant_id, items)
        except Exception as error:  # noqa: BLE001 - every item of the chunk must get its result
            if is_retryable(error):
                log.warning("chunk_given_up", events=len(items), error=repr(error))
                outcome = [UNAVAILABLE] * len(items)
            elif len(items) > 1:
                middle = len(items) // 2
                await self._store_chunk(tenant_id, items[:middle])
                await self._store_chunk(tenant_id, items[middle:])
                return
            else:
                outcome = [await self._isolate(tenant_id, items[0], error)]
        _settle(items, outcome)

    async def _isolate(self, tenant_id: UUID, item: Item, error: Exception) -> Result:
        """The result of an event that cannot be stored; one that only the database refuses is kept apart."""
        if isinstance(error, DomainError):
            return Result(Status.REJECTED, error=error)
        log.error("poison_event", error=repr(error), exc_info=error)
        try:
            await quarantine(self._journal.database, tenant_id, item, repr(error))
        except Exception as failure:
            log.error("quarantine_failed", error=repr(failure), exc_info=failure)
            return UNAVAILABLE
        detail = "this event cannot be stored; it is kept in the quarantine"
        return Result(Status.REJECTED, error=InvalidError("quarantined", detail))

    async def _store_alone(
        self, tenant_id: UUID, items: Sequence[Item], *, atomic: bool, dry_run: bool
    ) -> None:
        """One transaction for the whole request; when it fails, find out which event is the cause."""
        try:
            outcome = await self._persist(tenant_id, items, atomic=atomic, dry_run=dry_run)
        except Exception as error:
            if is_retryable(error):
                raise
            outcome = await self._try_each(tenant_id, items)
            if atomic:
                outcome = [known if known.status is Status.REJECTED else BATCH_REFUSED for known in outcome]
        _settle(items, outcome)

    async def _try_each(self, tenant_id: UUID, items: Sequence[Item]) -> list[Result]:
        """What would become of each event, if those that cannot be stored were left out. Stores nothing."""
        results: dict[int, Result] = {}
        good: list[int] = []
        parts = [list(range(len(items)))]
        while parts:
            part = parts.pop()
            try:
                tried = await self._persist(tenant_id, [items[n] for n in (*good, *part)], dry_run=True)
            except Exception as error:
                if is_retryable(error):
                    raise
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                    continue
                results[part[0]] = Result(Status.REJECTED, error=_refusal(error))
            else:
                results.update(zip(part, tried[len(good) :], strict=True))
                good += part
        return [results[n] for n in range(len(items))]

    async def _persist(
        self, tenant_id: UUID, items: Sequence[Item], *, atomic: bool = False, dry_run: bool = False
    ) -> list[Result]:
        """Commit, again after faults of the moment. Raises any other fault, and one that lasts."""
        clock = asyncio.get_running_loop().time
        gives_up_at = clock() + RETRY_SECONDS
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._commit(tenant_id, items, atomic=atomic, dry_run=dry_run)
            except RolledBackError as nothing:
                return nothing.results
            except Exception as error:
                exhausted = isinstance(error, PoolTimeoutError) or clock() >= gives_up_at or attempt == _TRIES
                if exhausted or not is_retryable(error):
                    raise
                log.warning("chunk_retried", attempt=attempt, error=repr(error))
            await asyncio.sleep(min(1.0, 0.025 * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    async def _commit(
        self, tenant_id: UUID, items: Sequence[Item], *, atomic: bool = False, dry_run: bool = False
    ) -> list[Result]:
        """One transaction: judge, lock, append. Nothing is written when nothing is new."""
        journal = self._journal
        identities = [Identity(item.event.source, item.event.id) for item in items]
        key_ids = frozenset(item.terms.key_id for item in items if item.terms.key_id is not None)
        appended: Appended | None = None
        async with journal.transaction(tenant_id) as tx:
            # a key is checked where its events are stored: revocation counts from the next request on
            head = await journal.read_head(tx, tenant_id, identities, key_ids=key_ids)
            prepare(journal, items, head.config)
            judged = judge(items, identities, head, atomic=atomic)
            if judged.drafts:
                commit = await journal.lock(tx, tenant_id)
                if commit.seq != head.seq + 1 or commit.config.version != head.config.version:
                    # somebody committed between the look and the lock: look again, now that nobody can
                    head = await journal.read_head(tx, tenant_id, identities, key_ids=key_ids)
                    prepare(journal, items, head.config)
                    judged = judge(items, identities, head, atomic=atomic)
                    if not judged.drafts:
                        # everything became a duplicate while we waited: give the place back
                        raise RolledBackError(judged.in_order(len(items)))
                appended = await journal.append(tx, commit, [draft for _, draft in judged.drafts])
                for (index, _), stored in zip(judged.drafts, appended.events, strict=False):
                    standing = appended.standings.get(stored.event_id, Standing.CREATED)
                    event_id = None if dry_run else stored.event_id
                    judged.results[index] = Result(_STATUS_OF[standing], event_id)
            results = judged.in_order(len(items))
            if dry_run:
                raise RolledBackError(results)
        if appended is not None:
            self._committed(appended)
        return results


def _settle(items: Sequence[Item], outcome: Sequence[Result]) -> None:
    for item, result in zip(items, outcome, strict=True):
        item.settle(result)


def _refusal(error: Exception) -> DomainError:
    if isinstance(error, DomainError):
        return error
    log.error("poison_event", error=repr(error), exc_info=error)
    return InvalidError("cannot_be_stored", "the database refuses this event, although no rule of ours does")
