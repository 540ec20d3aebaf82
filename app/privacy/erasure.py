"""Forgets people: one random name for a person everywhere, words and raw bodies gone, counters kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

import structlog

from app.db.engine import Tx, is_retryable
from app.db.wakeup import Bell
from app.domain.events import Event, EventType
from app.domain.privacy import Traces, traces_of
from app.journal.audit import Deed, append_audit_rows
from app.journal.drafts import draft
from app.journal.journal import Journal
from app.journal.ports import OWN_SOURCE, Commit
from app.journal.tenants import move_config
from app.kit import json
from app.kit.crypto import Sealer
from app.kit.ids import public_id
from app.privacy import repository
from app.privacy.facts import strip_facts
from app.privacy.intake import identifier_context

log = structlog.get_logger()

LONGEST_SLEEP_SECONDS: Final = 5.0
RAW_AT_ONCE: Final = 500
FIRST_PLACE: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))

_DUE = """
SELECT tenant_id, erasure_id FROM erasures WHERE next_at <= now() + $1::interval ORDER BY next_at LIMIT 20
"""
_JOB = """
SELECT customer_ref, token, sealed_identifier, requested_at, counts FROM erasures
 WHERE tenant_id = $1 AND erasure_id = $2 AND next_at IS NOT NULL
"""
_NOTE = "UPDATE erasures SET counts = $3::text::jsonb WHERE tenant_id = $1 AND erasure_id = $2"
_DONE = """
UPDATE erasures SET customer_ref = NULL, sealed_identifier = NULL, next_at = NULL, completed_at = $3,
       counts = $4::text::jsonb WHERE tenant_id = $1 AND erasure_id = $2
"""
_LATER = """
UPDATE erasures SET next_at = now() + $3::interval + interval '1 minute'
 WHERE tenant_id = $1 AND erasure_id = $2
"""


class ErasureLoop:
    """One step carries out what was asked for, a person at a time; every part may be done twice."""

    def __init__(self, journal: Journal, sealer: Sealer, bell: Bell) -> None:
        self._journal = journal
        self._sealer = sealer
        self._bell = bell

    async def step(self) -> float:
        """Forget whoever asked for it; the seconds to sleep after it."""
        async with self._journal.database.worker() as tx:
            rows = await tx.fetch(_DUE, self._journal.offset())
        for row in rows:
            tenant_id, erasure_id = row["tenant_id"], row["erasure_id"]
            try:
                await self.erase(tenant_id, erasure_id)
            except Exception as error:
                if is_retryable(error):
                    raise
                log.error("erasure_failed", tenant=str(tenant_id), erasure=str(erasure_id), exc_info=error)
                async with self._journal.database.write(tenant_id) as tx:
                    await tx.execute(_LATER, tenant_id, erasure_id, self._journal.offset())
        return 0.0 if len(rows) == 20 else LONGEST_SLEEP_SECONDS

    async def erase(self, tenant_id: UUID, erasure_id: UUID) -> None:
        """The rows first, under the tenant's lock; then raw bodies in stretches; then the word of it.

        Messages are redacted twice: one that was being fanned out meanwhile is met the second time.
        """
        async with self._journal.transaction(tenant_id) as tx:
            job = await tx.fetchrow(_JOB, tenant_id, erasure_id)
            if job is None:
                return
            traces = await self._rows(tx, tenant_id, erasure_id, job)
        found = 0
        place: tuple[datetime, UUID] | None = FIRST_PLACE
        while place is not None:
            async with self._journal.database.write(tenant_id) as tx:
                hits, place = await repository.erase_raw(tx, tenant_id, traces, place, RAW_AT_ONCE)
            found += hits
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            job = await tx.fetchrow(_JOB, tenant_id, erasure_id)
            if job is not None:
                await self._complete(tx, commit, erasure_id, job, found, traces)
        self._bell.ring("fanout")

    async def _rows(self, tx: Tx, tenant_id: UUID, erasure_id: UUID, job: Any) -> Traces:
        await self._journal.lock(tx, tenant_id)
        sealed = self._sealer.open(job["sealed_identifier"], identifier_context(tenant_id, erasure_id))
        customer = json.loads(sealed)
        counts = job["counts"]
        names: set[str] = set()
        # the second name too: what an interrupted run has renamed already
        for ref in (job["customer_ref"], job["token"]):
            found = await repository.find_belongings(tx, tenant_id, ref)
            names |= set(found.names)
            traces = traces_of(customer["type"], customer["value"])
            stripped = await repository.strip(tx, tenant_id, found, traces)
            sent = await repository.redact_messages(tx, tenant_id, found.event_ids, traces)
            facts = await strip_facts(tx, tenant_id, found, traces)
            counts = repository.added(counts, stripped, facts, sent)
        renamed = await repository.rename(tx, tenant_id, job["customer_ref"], job["token"])
        renamed.pop("event_personal", None)
        counts = repository.added(counts, renamed)
        await tx.execute(_NOTE, tenant_id, erasure_id, json.dumps_text(counts))
        # what was prepared or remembered under the configuration of before holds words that are gone now
        await move_config(tx, tenant_id)
        return traces_of(customer["type"], customer["value"], sorted(names))

    async def _complete(
        self, tx: Tx, commit: Commit, erasure_id: UUID, job: Any, raw: int, traces: Traces
    ) -> None:
        found = await repository.find_belongings(tx, commit.tenant_id, job["token"])
        again = await repository.redact_messages(tx, commit.tenant_id, found.event_ids, traces)
        again.pop("attempts")
        counts = repository.added(job["counts"], again, {"raw_payloads": raw})
        identity = uuid5(commit.tenant_id, f"erased:{erasure_id}")
        event = Event(
            type=EventType.ERASURE_COMPLETED,
            id=str(identity),
            source=OWN_SOURCE,
            occurred_at=commit.recorded_at,
            data={
                "erasure_id": public_id("ers", erasure_id),
                "requested_at": job["requested_at"],
                "counts": counts,
            },
        )
        made = draft(event, commit.config, received_at=commit.recorded_at, caused_by=erasure_id)
        await self._journal.append(tx, commit, [replace(made, event_id=identity)])
        target, detail = public_id("ers", erasure_id), json.dumps_text(counts)
        at = commit.recorded_at
        deed = Deed(OWN_SOURCE, "erasure.completed", target, at, detail)
        await append_audit_rows(tx, commit.tenant_id, deed)
        await tx.execute(_DONE, commit.tenant_id, erasure_id, at, detail)
