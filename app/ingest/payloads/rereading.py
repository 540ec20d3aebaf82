"""A payload read again: after it was mended, after its mapping was corrected, after an adapter learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from app.db.engine import DatabaseUnavailableError
from app.domain.errors import DomainError, InvalidError
from app.domain.events import Event
from app.ingest.adapting import ConfiguredSource, Reading, read_payload, tells_no_time
from app.ingest.payloads.replacing import Change, Finding, plan_change, standing_id
from app.ingest.reading import event_of
from app.ingest.results import Result, Status, Terms
from app.ingest.service import Ingest
from app.kit import json

POISON = "poison_event"
"""Reason of an entry whose body is an event of ours that the database refused."""


_NEW = (Status.CREATED, Status.REVISED, Status.STALE)


@dataclass(frozen=True, slots=True)
class Reread:
    """What came of it. `refused` keeps it in quarantine; nothing is taken back then."""

    change: Change
    refused: list[DomainError]
    added: int = 0
    retracted: int = 0

    @property
    def state(self) -> Literal["adapted", "ignored", "quarantined"]:
        """The state of the payload from now on."""
        return "quarantined" if self.refused else "adapted" if self.change.standing else "ignored"


async def reread(
    ingest: Ingest,
    source: ConfiguredSource,
    row: Any,
    body: bytes,
    *,
    run: str,
    now: datetime,
    announce: bool,
    dry_run: bool,
) -> Reread:
    """Read a payload anew and make the journal say what it says now, in one commit.

    `announce`: what follows is announced as if it came now; else it is only decided and counted.
    """
    context = replace(source.context, received_at=row.received_at)
    if row.reason == POISON:
        reading = _poison(body)
    else:
        reading = read_payload(source.adapter, context, body, row.headers)
    standing: list[str] = list(row.event_ids)
    terms = Terms(None, now, reprocess=not announce)
    named = [replace(event, id=standing_id(event, standing)) for event in reading.events]
    tried = await _try(ingest, source, named, terms)
    refused: list[DomainError] = list(reading.refusals)
    findings: list[Finding] = []
    for event, name, result in zip(reading.events, named, tried, strict=True):
        conflict = result.error is not None and result.error.reason == "event_conflict"
        # Without a time of its own a repeated delivery differs in its arrival alone.
        repeated = conflict and name.id not in standing and tells_no_time(event, context)
        if result.error is not None and not conflict:
            refused.append(result.error)
            continue
        known = repeated or result.status is Status.DUPLICATE
        findings.append(Finding(event, differs=conflict and not repeated, known=known))
    change = plan_change(findings, standing, row.retracted_ids, source=source.key, run=run, now=now)
    if refused:
        # What was understood before stays until the whole payload is understood.
        kept = tuple(dict.fromkeys([*standing, *change.standing]))
        change = replace(change, retractions=(), standing=kept)
    facts = [*change.events, *change.retractions]
    if not facts:
        return Reread(change, refused)
    results = await ingest.accept(source.tenant_id, facts, terms, atomic=True, dry_run=dry_run)
    failed = [result for result in results if result.error is not None]
    if any(result.retryable for result in failed):
        raise DatabaseUnavailableError("nothing of this payload was changed; ask again")
    if failed:
        errors = [result.error for result in failed if result.error is not None]
        return Reread(Change((), (), tuple(standing), 0), [*refused, *errors])
    new = [result.status in _NEW for result in results]
    return Reread(change, refused, sum(new[: len(change.events)]), sum(new[len(change.events) :]))


async def _try(
    ingest: Ingest, source: ConfiguredSource, events: Sequence[Event], terms: Terms
) -> list[Result]:
    return await ingest.accept(source.tenant_id, events, terms, dry_run=True) if events else []


def _poison(body: bytes) -> Reading:
    """An event of ours, as it was kept or as it was mended."""
    try:
        document = json.parse_untrusted(body)
        if not isinstance(document, dict):
            return Reading(
                [], [InvalidError("wrong_type", "an event is a JSON object", cure="Send an event.")]
            )
        stated = {key: value for key, value in document.items() if value is not None}
        return Reading([event_of(stated)], [])
    except json.JsonError as error:
        return Reading([], [InvalidError(error.reason, str(error), cure="Send JSON.")])
    except InvalidError as error:
        return Reading([], [error])
