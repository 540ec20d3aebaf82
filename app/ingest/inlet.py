"""`/in/{token}`: a provider's webhook, verified, adapted, stored; what is not understood is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from app.db.engine import Database
from app.deps import DatabaseDep, NowDep
from app.domain.errors import DomainError, InvalidError
from app.domain.events import Event
from app.ingest.adapting import (
    ConfiguredSource,
    Reading,
    find_source_by_token,
    item_errors,
    kept_headers,
    read_payload,
    summary_of,
    tells_no_time,
)
from app.ingest.google_keys import GoogleKeys, GoogleKeysError
from app.ingest.handshakes import answer_get, answer_options, find_challenge
from app.ingest.pulling.repository import ask_soon
from app.ingest.quarantine import keep_raw
from app.ingest.redaction import without_secrets
from app.ingest.results import Result, Status, Terms
from app.ingest.router import ItemError
from app.ingest.service import Ingest
from app.kit import http
from app.problems import Problem, problem_response, request_id_of
from app.sources.delivery import Delivery
from app.sources.signatures import OidcToken
from app.sources.verification import VerificationError, bearer_of, verify

router = APIRouter(tags=["Inlets"])

_BROUGHT = (Status.CREATED, Status.REVISED, Status.STALE)
MAX_UNPACKED_BYTES = 32 * 1024 * 1024


class InletEvent(BaseModel):
    """One event that a delivery states."""

    type: str = Field(examples=["feedback.received"])
    id: str
    status: Status


class InletResult(BaseModel):
    """What became of a delivery."""

    status: Literal["success"] = Field(examples=["success"])
    events: int = Field(description="events that are stored now (those known before count too)")
    quarantined: int = Field(
        description="statements that were not understood; they are kept and can be replayed"
    )
    dry_run: bool = False
    results: list[InletEvent] | None = Field(default=None, description="with `dry_run`: event by event")
    errors: list[ItemError] | None = Field(
        default=None, description="with `dry_run`: what was not understood"
    )


@router.post(
    "/in/{token}",
    summary="A provider's webhook",
    operation_id="post_inlet",
    response_model=InletResult,
    response_model_exclude_none=True,
    responses={code: {"model": Problem} for code in (400, 401, 404, 413, 415, 503)},
)
async def post_inlet(
    token: str,
    request: Request,
    database: DatabaseDep,
    now: NowDep,
    dry_run: Annotated[
        str, Query(max_length=8, description="`true`: say what would happen, store nothing")
    ] = "",
) -> Any:
    """Verified by the source's signature family, adapted, stored. Answered after the commit."""
    source = await find_source_by_token(database, request.app.state.sealer, _hash(token), now)
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        await _verify(source, request, headers, body, now)
    except GoogleKeysError as error:
        return problem_response(503, "keys_unavailable", str(error), request_id=request_id_of(request))
    except VerificationError as error:
        return problem_response(
            401,
            "not_genuine",
            f"this delivery is not proven genuine ({error.reason})",
            request_id=request_id_of(request),
        )
    try:
        body = http.unpack(body, headers.get("content-encoding", ""), limit=MAX_UNPACKED_BYTES)
    except http.BodyError as error:
        return problem_response(error.status, error.code, str(error), request_id=request_id_of(request))
    challenge = find_challenge(body)
    if challenge is not None:
        return JSONResponse({"challenge": challenge})
    reading = read_payload(source.adapter, source.context, body, headers)
    ingest: Ingest = request.app.state.services.ingest
    trial = dry_run.lower() in ("true", "1")
    results = await accept_events(ingest, source, reading.events, now, dry_run=trial)
    if any(result.retryable for result in results):
        return problem_response(503, "database_unavailable", "not stored; send it again")
    rejected = [_rejection(result) for result in results if result.status is Status.REJECTED]
    refused = [*reading.refusals, *rejected]
    if trial:
        return _trial(reading, results, refused)
    await keep_delivery(database, source, now, headers, body, reading, results, refused)
    if source.is_pulled:
        # a thin notice says that there is something to ask for
        await ask_soon(database, source.tenant_id, source.key)
    return InletResult(status="success", events=len(results) - len(rejected), quarantined=len(refused))


