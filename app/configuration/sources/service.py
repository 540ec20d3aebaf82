"""A source is configured: its adapter must exist, its proof must be provable, its secrets are sealed."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.configuration.changes import Change, difference
from app.configuration.sources import repository
from app.configuration.sources.schemas import (
    MAPPING_ADAPTER,
    QuestionRuleIO,
    SourceCounts,
    SourceDefaultsIO,
    SourceIn,
    SourceOut,
    SourceSettings,
    TokenOut,
)
from app.domain.errors import InvalidError, NotFoundError
from app.kit import json
from app.kit.crypto import Sealer
from app.sources.mapping import compile_mapping
from app.sources.pulls import check_pull
from app.sources.registry import USUAL_FAMILY, get_adapter
from app.sources.signature_document import family_of
from app.sources.signatures import OidcToken, Unsigned

_SIGNATURE_HEADER = "signature_header"
"""Where the inlet looks for a moved header: beside the defaults of events."""
_OF_THE_DOOR = ("public_url", "allowed_networks", "signature")
"""What else of the door stands beside the defaults of events."""


async def put_source(change: Change, sealer: Sealer, key: str, wanted: SourceIn, row: Any) -> SourceOut:
    """Configure a source (`row`: what it is now, or None). Raises InvalidError."""
    kept = [] if row is None else row.sealed_secrets
    count = len(kept) if wanted.secrets is None else len(wanted.secrets)
    _check(wanted, count)
    _check_pull(wanted, row)
    before = None if row is None else source_out(row)
    settings = wanted.model_dump(mode="json", by_alias=True, exclude={"secrets", "credentials"})
    detail = difference(
        None
        if before is None
        else before.model_dump(mode="json", by_alias=True, include=set(SourceSettings.model_fields)),
        settings,
    )
    if wanted.secrets is not None and (wanted.secrets or kept):
        kept = [seal_secret(sealer, change.tenant_id, key, secret) for secret in wanted.secrets]
        change.note("source.secrets_put", key, f"{len(kept)} live")
    elif detail is None and before is not None and wanted.credentials is None:
        return before
    if detail is not None:
        change.note("source.put", key, detail)
    disabled_at = None if not wanted.disabled else (row.disabled_at if row else None) or change.now
    values = _values(wanted) | {"sealed_secrets": kept, "disabled_at": disabled_at}
    if wanted.mapping is not None and (before is None or before.mapping != wanted.mapping):
        values["mapping_version"] = await repository.insert_mapping(
            change.connection, change.tenant_id, key, wanted.mapping, change.now
        )
    elif wanted.mapping is None:
        values["mapping_version"] = None
    values["sealed_credentials"] = _credentials(change, sealer, key, wanted, row)
    await repository.put_source(change.connection, change.tenant_id, key, values, change.now)
    await repository.put_pull(
        change.connection, change.tenant_id, key, change.now, pulled=wanted.pull is not None
    )
    return await get_source(change, key)


def _credentials(change: Change, sealer: Sealer, key: str, wanted: SourceIn, row: Any) -> str | None:
    """What is stored of a puller's credentials: sealed for this source of this tenant."""
    if wanted.pull is None:
        return None
    if wanted.credentials is None:
        kept: str | None = None if row is None else row.sealed_credentials
        return kept
    change.note("source.credentials_put", key)
    sealed = sealer.seal(json.dumps(wanted.credentials), change.tenant_id.bytes + b"pull:" + key.encode())
    return base64.b64encode(sealed).decode()


async def get_source(change: Change, key: str) -> SourceOut:
    """The source as it is now. Raises NotFoundError."""
    row = await repository.find_source(change.connection, change.tenant_id, key)
    if row is None:
        raise NotFoundError("not_found", f"there is no source {key!r}")
    return source_out(row)


async def create_token(change: Change, key: str, *, keep_previous: bool) -> TokenOut:
    """Open a new secret path to a source, closing the ones before (or all but the newest of them)."""
    source = await get_source(change, key)
    if source.adapter is None:
        raise InvalidError(
            "no_adapter",
            f"the source {key!r} has no adapter that could read what arrives there",
            cure="give it an adapter first, or let it post canonical events to /v1/events with an API key",
        )
    token = f"in_{secrets.token_urlsafe(32)}"
    await repository.delete_tokens(change.connection, change.tenant_id, key, keep_newest=int(keep_previous))
    token_hash = hashlib.sha256(token.encode()).digest()
    await repository.insert_token(change.connection, change.tenant_id, key, token_hash, change.now)
    change.note("source.token_created", key, f"previous {'kept' if keep_previous else 'dropped'}")
    return TokenOut(
        token=token,
        path=f"/in/{token}",
        created_at=change.now,
        previous="kept" if keep_previous and source.live_tokens else "dropped",
    )


async def drop_tokens(change: Change, key: str) -> None:
    """Close every path to a source."""
    await get_source(change, key)
    if await repository.delete_tokens(change.connection, change.tenant_id, key):
        change.note("source.tokens_dropped", key)


