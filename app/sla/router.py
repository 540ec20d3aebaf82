"""The SLA over HTTP: timers, the clock of one subject and its reasons, and what was announced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, StringConstraints

from app.deps import CasesReader, DatabaseDep, NowDep, parse_id, refuse_unknown_query
from app.domain.errors import InvalidError
from app.domain.events import SubjectKind
from app.domain.sla import AnnouncementKind
from app.journal.journal import Journal
from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.problems import Problem
from app.sla import repository
from app.sla.payload import explained_data, ledger_data, reading_data, subject_id, timer_data
from app.sla.readings import SubjectClock
from app.sla.repository import LedgerFilters, TimerFilters
from app.sla.schemas import (
    AnnouncementOut,
    AnnouncementPage,
    LiveState,
    SubjectExplained,
    SubjectSla,
    TimerOut,
    TimerPage,
)

_TIMEOUT_SECONDS = 20

router = APIRouter(
    tags=["SLA"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 422, 503)},
)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this instant lies outside the calendar") from None


def get_journal(request: Request) -> Journal:
    """The journal of this process."""
    journal: Journal = request.app.state.services.journal
    return journal


JournalDep = Annotated[Journal, Depends(get_journal)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Names = Annotated[list[Name] | None, Query(max_length=100, description="several: any of them")]
RefPath = Annotated[str, Path(max_length=200)]
Ref = Annotated[str, Query(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=500)]


@router.get("/v1/sla/timers", summary="List timers", operation_id="list_sla_timers")
async def list_timers(
    principal: CasesReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    subject_kind: Annotated[list[SubjectKind] | None, Query()] = None,
    timer: Names = None,
    policy: Names = None,
    severity: Names = None,
    location: Names = None,
    state: Annotated[list[LiveState] | None, Query(description="as of now")] = None,
    due_from: Annotated[Instant | None, Query(description="due at or after")] = None,
    due_to: Annotated[Instant | None, Query(description="due before")] = None,
    overdue: Annotated[bool, Query(description="true: still open past its due time")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> TimerPage:
    """One row for each cycle of each timer, the latest start first."""
    kinds = None if subject_kind is None else [kind.value for kind in subject_kind]
    columns = {
        "subject_kind": kinds, "timer": timer, "policy": policy, "severity": severity, "location": location,
    }  # fmt: skip
    filters = TimerFilters(now, columns, state, due_from, due_to, overdue, _timer_place(cursor))
    async with database.tenant(principal.tenant_id, timeout_seconds=_TIMEOUT_SECONDS) as connection:
        rows = await repository.list_timers(connection, principal.tenant_id, filters, limit + 1)
    shown = [timer_data(row, repository.live_state(row, now)) for row in rows[:limit]]
    page = TimerPage(items=[TimerOut(**timer) for timer in shown])
    if len(rows) > limit:
        last = rows[limit - 1]
        page.next_cursor = encode_cursor(last.started_at.isoformat(), last.subject_id, last.timer, last.cycle)
        _link_next(request, response, page.next_cursor)
    return page


@router.get("/v1/sla/announcements", summary="List announcements", operation_id="list_sla_announcements")
async def list_announcements(
    principal: CasesReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    timer: Names = None,
    kind: Annotated[list[AnnouncementKind] | None, Query()] = None,
    case: Annotated[str | None, Query(max_length=40, description="id of a case")] = None,
    from_at: Annotated[Instant | None, Query(alias="from", description="announced at or after")] = None,
    to_at: Annotated[Instant | None, Query(alias="to", description="announced before")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AnnouncementPage:
    """The ledger of what was decided about timers, each exactly once, the latest first."""
    kinds = None if kind is None else [known.value for known in kind]
    about = None if case is None else parse_id("case", case)
    filters = LedgerFilters({"timer": timer, "kind": kinds}, about, from_at, to_at, _ledger_place(cursor))
    async with database.tenant(principal.tenant_id, timeout_seconds=_TIMEOUT_SECONDS) as connection:
        rows = await repository.list_ledger(connection, principal.tenant_id, filters, limit + 1)
    page = AnnouncementPage(items=[AnnouncementOut(**ledger_data(row)) for row in rows[:limit]])
    if len(rows) > limit:
        last = rows[limit - 1]
        page.next_cursor = encode_cursor(last.announced_at.isoformat(), last.event_id)
        _link_next(request, response, page.next_cursor)
    return page


@router.get("/v1/cases/{case_id}/sla", summary="Read the clock of a case", operation_id="get_case_sla")
async def get_case_sla(principal: CasesReader, case_id: str, journal: JournalDep, now: NowDep) -> SubjectSla:
    """Every cycle of each timer of the case as it stands now."""
    kind, wanted = SubjectKind.CASE, parse_id("case", case_id)
    clock = await repository.get_clock(journal, principal.tenant_id, kind, wanted, now)
    timers = [] if clock is None else [reading_data(clock, reading) for reading in clock.readings]
    return SubjectSla.model_validate(_about(kind, wanted, now, timers))


@router.get(
    "/v1/cases/{case_id}/sla/explain", summary="Explain the clock of a case", operation_id="explain_case_sla"
)
async def explain_case_sla(
    principal: CasesReader, case_id: str, journal: JournalDep, now: NowDep
) -> SubjectExplained:
    """The same with every interval and the reason why it counts or not."""
    kind, wanted = SubjectKind.CASE, parse_id("case", case_id)
    clock = await repository.get_clock(journal, principal.tenant_id, kind, wanted, now)
    return _explained(kind, wanted, clock, now)


@router.get(
    "/v1/interactions/by-ref/{ref:path}/sla/explain",
    summary="Explain the clock of an interaction",
    operation_id="explain_interaction_sla",
)
async def explain_interaction_sla(
    principal: CasesReader, ref: RefPath, journal: JournalDep, now: NowDep
) -> SubjectExplained:
    """Whether the customer was offered to give feedback in time, with every interval."""
    kind = SubjectKind.INTERACTION
    wanted = await repository.get_subject_id(journal, principal.tenant_id, kind, ref)
    clock = await repository.get_clock(journal, principal.tenant_id, kind, wanted, now)
    return _explained(kind, wanted, clock, now)


@router.get("/v1/sla/explain", summary="Explain the clock of any subject", operation_id="explain_sla")
async def explain_sla(
    principal: CasesReader, subject_kind: SubjectKind, ref: Ref, journal: JournalDep, now: NowDep
) -> SubjectExplained:
    """The clock of an order, a review, an action ... by the reference that its source gave it."""
    wanted = await repository.get_subject_id(journal, principal.tenant_id, subject_kind, ref)
    clock = await repository.get_clock(journal, principal.tenant_id, subject_kind, wanted, now)
    return _explained(subject_kind, wanted, clock, now)


def _explained(
    kind: SubjectKind, wanted: UUID, clock: SubjectClock | None, now: datetime
) -> SubjectExplained:
    timers = [] if clock is None else [explained_data(clock, reading) for reading in clock.readings]
    return SubjectExplained.model_validate(_about(kind, wanted, now, timers))


def _about(kind: SubjectKind, wanted: UUID, now: datetime, timers: list[dict[str, Any]]) -> dict[str, Any]:
    subject = {"kind": kind.value, "id": subject_id(kind, wanted)}
    return {"subject": subject, "as_of": now, "timers": timers}


def _timer_place(cursor: str | None) -> tuple[Any, ...] | None:
    if cursor is None:
        return None
    try:
        at, subject, timer, cycle = decode_cursor(cursor, 4)
        return _instant(at), UUID(str(subject)), str(timer).replace("\x00", ""), UUID(str(cycle))
    except (CursorError, ValueError, OverflowError):
        raise _no_cursor() from None


def _ledger_place(cursor: str | None) -> tuple[Any, ...] | None:
    if cursor is None:
        return None
    try:
        at, event_id = decode_cursor(cursor, 2)
        return _instant(at), UUID(str(event_id))
    except (CursorError, ValueError, OverflowError):
        raise _no_cursor() from None


def _instant(value: object) -> datetime:
    return datetime.fromisoformat(str(value)).astimezone(UTC)


def _no_cursor() -> InvalidError:
    return InvalidError(
        "invalid_cursor",
        "this is no cursor of this list",
        pointer="query:cursor",
        cure="take `next_cursor` of the page before, or leave it out to begin anew",
    )


def _link_next(request: Request, response: Response, cursor: str) -> None:
    response.headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
