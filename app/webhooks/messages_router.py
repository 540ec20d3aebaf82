"""Messages over HTTP: what was and will be sent, every attempt, and another try by hand."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from app.deps import DatabaseDep, WebhooksManager, parse_id, refuse_unknown_query
from app.problems import Problem
from app.webhooks import messages, service
from app.webhooks.deps import BellDep
from app.webhooks.paging import next_cursor, read_numbers
from app.webhooks.patterns import types_of
from app.webhooks.presentation import attempt_out, message_detail, message_out, message_proof
from app.webhooks.router import Cursor, EditorDep, Limit
from app.webhooks.schemas import AttemptPage, MessagePage, MessageProof, MessageRef, Moment

router = APIRouter(
    prefix="/v1/messages",
    tags=["Webhook messages"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 409, 422, 503)},
)

State = Literal["pending", "delivered", "exhausted", "quarantined", "cancelled"]


@router.get("", summary="List messages", operation_id="list_messages")
async def list_messages(
    principal: WebhooksManager,
    database: DatabaseDep,
    request: Request,
    response: Response,
    endpoint: Annotated[str | None, Query(max_length=40, description="only of this endpoint")] = None,
    state: Annotated[State | None, Query(description="only in this state")] = None,
    type: Annotated[
        str | None, Query(max_length=100, description="only of this event type, or of a family: `sla.*`")
    ] = None,
    subject: Annotated[
        str | None, Query(max_length=200, description="only about this case or subject: `case_...`")
    ] = None,
    event: Annotated[str | None, Query(max_length=40, description="only of this event: `evt_...`")] = None,
    status: Annotated[
        int | None, Query(ge=100, le=599, description="whose latest try was answered so, such as 503")
    ] = None,
    replay: Annotated[
        str | None, Query(max_length=40, description="last queued again by this replay: `rpl_...`")
    ] = None,
    failure: Annotated[
        str | None, Query(max_length=30, description="whose latest try failed so, such as `timeout`")
    ] = None,
    since: Annotated[Moment | None, Query(description="that came to be from then on")] = None,
    until: Annotated[Moment | None, Query(description="and before then")] = None,
    body: Annotated[bool, Query(description="with what is posted: to catch up without a webhook")] = False,
    after: Annotated[
        int | None,
        Query(ge=0, lt=2**63, description="only what comes after this `sequence`, in the tenant's order"),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> MessagePage:
    """Messages, newest first; with `after`, oldest first from there on.

    To find out what you missed, ask with `after` = the greatest `sequence` that you have handled:
    messages come to be in that order, so nothing appears behind you later.
    """
    filters = {
        "endpoint_id": None if endpoint is None else parse_id("ep", endpoint),
        "state": state,
        "type": None if type is None else types_of(type),
        "subject": subject,
        "last_status": status,
        "last_failure": failure,
        "replay_id": None if replay is None else parse_id("rpl", replay),
    }
    beyond: tuple[int, int] | None = None if after is None else (after, 2**63 - 1)
    if cursor is not None:
        sequence, number = read_numbers(cursor, 2)
        beyond = sequence, number
    async with database.tenant(principal.tenant_id) as connection:
        rows = await messages.list_messages(
            connection,
            principal.tenant_id,
            filters=filters,
            event_id=None if event is None else parse_id("evt", event),
            since=since,
            until=until,
            with_body=body,
            beyond=beyond,
            newest_first=after is None,
            limit=limit + 1,
        )
    items = [message_detail(row) if body else message_out(row) for row in rows[:limit]]
    following = next_cursor(rows, limit, request, response, "sequence", "number")
    return MessagePage(items=items, next_cursor=following)


@router.get("/{message_id}", summary="Get a message", operation_id="get_message")
async def get_message(message_id: str, principal: WebhooksManager, database: DatabaseDep) -> MessageProof:
    """One message with what is posted, to the byte: with an attempt's headers, proof of what was sent."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await messages.get_message(connection, principal.tenant_id, parse_id("msg", message_id))
    return message_proof(row)


@router.get("/{message_id}/attempts", summary="List attempts", operation_id="list_attempts")
async def list_attempts(message_id: str, principal: WebhooksManager, database: DatabaseDep) -> AttemptPage:
    """Every HTTP try of a message, in order."""
    target = parse_id("msg", message_id)
    async with database.tenant(principal.tenant_id) as connection:
        message = await messages.get_message(connection, principal.tenant_id, target)
        rows = await messages.list_attempts(connection, principal.tenant_id, target)
    content_type = message_detail(message).content_type
    return AttemptPage(items=[attempt_out(row, content_type) for row in rows])


@router.post(
    "/{message_id}/resend", status_code=202, summary="Resend a message", operation_id="resend_message"
)
async def resend_message(message_id: str, editor: EditorDep, bell: BellDep) -> MessageRef:
    """One more try now: same id, today's URL and secret, whatever the state of message or endpoint.

    Each call is a try of its own. It uses up none of the automatic ones and does not count
    against the endpoint; when it succeeds, the waiting automatic try is dropped.
    """
    target = parse_id("msg", message_id)
    async with editor.edit() as edit:
        await service.resend(edit, target)
    bell.ring("deliver")
    return MessageRef(message_id=message_id)
