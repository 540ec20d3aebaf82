"""Gathers the coverage of the map, and gives touchpoints new names through the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.errors import InvalidError
from app.domain.events import Event, EventType
from app.domain.journey.coverage import Covered, Touchpoint, cover
from app.domain.journey.rules import Stage
from app.journal.drafts import draft
from app.journal.journal import Journal
from app.journal.ports import OWN_SOURCE
from app.journey import repository
from app.journey.schemas import CoverageOut, RetagOut, TouchpointOut
from app.kit.ids import new_id, public_id


async def coverage(journal: Journal, tenant_id: UUID, from_at: datetime, to_at: datetime) -> CoverageOut:
    """The map with what was heard along it in [from_at, to_at)."""
    async with journal.database.write(tenant_id) as tx:
        rows = await repository.list_map(tx, tenant_id)
        heard, nowhere, overall = await repository.load_heard(tx, tenant_id, from_at, to_at)
    found = cover([_touchpoint(row) for row in rows], heard)
    keys = [item for item in found if item.touchpoint.is_key]
    missing = {"no_survey", "survey_silent"}
    findings = [] if overall else ["whole_journey_not_asked"]
    if not any(row["stage"] for row in rows):
        findings.append("no_map")
    return CoverageOut(
        from_at=from_at,
        to_at=to_at,
        touchpoints=[_out(row, item) for row, item in zip(rows, found, strict=True)],
        key_touchpoints=len(keys),
        key_covered=sum(not missing & set(item.findings) for item in keys),
        without_touchpoint=nowhere,
        whole_journey_asked=overall,
        findings=findings,
    )


async def retag(journal: Journal, tenant_id: UUID, raw: str, touchpoint: str, *, by: str) -> RetagOut:
    """Give a touchpoint another name, for what is stored and for what comes. Raises InvalidError."""
    if raw == touchpoint:
        raise InvalidError(
            "same_touchpoint", "this is its name already", pointer="/touchpoint", cure="send another one"
        )
    async with journal.transaction(tenant_id) as tx:
        commit = await journal.lock(tx, tenant_id)
        answers = await repository.count_current(tx, tenant_id, raw)
        event = Event(
            type=EventType.TOUCHPOINT_RETAGGED,
            id=f"retag:{new_id()}",
            source=OWN_SOURCE,
            occurred_at=commit.recorded_at,
            data={"raw": raw, "touchpoint": touchpoint, "by": by},
        )
        made = draft(event, commit.config, received_at=commit.recorded_at)
        appended = await journal.append(tx, commit, [made])
    return RetagOut(event_id=public_id("evt", appended.events[0].event_id), answers=answers)


def _touchpoint(row: Any) -> Touchpoint:
    return Touchpoint(
        row["key"],
        row["parent"],
        None if row["stage"] is None else Stage(row["stage"]),
        bool(row["is_key"]),
        row["owner"],
        tuple(row["questions"] or ()),
    )


def _out(row: Any, item: Covered) -> TouchpointOut:
    return TouchpointOut(
        key=row["key"],
        title=row["title"],
        parent=row["parent"],
        stage=row["stage"],
        is_key=bool(row["is_key"]),
        owner=row["owner"],
        channels=row["channels"] or [],
        questions=row["questions"] or [],
        answers=item.answers,
        answers_below=item.answers_below,
        last_at=item.last_at,
        findings=list(item.findings),
    )
