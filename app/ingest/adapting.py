"""A configured source, and its payloads read into events that the journal would accept."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.db.engine import Database
from app.domain.errors import DomainError, InvalidError, NotFoundError
from app.domain.events import Event
from app.ingest.cloudevents import PREFIX, binary_event, is_binary
from app.ingest.reading import validated
from app.ingest.router import ItemError
from app.kit.crypto import Sealer
from app.sources.base import Adapter, SourceContext, adapt
from app.sources.bodies import decode
from app.sources.configured import adapter_of, defaults_of
from app.sources.delivery import KEPT_HEADERS
from app.sources.errors import PayloadError
from app.sources.mapping import MappingAdapter, compile_mapping
from app.sources.signature_document import family_of
from app.sources.signatures import Family, Unsigned

_SOURCE = """
SELECT key, adapter, verification, sealed_secrets, time_zone, defaults, mapping, mapping_version,
       handles_cases, disabled_at, pull IS NOT NULL AS is_pulled
  FROM sources WHERE tenant_id = $1 AND key = $2
"""
_LONGEST_REF = 200
_NOTHING = {
    "mapping": 1,
    "id": "nothing",
    "format": "json",
    "events": [{"type": "interaction.ended", "when": "`false`", "occurred_at": {"received_at": True}}],
}


@dataclass(frozen=True, slots=True)
class ConfiguredSource:
    """A source as its door sees it. `public_url` is the address that the partner was given, if stated."""

    tenant_id: UUID
    key: str
    adapter: Adapter
    family: Family
    secrets: tuple[str, ...]
    context: SourceContext
    public_url: str | None = None
    networks: tuple[str, ...] = ()
    mapping_version: int | None = None
    is_pulled: bool = False

    @classmethod
    def without_adapter(cls, tenant_id: UUID, key: str, now: datetime) -> ConfiguredSource:
        """A source that posts canonical events: nothing of it is ever adapted."""
        nothing = MappingAdapter(compile_mapping(_NOTHING))
        return cls(tenant_id, key, nothing, Unsigned(), (), SourceContext(key, now))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a payload comes to: events in order, and why its other statements are none."""

    events: list[Event] = field(default_factory=list)
    refusals: list[InvalidError] = field(default_factory=list)


def secret_context(tenant_id: UUID, source: str) -> bytes:
    """To whom a sealed secret of a source belongs."""
    return tenant_id.bytes + b"source:" + source.encode()


async def find_source_by_token(
    database: Database, sealer: Sealer, token_hash: bytes, now: datetime
) -> ConfiguredSource:
    """The source behind a token. Raises NotFoundError (which tells nothing to those who guess)."""
    row = await database.fetch_row("SELECT * FROM find_inlet($1)", token_hash)
    if row is None:
        raise NotFoundError("not_found", "there is no such inlet")
    source, disabled = await _load(database, sealer, row["tenant_id"], row["source"], now)
    if disabled:
        raise NotFoundError("not_found", "there is no such inlet")
    return source


async def get_source(
    database: Database, sealer: Sealer, tenant_id: UUID, key: str, now: datetime
) -> ConfiguredSource:
    """The source of that key, also a disabled one. Raises NotFoundError."""
    source, _ = await _load(database, sealer, tenant_id, key, now)
    return source


async def _load(
    database: Database, sealer: Sealer, tenant_id: UUID, key: str, now: datetime
) -> tuple[ConfiguredSource, bool]:
    async with database.write(tenant_id) as tx:
        row = await tx.fetchrow(_SOURCE, tenant_id, key)
    if row is None:
        raise NotFoundError("not_found", f"there is no source {key!r}")
    stored: Mapping[str, Any] = row["defaults"]
    context = SourceContext(
        source=key,
        received_at=now,
        zone=ZoneInfo(row["time_zone"]) if row["time_zone"] else None,
        defaults=defaults_of(stored, handles_cases=row["handles_cases"]),
    )
    sealed = [base64.b64decode(item) for item in row["sealed_secrets"]]
    source = ConfiguredSource(
        tenant_id=tenant_id,
        key=key,
        adapter=adapter_of(row["adapter"], row["mapping"]),
        family=family_of(row["verification"], stored.get("signature_header"), stored.get("signature")),
        secrets=tuple(sealer.open(item, secret_context(tenant_id, key)).decode() for item in sealed),
        context=context,
        public_url=stored.get("public_url"),
        networks=tuple(stored.get("allowed_networks") or ()),
        mapping_version=row["mapping_version"],
        is_pulled=row["is_pulled"],
    )
    return source, row["disabled_at"] is not None


def kept_headers(headers: Mapping[str, str], adapter: Adapter) -> dict[str, str]:
    """What is kept of a delivery's headers: those that may be read later, a CloudEvent's among them."""
    read = adapter.mapping.headers() if isinstance(adapter, MappingAdapter) else frozenset()
    kept = {name: headers[name] for name in (*KEPT_HEADERS, *sorted(read)) if name in headers}
    return kept | {name: value for name, value in headers.items() if name.startswith(PREFIX)}


def read_payload(
    adapter: Adapter, context: SourceContext, body: bytes, headers: Mapping[str, str]
) -> Reading:
    """The events of a body, each held to the contract of the door; never raises for what a body holds."""
    try:
        payload = decode(body, headers.get("content-type", ""))
        if is_binary(headers):
            payload = binary_event(headers, payload)
    except PayloadError as error:
        return Reading([], [error])
    adaptation = adapt(adapter, payload, replace(context, headers=kept_headers(headers, adapter)))
    reading = Reading([], [refusal.error for refusal in adaptation.refusals])
    for event in adaptation.events:
        try:
            _check_lengths(event)
            reading.events.append(validated(event))
        except InvalidError as error:
            reading.refusals.append(error)
    return reading


def tells_no_time(event: Event, context: SourceContext) -> bool:
    """Whether the event's time is its arrival: sent again it differs in nothing else."""
    return event.occurred_at == context.received_at


def _check_lengths(event: Event) -> None:
    """Ids and references of an adapter's event are held to the door's length, as its data is."""
    named = (event.id, event.object, event.subject.ref if event.subject is not None else None)
    if any(name is not None and not 1 <= len(name) <= _LONGEST_REF for name in named):
        raise InvalidError(
            "id_too_long",
            f"an id or a reference longer than {_LONGEST_REF} characters, or empty",
            cure="Send ids of the partner as they are.",
        )


def item_errors(refused: Sequence[DomainError]) -> list[ItemError]:
    """Refusals as they are shown."""
    return [
        ItemError(
            code=error.reason,
            status=422,
            detail=error.detail,
            pointer=error.pointer,
            cure=error.cure or None,
            retryable=False,
        )
        for error in refused
    ]


def summary_of(refused: Sequence[DomainError]) -> str | None:
    """Why a payload is in quarantine, statement by statement, as it is stored."""
    lines = [f"{error.pointer or '/'}: {error.detail}" for error in refused]
    text = "\n".join(lines)[:2000].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode() or None