@router.api_route("/in/{token}", methods=["GET", "HEAD"], include_in_schema=False, response_class=Response)
async def greet_inlet(token: str, request: Request, database: DatabaseDep, now: NowDep) -> Response:
    """A handshake by GET or HEAD. Raises NotFoundError for a path that leads nowhere."""
    await find_source_by_token(database, request.app.state.sealer, _hash(token), now)
    return answer_get(request.query_params, token)


@router.options("/in/{token}", include_in_schema=False)
async def permit_inlet(token: str, request: Request, database: DatabaseDep, now: NowDep) -> Response:
    """The handshake of CloudEvents."""
    await find_source_by_token(database, request.app.state.sealer, _hash(token), now)
    return answer_options(request.headers)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


async def _verify(
    source: ConfiguredSource, request: Request, headers: Mapping[str, str], body: bytes, now: datetime
) -> None:
    """Raises VerificationError, GoogleKeysError. The URL is the public one where the source states it."""
    if source.networks and not _is_allowed(request.client.host if request.client else "", source.networks):
        raise VerificationError("address_not_allowed")
    url = str(request.url)
    if source.public_url is not None:
        query = request.url.query
        url = source.public_url + (f"?{query}" if query and "?" not in source.public_url else "")
    delivery = Delivery(headers=headers, body=body, url=url)
    keys = None
    if isinstance(source.family, OidcToken):
        google: GoogleKeys = request.app.state.services.google_keys
        keys = await google.keys_for(bearer_of(delivery))
    verify(source.family, delivery, source.secrets, now, keys)


def _is_allowed(host: str, networks: Sequence[str]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in networks)


async def accept_events(
    ingest: Ingest,
    source: ConfiguredSource,
    events: Sequence[Event],
    now: datetime,
    *,
    dry_run: bool = False,
) -> list[Result]:
    """Results in order. What tells no time of its own and is known under its id came again: no conflict."""
    if not events:
        return []
    results = await ingest.accept(source.tenant_id, events, Terms(None, now), dry_run=dry_run)
    return [
        Result(Status.DUPLICATE)
        if result.error is not None
        and result.error.reason == "event_conflict"
        and tells_no_time(event, source.context)
        else result
        for event, result in zip(events, results, strict=True)
    ]


def _trial(reading: Reading, results: Sequence[Result], refused: Sequence[DomainError]) -> InletResult:
    stated = zip(reading.events, results, strict=True)
    return InletResult(
        status="success",
        dry_run=True,
        events=sum(result.status is not Status.REJECTED for result in results),
        quarantined=len(refused),
        results=[
            InletEvent(type=event.type.value, id=event.id, status=result.status) for event, result in stated
        ],
        errors=item_errors(refused),
    )


def _rejection(result: Result) -> DomainError:
    return result.error or InvalidError("rejected", "the journal refuses this event")


async def keep_delivery(
    database: Database,
    source: ConfiguredSource,
    now: datetime,
    headers: Mapping[str, str],
    body: bytes,
    reading: Reading,
    results: Sequence[Result],
    refused: Sequence[DomainError],
) -> None:
    """Keep what was delivered, and what became of it."""
    first = refused[0] if refused else None
    stored = zip(reading.events, results, strict=True)
    await keep_raw(
        database,
        source.tenant_id,
        source.key,
        now,
        state="quarantined" if first else "adapted" if reading.events else "ignored",
        reason=first.reason if first else None,
        detail=summary_of(refused),
        headers=kept_headers(headers, source.adapter),
        body=without_secrets(source.family, source.secrets, body, headers.get("content-type", "")),
        # a fact that an earlier delivery brought stands for that one
        event_ids=[event.id for event, result in stored if result.status in _BROUGHT],
        mapping_version=source.mapping_version,
    )