def counts_of(row: Any, counted: Sequence[Any], days: int, now: datetime) -> SourceCounts:
    """Counts by state, and whether the source is silent."""
    by_state = Counter[str]()
    reasons = Counter[str]()
    for one in counted:
        by_state[one.state] += one.payloads
        if one.state == "quarantined":
            reasons[one.reason or "unknown"] += one.payloads
    expected, last = row.expected_every_seconds, row.last_event_at
    silent = None if expected is None else last is None or now - last > timedelta(seconds=expected)
    return SourceCounts(
        key=row.key,
        days=days,
        adapted=by_state["adapted"],
        ignored=by_state["ignored"],
        quarantined=by_state["quarantined"],
        dismissed=by_state["dismissed"],
        quarantine_reasons=dict(reasons),
        last_payload_at=max((one.last_at for one in counted), default=None),
        last_event_at=last,
        is_silent=silent,
    )


def seal_secret(sealer: Sealer, tenant_id: UUID, key: str, secret: str) -> str:
    """A secret as it is stored; the context binds it to this source of this tenant."""
    sealed = sealer.seal(secret.encode(), tenant_id.bytes + b"source:" + key.encode())
    return base64.b64encode(sealed).decode()


def source_out(row: Any) -> SourceOut:
    """A source's row as callers see it: how many secrets it has, never which."""
    defaults = dict(row.defaults)
    door = {name: defaults.pop(name) for name in _OF_THE_DOOR if name in defaults}
    questions = defaults.pop("questions", {})
    return SourceOut(
        key=row.key,
        title=row.title,
        adapter=row.adapter,
        mapping=row.mapping,
        verification=row.verification,
        verification_header=defaults.pop(_SIGNATURE_HEADER, None),
        time_zone=row.time_zone,
        defaults=SourceDefaultsIO.model_construct(
            **defaults,
            questions={key: QuestionRuleIO.model_validate(rule) for key, rule in questions.items()},
        ),
        **door,
        mapping_version=row.mapping_version,
        pull=row.pull,
        has_credentials=row.sealed_credentials is not None,
        handles_cases=row.handles_cases,
        grace_seconds=row.grace_seconds,
        expected_every_seconds=row.expected_every_seconds,
        backdate_bound_seconds=row.backdate_bound_seconds,
        disabled=row.disabled_at is not None,
        live_secrets=len(row.sealed_secrets),
        live_tokens=row.live_tokens,
        created_at=row.created_at,
        last_event_at=row.last_event_at,
    )


def _values(wanted: SourceIn) -> dict[str, Any]:
    defaults = wanted.defaults.model_dump(mode="json", by_alias=True, exclude_none=True)
    door = wanted.model_dump(mode="json", include=set(_OF_THE_DOOR), exclude_none=True)
    defaults |= {name: value for name, value in door.items() if value}
    if not defaults.get("questions"):
        defaults.pop("questions", None)
    if wanted.verification_header is not None:
        defaults[_SIGNATURE_HEADER] = wanted.verification_header.lower()
    stored = wanted.model_dump(
        exclude={"secrets", "credentials", "disabled", "verification_header", "defaults", *_OF_THE_DOOR}
    )
    return {**stored, "defaults": defaults}


def _check(wanted: SourceIn, secret_count: int) -> None:
    if (wanted.adapter == MAPPING_ADAPTER) != (wanted.mapping is not None):
        raise InvalidError(
            "mapping_mismatch",
            f"the adapter `{MAPPING_ADAPTER}` and a mapping document come together",
            pointer="/mapping",
            cure="send both, or neither",
        )
    if wanted.mapping is not None:
        _check_mapping(wanted.mapping)
    elif wanted.adapter is not None:
        get_adapter(wanted.adapter)
    described = None if wanted.signature is None else wanted.signature.model_dump(exclude_none=True)
    family = family_of(wanted.verification, wanted.verification_header, described)
    if isinstance(family, Unsigned | OidcToken) and secret_count:
        raise InvalidError(
            "secrets_unused",
            "the source has secrets, and nothing would verify them",
            pointer="/verification",
            cure=f'name the signature family of the partner{_usual(wanted.adapter)}, or send "secrets": []',
        )
    if not isinstance(family, Unsigned | OidcToken) and not secret_count:
        raise InvalidError(
            "secret_missing",
            f"the family {wanted.verification!r} refuses everything while there is no secret",
            pointer="/secrets",
            cure="send the secret that the partner shows",
        )


def _usual(adapter: str | None) -> str:
    family = USUAL_FAMILY.get(adapter or "")
    return f" (usually `{family}`)" if family else ""


def _check_pull(wanted: SourceIn, row: Any) -> None:
    if wanted.pull is None:
        if wanted.credentials is not None:
            raise InvalidError(
                "credentials_unused",
                "credentials are for sources that are asked",
                pointer="/credentials",
                cure="send `pull` as well, or leave them out",
            )
        return
    check_pull(wanted.adapter, wanted.pull.settings, wanted.credentials)
    if wanted.credentials is None and (row is None or row.sealed_credentials is None):
        raise InvalidError(
            "credentials_missing",
            "a source is not asked without credentials",
            pointer="/credentials",
            cure="send the credentials of the partner's API",
        )


def _check_mapping(document: dict[str, Any]) -> None:
    try:
        mapping = compile_mapping(document)
    except InvalidError as error:
        raise InvalidError(
            error.reason, error.detail, pointer=f"/mapping{error.pointer}", cure=error.cure
        ) from None
    if mapping.format != "json":
        raise InvalidError(
            "mapping_format",
            f"webhooks bring JSON, and this document maps {mapping.format}",
            pointer="/mapping/format",
            cure="send a document of format json; files are imported with `vidhuk import`",
        )
