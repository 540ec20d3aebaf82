"""Appends events: one committed order per tenant; deciders, projections and outbox in the same commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Table

from app.db.bulk import Gathered, insert_rows
from app.db.engine import Database, DatabaseUnavailableError, Tx
from app.db.tables.ledgers import outbox
from app.domain.errors import NotFoundError
from app.domain.events import StoredEvent
from app.journal.config import ConfigCache, TenantConfig
from app.journal.directory import note_nouns
from app.journal.objects import ObjectHeads
from app.journal.placing import Placer, place_all
from app.journal.ports import (
    Annotator,
    Announcement,
    Announcer,
    Commit,
    Decider,
    Draft,
    Projection,
    Standing,
)
from app.journal.ports import Identity as Identity  # named by those who ask `read_head`
from app.journal.rows import store_events
from app.journal.subjects import Subjects
from app.kit.clock import Clock

_OUTBOX_COLUMNS = ("tenant_id", "event_id", "type", "sequence", "occurred_at", "data", "created_at")

_READ_HEAD = """
SELECT h.seq, h.config_version, e.event_id, e.fingerprint, e.source, e.external_id,
       ARRAY(SELECT a.key_id FROM api_keys a WHERE a.tenant_id = $1 AND a.key_id = any($4)
                AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > $5)
                AND NOT EXISTS (SELECT FROM tenants t WHERE t.tenant_id = $1 AND t.disabled_at IS NOT NULL)
            ) AS live_keys
  FROM tenant_head h
  LEFT JOIN unnest($2::text[], $3::text[]) AS k(source, external_id) ON true
  LEFT JOIN events e ON e.tenant_id = $1 AND e.source = k.source AND e.external_id = k.external_id
 WHERE h.tenant_id = $1
"""
_LOCK_HEAD = """
UPDATE tenant_head h SET seq = seq + 1,
       recorded_at = greatest(now() + $2::interval, recorded_at + interval '1 microsecond'),
       allowance = least(t.rate, coalesce(
           h.allowance + t.rate * extract(epoch FROM now() - h.allowance_at)::float8 / 60, t.rate
       )) - $3,
       allowance_at = CASE WHEN t.rate IS NOT NULL THEN now() END
  FROM (SELECT events_per_minute::float8 AS rate FROM tenants WHERE tenant_id = $1) t
 WHERE h.tenant_id = $1 AND NOT h.rebuilding
RETURNING h.seq, h.recorded_at, h.config_version, h.allowance, t.rate
"""


@dataclass(frozen=True, slots=True)
class Known:
    """An event that the journal already holds under an identity."""

    event_id: UUID
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What was read before the lock: the tenant's place, identities taken, keys that do not count."""

    seq: int
    config: TenantConfig
    known: dict[Identity, Known]
    dead_keys: frozenset[UUID] = frozenset()


@dataclass(slots=True)
class Appended:
    """What a commit did, by draft in input order."""

    seq: int
    recorded_at: datetime
    events: list[StoredEvent] = field(default_factory=list)
    standings: dict[UUID, Standing] = field(default_factory=dict)
    announced: int = 0


