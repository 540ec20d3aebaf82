"""The loop that looks at every due rule and tells what has changed since it looked last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError

from app.db.engine import Database
from app.domain.errors import DomainError
from app.journal.tenants import list_tenants
from app.kit.clock import Clock
from app.metrics.alerts.evaluation import Finding, evaluate, vanished
from app.metrics.alerts.repository import (
    announce,
    claim_alerts,
    list_raised,
    note_problem,
)
from app.metrics.alerts.schemas import AlertIn

IDLE_SECONDS = 20.0

log = structlog.get_logger()


class AlertWatch:
    """Any number of processes may run one: a rule is claimed, and a state is written once."""

    def __init__(self, database: Database, clock: Clock, announced: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._announced = announced

    async def step(self) -> float:
        """Look at every tenant's due rules; the seconds until it is worth looking again."""
        for tenant_id in await list_tenants(self._database):
            if await watch(self._database, tenant_id, self._clock()):
                self._announced()
        return IDLE_SECONDS


async def watch(database: Database, tenant_id: UUID, now: datetime) -> int:
    """Evaluate the due rules of one tenant; how many alerts were told."""
    async with database.write(tenant_id) as tx:
        due = await claim_alerts(tx, tenant_id, now)
    told = 0
    for key, document in due:
        told += await _look(database, tenant_id, key, document, now)
    return told


async def _look(
    database: Database, tenant_id: UUID, key: str, document: dict[str, Any], now: datetime
) -> int:
    """One rule; one that cannot be evaluated says why and leaves the others alone."""
    try:
        rule = AlertIn.model_validate(document)
        findings = await evaluate(database, tenant_id, rule, now)
    except (DomainError, ValidationError) as error:
        log.warning("alert_failed", tenant=str(tenant_id), alert=key, error=str(error))
        async with database.write(tenant_id) as tx:
            await note_problem(tx, tenant_id, key, str(error)[:500])
        return 0
    async with database.write(tenant_id) as tx:
        await note_problem(tx, tenant_id, key, None)
        raised = await list_raised(tx, tenant_id, key)
    new, over = transitions(raised, {**findings, **vanished(rule, raised, findings)})
    if not new and not over:
        return 0
    async with database.write(tenant_id) as tx:
        return await announce(
            tx, tenant_id, key, rule.kind.value, new, over, now, tell_cleared=rule.announce_cleared
        )


def transitions(
    raised: dict[str, dict[str, Any]], findings: dict[str, Finding]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """What is newly true and what is over; where nothing can be said, everything stays as it was told."""
    new = {unit: f.told for unit, f in findings.items() if f.holds is True and unit not in raised}
    over = {unit: f.told for unit, f in findings.items() if f.holds is False and unit in raised}
    return new, over
