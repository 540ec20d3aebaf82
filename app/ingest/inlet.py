"""`POST /in/{token}`: a provider's webhook, verified, adapted, stored; what is not understood is kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.db.engine import Database
from app.deps import DatabaseDep, NowDep
from app.domain.errors import InvalidError, NotFoundError
from app.domain.events import Event
from app.ingest.quarantine import keep_raw
from app.ingest.reading import validated
from app.ingest.results import Result, Status, Terms
from app.ingest.service import Ingest
from app.kit import json
from app.kit.crypto import Sealer
from app.problems import Problem, problem_response, request_id_of
from app.sources.base import Adaptation, Adapter, Item, Refusal, SourceContext, SourceDefaults, adapt
from app.sources.delivery import Delivery
from app.sources.errors import PayloadError
from app.sources.mapping import MappingAdapter, compile_mapping
from app.sources.registry import get_adapter
from app.sources.signatures import get_family
from app.sources.verification import VerificationError, verify

router = APIRouter(tags=["Inlets"])

_KEPT_HEADERS = ("content-type", "user-agent", "x-chatwoot-delivery", "webhook-id", "x-request-id")
_SOURCE = """
SELECT key, adapter, verification, sealed_secrets, time_zone, defaults, mapping, handles_cases, disabled_at
  FROM sources WHERE tenant_id = $1 AND key = $2
"""


@dataclass(frozen=True, slots=True)
class Inlet:
    """A source as its door sees it."""

    tenant_id: UUID
    source: str
    adapter: Adapter
    verification: str
    header: str | None
    secrets: tuple[str, ...]
    context: SourceContext


class InletResult(BaseModel):
    """What became of a delivery."""

    status: str = Field(examples=["success"])
    events: int = Field(description="events that are stored now (those known before count too)")
    quarantined: int = Field(
        description="statements that were not understood; they are kept and can be replayed"
    )


def secret_context(tenant_id: UUID, source: str) -> bytes:
    """To whom a sealed secret of a source belongs."""
    return tenant_id.bytes + b"source:" + source.encode()


@router.post(
    "/in/{token}",
    summary="A provider's webhook",
    operation_id="post_inlet",
    response_model=InletResult,
    responses={code: {"model": Problem} for code in (400, 401, 404, 413, 503)},
)
async def post_inlet(token: str, request: Request, database: DatabaseDep, now: NowDep) -> Any:
    """Verified by the source's signature family, adapted, stored. Answered after the commit."""
    inlet = await find_inlet(database, request.app.state.sealer, token, now)
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    delivery = Delivery(headers=headers, body=body, url=str(request.url))
    try:
        verify(get_family(inlet.verification, inlet.header), delivery, inlet.secrets, now)
    except VerificationError as error:
        return problem_response(
            401,
            "not_genuine",
            f"this delivery is not proven genuine ({error.reason})",
            request_id=request_id_of(request),
        )
    adaptation = _adapt(inlet, body)
    events, refusals = _validated(adaptation)
    ingest: Ingest = request.app.state.services.ingest
    results = await ingest.accept(inlet.tenant_id, events, Terms(None, now)) if events else []
    if any(result.retryable for result in results):
        return problem_response(503, "database_unavailable", "not stored; send it again")
    rejected = [_rejection(result) for result in results if result.status is Status.REJECTED]
    await _keep(database, inlet, now, headers, body, [*refusals, *rejected], bool(events))
    stored = len(results) - len(rejected)
    return InletResult(status="success", events=stored, quarantined=len(refusals) + len(rejected))


async def find_inlet(database: Database, sealer: Sealer, token: str, now: datetime) -> Inlet:
    """The source behind a token. Raises NotFoundError (which tells nothing to those who guess)."""
    row = await database.fetch_row(
        "SELECT * FROM find_inlet($1)", hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
    )
    if row is None:
        raise NotFoundError("not_found", "there is no such inlet")
    tenant_id, key = row["tenant_id"], row["source"]
    async with database.write(tenant_id) as tx:
        source = await tx.fetchrow(_SOURCE, tenant_id, key)
    if source is None or source["disabled_at"] is not None:
        raise NotFoundError("not_found", "there is no such inlet")
    defaults: Mapping[str, Any] = source["defaults"]
    stated = {name: value for name, value in defaults.items() if name in SourceDefaults.__dataclass_fields__}
    context = SourceContext(
        source=key,
        received_at=now,
        zone=ZoneInfo(source["time_zone"]) if source["time_zone"] else None,
        defaults=SourceDefaults(**{**stated, "handles_cases": source["handles_cases"]}),
    )
    sealed = [base64.b64decode(item) for item in source["sealed_secrets"]]
    secrets = tuple(sealer.open(item, secret_context(tenant_id, key)).decode() for item in sealed)
    header = defaults.get("signature_header")
    return Inlet(tenant_id, key, _adapter_of(source), source["verification"], header, secrets, context)


def _adapter_of(source: Any) -> Adapter:
    if source["mapping"] is not None:
        return MappingAdapter(compile_mapping(source["mapping"]))
    if source["adapter"] is None:
        raise NotFoundError("no_adapter", "this source posts its events to /v1/events")
    return get_adapter(source["adapter"])


def _adapt(inlet: Inlet, body: bytes) -> Adaptation:
    try:
        payload = json.parse_untrusted(body, max_depth=64)
    except json.JsonError as error:
        refused = PayloadError(error.reason, str(error), cure="send JSON")
        return Adaptation((), (Refusal(Item("", None), refused),))
    return adapt(inlet.adapter, payload, inlet.context)


def _validated(adaptation: Adaptation) -> tuple[list[Event], list[InvalidError]]:
    events: list[Event] = []
    refusals: list[InvalidError] = [refusal.error for refusal in adaptation.refusals]
    for event in adaptation.events:
        try:
            events.append(validated(event))
        except InvalidError as error:
            refusals.append(error)
    return events, refusals


def _rejection(result: Result) -> InvalidError:
    error = result.error
    return (
        InvalidError(error.reason, error.detail, pointer=error.pointer) if error else InvalidError("?", "?")
    )


async def _keep(
    database: Database,
    inlet: Inlet,
    now: datetime,
    headers: Mapping[str, str],
    body: bytes,
    refusals: Sequence[InvalidError],
    any_events: bool,
) -> None:
    first = refusals[0] if refusals else None
    await keep_raw(
        database,
        inlet.tenant_id,
        inlet.source,
        now,
        state="quarantined" if first else "adapted" if any_events else "ignored",
        reason=first.reason if first else None,
        detail=f"{first.pointer}: {first.detail}"[:2000] if first else None,
        headers={name: headers[name] for name in _KEPT_HEADERS if name in headers},
        body=body,
    )
