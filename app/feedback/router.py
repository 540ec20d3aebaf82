"""Reading what customers said: answers, their changes in order, and the events behind them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime

from app.auth import Principal, Scope, find_principal, key_of, refuse_scope
from app.db.engine import Database
from app.deps import DatabaseDep, FeedbackReader, get_database, get_now, parse_id, refuse_unknown_query
from app.feedback import filters, presentation, repository
from app.feedback.changes import list_changes
from app.feedback.schemas import ChangePage, FeedbackDetail, FeedbackPage, StoredEventOut
from app.journal.journal import Journal
from app.problems import Problem

MAX_LIMIT = 500
_TIMEOUT_SECONDS = 20
_LAST_SEQUENCE = 2**62
_DECLARED_ONLY = [Depends(refuse_unknown_query)]
_ANY_KEY: dict[str, Any] = {"security": [{"HTTPBearer": []}, {"APIKeyHeader": []}, {"HTTPBasic": []}]}

router = APIRouter(responses={code: {"model": Problem} for code in (401, 403, 404, 422, 503)})


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this instant lies outside the calendar") from None


def _values_of(name: str) -> dict[str, Any]:
    listed = filters.CLOSED_LISTS.get(name)
    return (
        {"type": "string"} if listed is None else {"type": "string", "enum": [str(word) for word in listed]}
    )


def _filter_parameters() -> list[dict[str, Any]]:
    """The filters as OpenAPI parameters; `attributes.<key>` cannot be listed, its keys are the tenant's."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": "may be given several times: any of the values",
            "schema": {"type": "array", "items": _values_of(name)},
        }
        for name in filters.COLUMNS
    ]


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


@router.get(
    "/v1/feedback",
    tags=["Feedback"],
    summary="List feedback",
    operation_id="list_feedback",
    openapi_extra={"parameters": _filter_parameters()},
)
async def list_feedback(
    principal: FeedbackReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    from_at: Annotated[Instant | None, Query(alias="from", description="experienced or given from")] = None,
    to_at: Annotated[Instant | None, Query(alias="to", description="before; excluded")] = None,
    customer: Annotated[
        str | None, Query(max_length=300, description="`type:value`", examples=["email:olena@example.com"])
    ] = None,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> FeedbackPage:
    """Current answers, newest first. Filters are joined by AND, repeated ones by OR.

    `attributes.<key>=value` filters by a registered attribute.
    """
    tenant_id = principal.tenant_id
    customer_ref = None if customer is None else await _customer_ref(request, tenant_id, customer)
    async with database.tenant(tenant_id, timeout_seconds=_TIMEOUT_SECONDS) as connection:
        types = await repository.list_attribute_types(connection, tenant_id)
        conditions = filters.read_dimensions(request.query_params.multi_items(), types)
        conditions.from_at, conditions.to_at = from_at, to_at
        if customer_ref is not None:
            conditions.columns["customer_ref"] = [customer_ref]
        if cursor is not None:
            conditions.before = filters.decode_place(cursor)
        rows = await repository.list_feedback(connection, tenant_id, conditions, limit + 1)
    page = FeedbackPage(items=[presentation.feedback_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = filters.encode_place(rows[limit - 1])
        _link_next(request, response, cursor=page.next_cursor)
    return page


@router.get(
    "/v1/feedback/changes",
    tags=["Feedback"],
    summary="Read the changes feed",
    operation_id="list_feedback_changes",
    dependencies=_DECLARED_ONLY,
)
async def list_feedback_changes(
    principal: FeedbackReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    after: Annotated[int, Query(ge=0, le=_LAST_SEQUENCE, description="`next_after` of the page before")] = 0,
    limit: Limit = 100,
) -> ChangePage:
    """Every change of the feedback store in commit order, withdrawals included; nothing is ever skipped.

    Keep `next_after` together with what you stored, and go on from there whenever you like.
    """
    async with database.tenant(principal.tenant_id, timeout_seconds=_TIMEOUT_SECONDS) as connection:
        rows = await list_changes(connection, principal.tenant_id, after=after, limit=limit + 1)
    items = [presentation.change_out(row) for row in rows[:limit]]
    page = ChangePage(
        items=items, next_after=items[-1].sequence if items else after, has_more=len(rows) > limit
    )
    _link_next(request, response, after=page.next_after)
    return page


@router.get(
    "/v1/feedback/{feedback_id}",
    tags=["Feedback"],
    summary="Read one answer",
    operation_id="get_feedback",
    dependencies=_DECLARED_ONLY,
)
async def get_feedback(principal: FeedbackReader, feedback_id: str, database: DatabaseDep) -> FeedbackDetail:
    """An answer as it stands, with all its versions."""
    wanted = parse_id("fb", feedback_id)
    async with database.tenant(principal.tenant_id, timeout_seconds=_TIMEOUT_SECONDS) as connection:
        rows = await repository.get_versions(connection, principal.tenant_id, wanted)
    return presentation.feedback_detail(rows)


async def get_event_reader(request: Request) -> Principal:
    """Who sends events may read them back; who reads feedback sees their personal part too."""
    principal = await find_principal(get_database(request), key_of(request.headers), get_now(request))
    if not (principal.may(Scope.EVENTS_WRITE) or principal.may(Scope.FEEDBACK_READ)):
        raise refuse_scope(principal, Scope.FEEDBACK_READ)
    return principal


@router.get(
    "/v1/events/{event_id}",
    tags=["Events"],
    summary="Read one event",
    operation_id="get_event",
    dependencies=_DECLARED_ONLY,
    openapi_extra=_ANY_KEY,
)
async def get_event(
    principal: Annotated[Principal, Depends(get_event_reader)], event_id: str, database: DatabaseDep
) -> StoredEventOut:
    """An event as the journal keeps it; `personal` only for keys with the scope `feedback:read`."""
    wanted = parse_id("evt", event_id)
    async with database.tenant(principal.tenant_id, timeout_seconds=_TIMEOUT_SECONDS) as connection:
        row = await repository.get_event(connection, principal.tenant_id, wanted)
    return presentation.event_out(row, with_personal=principal.may(Scope.FEEDBACK_READ))


async def _customer_ref(request: Request, tenant_id: UUID, customer: str) -> bytes:
    """The hash under which the journal knows this customer; the identifier itself is nowhere."""
    kind, value = filters.read_customer(customer)
    journal: Journal = request.app.state.services.journal
    database: Database = journal.database
    async with database.write(tenant_id) as tx:
        head = await journal.read_head(tx, tenant_id, ())
    return head.config.customer_ref(kind, value)


def _link_next(request: Request, response: Response, **changed: Any) -> None:
    response.headers["Link"] = f'<{request.url.include_query_params(**changed)}>; rel="next"'
