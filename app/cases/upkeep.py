"""What time alone does to cases: verification expires, customers waited for in vain are told, then closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from app.cases.playbooks import attention
from app.cases.repository import find_history, list_attention, list_refs_of
from app.db.engine import Database, Tx
from app.domain.case import fold
from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.journal.drafts import draft
from app.journal.due import in_halves
from app.journal.journal import Journal
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.rows import select_events
from app.journal.tenants import list_tenants

log = structlog.get_logger()

EVERY_SECONDS: Final = 60.0
_CASES_A_COMMIT: Final = 100


class CaseUpkeep:
    """One step looks once at every tenant; what it finds is stated as facts, like anybody else's."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        committed: Callable[[], None],
        *,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._database = database
        self._journal = journal
        self._committed = committed
        self._every_seconds = every_seconds

    async def step(self) -> float:
        """Do what is due; the seconds to sleep after it."""
        more = [await self.tend(tenant_id) for tenant_id in await list_tenants(self._database)]
        return 0.0 if any(more) else self._every_seconds

    async def tend(self, tenant_id: UUID) -> bool:
        """Do what is due in one tenant; True when there may be more to do at once."""
        offset = self._journal.offset()
        async with self._database.write(tenant_id) as tx:
            due = await list_attention(tx, tenant_id, offset, _CASES_A_COMMIT)
        if not due:
            return False
        stated = await in_halves(tenant_id, due, self._tend, _leave)
        if stated:
            self._committed()
        return stated > 0 and len(due) == _CASES_A_COMMIT

    async def _tend(self, tenant_id: UUID, due: Sequence[UUID]) -> int:
        """One commit for these cases."""
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            refs = await list_refs_of(tx, tenant_id, due)
            drafts: list[Draft] = []
            for case_id in due:
                if case_id in refs:
                    drafts += await _due(tx, commit, case_id, refs[case_id])
            if drafts:
                await self._journal.append(tx, commit, drafts)
        return len(drafts)


async def _leave(tenant_id: UUID, case_id: UUID, error: Exception) -> None:
    """A case that cannot be read holds up no other; it is tried again at the next look."""
    log.error("case_cannot_be_tended", tenant=str(tenant_id), case=str(case_id), exc_info=error)


async def _due(tx: Tx, commit: Commit, case_id: UUID, ref: str) -> list[Draft]:
    """What time has brought about in a case, read again under the lock."""
    history = await find_history(tx, commit.tenant_id, case_id)
    case = fold(history)
    pending = attention(commit.config, history, case)
    if pending is None or pending.at > commit.recorded_at:
        return []
    subject = Subject(SubjectKind.CASE, ref)
    name = f"{case_id}:{int(pending.at.timestamp())}"
    match pending.event:
        case EventType.CASE_VERIFICATION_EXPIRED:
            asked = await _moderation(tx, commit, history)
            return [
                _draft(commit, pending.event, name, subject, pending.at, {}),
                _draft(commit, EventType.PLATFORM_MODERATION_REQUESTED, name, subject, pending.at, asked),
            ]
        case EventType.CASE_CLOSED:
            data = {"outcome": "customer_silent", "by_rule": True}
            return [_draft(commit, pending.event, name, subject, commit.recorded_at, data)]
        case _:
            told = replace(case.current, closing_notified_at=commit.recorded_at)
            closing = attention(commit.config, history, replace(case, cycles=(*case.cycles[:-1], told)))
            data = {} if closing is None else {"closes_at": closing.at.isoformat()}
            return [_draft(commit, pending.event, name, subject, commit.recorded_at, data)]


async def _moderation(tx: Tx, commit: Commit, history: Sequence[StoredEvent]) -> dict[str, Any]:
    """Which review the platform may be asked to check by its own rules; we hide nothing (domain.md 6.5)."""
    causes = [event.caused_by for event in history if event.type is EventType.CASE_OPENED]
    told = [event for event in history if event.type.startswith(("feedback.", "review."))]
    if not told and causes and causes[0] is not None:
        told = await select_events(tx, commit.tenant_id, "e.event_id = $2", causes[0])
    data: dict[str, Any] = {"hides": False}
    if told:
        first = told[0]
        data |= {"platform": first.source, "review": first.object or first.external_id}
        if first.fact.get("source_url"):
            data["source_url"] = first.fact["source_url"]
    return data


def _draft(
    commit: Commit, kind: EventType, name: str, subject: Subject, at: datetime, data: dict[str, Any]
) -> Draft:
    stated = Event(
        type=kind,
        id=f"{kind.value}:{name}",
        source=OWN_SOURCE,
        occurred_at=at,
        data={**data, "human": False},
        subject=subject,
    )
    return draft(stated, commit.config, received_at=commit.recorded_at)
