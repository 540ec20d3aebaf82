"""`/v1/payloads`: the raw inbox, its quarantine, replay and reprocess."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.deps import ConfigManager, DatabaseDep, NowDep, parse_id, refuse_unknown_query
from app.ingest.payloads import repository
from app.ingest.payloads.schemas import (
    DismissIn,
    PayloadDetail,
    PayloadOut,
    PayloadPage,
    PayloadReplayIn,
    ReprocessIn,
    ReprocessOut,
    Reread,
    State,
)
from app.ingest.payloads.service import Rereader, place_cursor, read_place
from app.kit.ids import public_id
from app.problems import Problem

router = APIRouter(
    prefix="/v1/payloads",
    tags=["Raw payloads"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 409, 422, 503)},
)

Word = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]
Moment = Annotated[datetime | None, Query(description="RFC 3339, with an offset")]


def get_rereader(principal: ConfigManager, request: Request, database: DatabaseDep, now: NowDep) -> Rereader:
    """What reads payloads again, for the principal's tenant."""
    services = request.app.state.services
    return Rereader(database, services.sealer, services.ingest, principal.tenant_id, now)


RereaderDep = Annotated[Rereader, Depends(get_rereader)]


@router.get("", summary="List raw payloads", operation_id="list_payloads")
async def list_payloads(
    principal: ConfigManager,
    database: DatabaseDep,
    request: Request,
    response: Response,
    source: Word = None,
    state: Annotated[State | None, Query(description="`quarantined` is the quarantine")] = None,
    reason: Word = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=1_000)] = None,
) -> PayloadPage:
    """What providers sent, newest first, kept for the days of the raw retention."""
    filters = {"source": source, "state": state, "reason": reason}
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_payloads(
            connection, principal.tenant_id, filters, after=read_place(cursor), limit=limit + 1
        )
    page = PayloadPage(items=[PayloadOut(**_shown(row)) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = place_cursor(rows[limit - 1])
        following = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return page


@router.post("/reprocess", summary="Read a source's payloads again", operation_id="reprocess_payloads")
async def reprocess_payloads(wanted: ReprocessIn, rereader: RereaderDep) -> ReprocessOut:
    """After a mapping, the questions or an adapter was corrected: decide again over what arrived.

    What comes out the same stays; what comes out otherwise is stated anew and the old is retracted.
    Nothing is announced unless `announce` is true.
    """
    return await rereader.reprocess(wanted)


@router.get("/{payload_id}", summary="Get a raw payload", operation_id="get_payload")
async def get_payload(payload_id: str, principal: ConfigManager, database: DatabaseDep) -> PayloadDetail:
    """One payload with its bytes."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.get_payload(connection, principal.tenant_id, parse_id("raw", payload_id))
    body = bytes(row.body)
    return PayloadDetail(
        **_shown(row),
        headers=row.headers,
        body=_text(body),
        body_base64=base64.b64encode(body).decode(),
        mended_body=None if row.mended_body is None else _text(bytes(row.mended_body)),
    )


@router.post("/{payload_id}/replay", summary="Replay a payload", operation_id="replay_payload")
async def replay_payload(payload_id: str, wanted: PayloadReplayIn, rereader: RereaderDep) -> Reread:
    """Read a payload again, as it came or mended; out of quarantine when it is understood."""
    return await rereader.replay(parse_id("raw", payload_id), wanted)


@router.post(
    "/{payload_id}/dismiss", status_code=204, summary="Dismiss a payload", operation_id="dismiss_payload"
)
async def dismiss_payload(payload_id: str, wanted: DismissIn, rereader: RereaderDep) -> None:
    """Give a payload up, with a reason."""
    await rereader.dismiss(parse_id("raw", payload_id), wanted.reason)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": public_id("raw", row.raw_id),
        "source": row.source,
        "received_at": row.received_at,
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "events": row.event_ids,
        "mapping_version": row.mapping_version,
        "settled_at": row.settled_at,
    }


def _text(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None