class Journal:
    """The only writer of events. The slices hand in what follows from an event; they never call each other.

    The database's clock gives `recorded_at`; `offset` moves it (only tests do).
    """

    def __init__(
        self,
        database: Database,
        configs: ConfigCache,
        clock: Clock,
        *,
        offset: Callable[[], timedelta] = timedelta,
        deciders: Sequence[Decider],
        projections: Sequence[Projection],
        announcers: Sequence[Announcer],
        caches: Sequence[Table] = (),
        annotators: Sequence[Annotator] = (),
    ) -> None:
        self.database = database
        self.configs = configs
        self.clock = clock
        self.offset = offset
        self.deciders = tuple(deciders)
        self.projections: tuple[Projection, ...] = (ObjectHeads(), Subjects(), *projections)
        self.announcers = tuple(announcers)
        self.annotators = tuple(annotators)
        self.caches = tuple(caches)
        """tables computed from projections; a rebuild empties them when it is done"""

    async def read_head(
        self,
        tx: Tx,
        tenant_id: UUID,
        identities: Sequence[Identity],
        *,
        key_ids: frozenset[UUID] = frozenset(),
    ) -> Head:
        """The tenant's place, the events of these identities, the revoked of these keys: one snapshot."""
        sources = [identity.source for identity in identities]
        ids = [identity.external_id for identity in identities]
        rows = await tx.fetch(_READ_HEAD, tenant_id, sources, ids, list(key_ids), self.clock())
        if not rows:
            raise NotFoundError("unknown_tenant", "this tenant does not exist")
        config = await self.configs.get_config(tx, tenant_id, rows[0]["config_version"])
        known = {
            Identity(row["source"], row["external_id"]): Known(row["event_id"], row["fingerprint"])
            for row in rows
            if row["event_id"] is not None
        }
        return Head(rows[0]["seq"], config, known, key_ids - set(rows[0]["live_keys"]))

    async def lock(self, tx: Tx, tenant_id: UUID, *, spent: int = 0) -> Commit:
        """Take the tenant's write lock and the next place in its order, and `spent` events off its rate."""
        row = await tx.fetchrow(_LOCK_HEAD, tenant_id, self.offset(), float(spent))
        if row is None:
            raise DatabaseUnavailableError("the projections of this tenant are being rebuilt")
        config = await self.configs.get_config(tx, tenant_id, row["config_version"])
        return Commit(
            tenant_id, row["seq"], row["recorded_at"], config, rate=row["rate"], allowance=row["allowance"]
        )

    def annotated(self, draft: Draft, config: TenantConfig) -> Draft:
        """The draft of an accepted event with what is read out of it; before the lock, for it takes time."""
        for annotator in self.annotators:
            draft = annotator.annotate(draft, config)
        return draft

    async def append(self, tx: Tx, commit: Commit, drafts: Sequence[Draft]) -> Appended:
        """Append drafts (under the lock, identities checked) with all that follows from them."""
        gathered = Gathered(tx)
        await place_all(gathered, commit, drafts)
        for decider in self.deciders:
            await place_all(gathered, commit, list(await decider.decide(gathered, commit)))
        await note_nouns(gathered, commit)
        await store_events(gathered, commit, commit.events)
        for projection in self.projections:
            await projection.apply(gathered, commit)
        appended = Appended(commit.seq, commit.recorded_at, list(commit.events), commit.standings)
        appended.announced = await self._announce(gathered, commit)
        await gathered.flush()
        return appended

    async def announce(self, tx: Tx, commit: Commit) -> int:
        """Let the announcers state what follows from the new state; derived events join the commit."""
        gathered = Gathered(tx)
        stated = await self._announce(gathered, commit)
        await gathered.flush()
        return stated

    async def _announce(self, tx: Tx, commit: Commit) -> int:
        first = len(commit.events)
        announcements: list[Announcement] = []
        for announcer in self.announcers:
            announcements += await announcer.announce(tx, commit, Placer(commit))
        derived = commit.events[first:]
        await store_events(tx, commit, derived)
        rows = [
            (
                commit.tenant_id,
                item.event.event_id,
                item.event.type.value,
                item.event.position,
                item.event.occurred_at,
                item.data,
                commit.recorded_at,
            )
            for item in announcements
        ]
        await insert_rows(tx, outbox, _OUTBOX_COLUMNS, rows)
        return len(derived) + len(rows)

    @asynccontextmanager
    async def transaction(self, tenant_id: UUID) -> AsyncIterator[Tx]:
        """A write transaction of one tenant; what it noted in memory is forgotten when it does not commit."""
        try:
            async with self.database.write(tenant_id) as tx:
                try:
                    yield tx
                except BaseException:
                    # before the rollback frees the lock: whoever waits for it must not meet our notes
                    self.configs.forget(tenant_id)
                    raise
        except BaseException:
            self.configs.forget(tenant_id)
            raise
