"""What a tenant may do with endpoints and messages, each change with its line in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import ConflictError, InvalidError
from app.domain.ordering import Ordering
from app.domain.outgoing import Format
from app.domain.signature import Ed25519Secret, Secret, parse_secret
from app.editing import check_match, etag_of_version
from app.journal.audit import Deed, append_audit
from app.kit import json
from app.kit.crypto import Sealer, key_id_of
from app.kit.ids import new_id, public_id
from app.webhooks import messages, repository
from app.webhooks.catalogue import TEST
from app.webhooks.custom_headers import check_headers
from app.webhooks.fanout import message_body
from app.webhooks.keyring import Scheme, new_secret, scheme_of, seal_headers, seal_secret
from app.webhooks.options import check_filter, option_columns
from app.webhooks.patterns import check_patterns, get_type
from app.webhooks.schemas import EndpointIn, EndpointPatch, RotateIn

MAX_ENDPOINTS = 100
MAX_LIVE_SECRETS = 10


@dataclass(frozen=True, slots=True)
class Edit:
    """One caller's transaction: whose, by which key, when, and under which precondition."""

    connection: AsyncConnection
    sealer: Sealer
    tenant_id: UUID
    actor: str
    now: datetime
    if_match: str | None = None

    async def note(self, endpoint_id: UUID, action: str) -> None:
        """Put the change into the audit."""
        deed = Deed(self.actor, action, public_id("ep", endpoint_id), self.now)
        await append_audit(self.connection, self.tenant_id, deed)

    async def get(self, endpoint_id: UUID) -> Any:
        """The endpoint, locked, if it is what the caller saw. Raises NotFoundError, ChangedMeanwhileError."""
        row = await repository.get_endpoint(self.connection, self.tenant_id, endpoint_id, lock=True)
        check_match(self.if_match, etag_of_version(row.version))
        return row


def read_secret(text: str | None, scheme: Scheme) -> Secret:
    """The caller's own secret, or a new one. Raises InvalidError."""
    if text is None:
        return new_secret(scheme)
    secret = parse_secret(text)
    if scheme_of(secret) != scheme:
        raise InvalidError(
            "secret_scheme",
            f"this secret signs by {scheme_of(secret)}, not by {scheme}",
            pointer="/secret",
            cure="send a secret of the scheme, or leave it out",
        )
    return secret


async def create_endpoint(edit: Edit, wanted: EndpointIn, secret: Secret) -> UUID:
    """A new endpoint. Raises InvalidError, ConflictError `too_many_endpoints`."""
    check_patterns(wanted.event_types)
    check_headers(wanted.headers)
    if wanted.filter is not None:
        check_filter(wanted.filter, wanted.event_types)
    if await repository.count_endpoints(edit.connection, edit.tenant_id) >= MAX_ENDPOINTS:
        raise ConflictError("too_many_endpoints", f"a tenant has at most {MAX_ENDPOINTS} endpoints")
    endpoint_id = new_id()
    await repository.insert_endpoint(
        edit.connection,
        {
            "tenant_id": edit.tenant_id,
            "endpoint_id": endpoint_id,
            "url": wanted.url,
            "description": wanted.description,
            "event_types": wanted.event_types,
            "sealed_headers": seal_headers(edit.sealer, endpoint_id, wanted.headers),
            "header_names": list(wanted.headers),
            **option_columns(wanted.model_dump()),
            "created_at": edit.now,
            "updated_at": edit.now,
        },
    )
    await _store_secret(edit, endpoint_id, secret)
    await edit.note(endpoint_id, "endpoint.created")
    return endpoint_id


async def patch_endpoint(edit: Edit, endpoint_id: UUID, patch: EndpointPatch) -> None:
    """Change what the patch names. Raises InvalidError, NotFoundError, ChangedMeanwhileError."""
    given = patch.model_dump(exclude_unset=True)
    values: dict[str, Any] = {
        name: given[name] for name in ("url", "event_types", "description") if name in given
    }
    values |= option_columns(given)
    if values.get("format") == Format.STANDARD:
        values["handshake"] = None
    if "event_types" in values:
        check_patterns(patch.event_types)
    if "headers" in given:
        check_headers(patch.headers)
        values["sealed_headers"] = seal_headers(edit.sealer, endpoint_id, patch.headers)
        values["header_names"] = list(patch.headers)
    if "url" in given:
        values["open_until"] = None  # the new one is asked at once
    row = await edit.get(endpoint_id)
    if {"filter", "event_types"} & values.keys():
        wanted = values.get("filter", row.filter)
        if wanted is not None:
            check_filter(wanted, values.get("event_types", row.event_types))
    if values:
        await repository.update_endpoint(edit.connection, row, values, now=edit.now)
        if values.get("ordering") == Ordering.NONE:
            await repository.release_held(edit.connection, endpoint_id)
        await edit.note(endpoint_id, "endpoint.changed")


async def delete_endpoint(edit: Edit, endpoint_id: UUID) -> None:
    """Delete an endpoint with its secrets; what waits for it is cancelled. Raises NotFoundError."""
    row = await edit.get(endpoint_id)
    await repository.delete_endpoint(edit.connection, row, now=edit.now)
    await edit.note(endpoint_id, "endpoint.deleted")


async def enable_endpoint(edit: Edit, endpoint_id: UUID) -> None:
    """Enable it: what is parked goes out. Enabled already: nothing changes. Raises NotFoundError."""
    row = await edit.get(endpoint_id)
    if row.disabled_at is not None:
        values = {
            "disabled_at": None,
            "disabled_reason": None,
            "failing_since": None,
            "last_failure_at": None,
            "failures": 0,
            "open_until": None,
            "warned_percent": None,
        }
        await repository.update_endpoint(edit.connection, row, values, now=edit.now)
        await repository.bring_forward(edit.connection, endpoint_id)
        await edit.note(endpoint_id, "endpoint.enabled")


async def disable_endpoint(edit: Edit, endpoint_id: UUID) -> None:
    """Disable it: what waits is parked, new events pass it by. Raises NotFoundError."""
    row = await edit.get(endpoint_id)
    if row.disabled_reason != "operator":
        values = {"disabled_at": row.disabled_at or edit.now, "disabled_reason": "operator"}
        await repository.update_endpoint(edit.connection, row, values, now=edit.now)
        await edit.note(endpoint_id, "endpoint.disabled")


async def rotate_secret(edit: Edit, endpoint_id: UUID, wanted: RotateIn, secret: Secret) -> None:
    """A new current secret; the old ones sign along until the overlap ends. Raises ConflictError."""
    row = await edit.get(endpoint_id)
    ends_at = edit.now + timedelta(seconds=wanted.overlap_seconds)
    await repository.expire_secrets(edit.connection, endpoint_id, at=ends_at, now=edit.now)
    live = await repository.list_secrets(edit.connection, [endpoint_id], now=edit.now)
    if len(live.get(endpoint_id, ())) >= MAX_LIVE_SECRETS:
        raise ConflictError(
            "too_many_secrets",
            f"{MAX_LIVE_SECRETS} secrets of this endpoint are still in their overlap",
            cure="rotate with a shorter overlap, which ends theirs too",
        )
    await _store_secret(edit, endpoint_id, secret)
    await repository.update_endpoint(edit.connection, row, {}, now=edit.now)
    await edit.note(endpoint_id, "endpoint.secret_rotated")


async def send_test(edit: Edit, endpoint_id: UUID, event_type: str) -> UUID:
    """Queue the catalogue's example of a type for this endpoint: the same way as any message, one try."""
    example = dict(get_type(event_type).example)
    endpoint = await repository.get_endpoint(edit.connection, edit.tenant_id, endpoint_id)
    sequence = await messages.get_last_position(edit.connection, edit.tenant_id)
    if event_type == TEST:
        example["endpoint_id"] = public_id("ep", endpoint_id)
    data = json.dumps_text({**example, "sequence": sequence})
    return await messages.insert_test_message(
        edit.connection,
        endpoint,
        event_type=event_type,
        body=message_body(event_type, edit.now, data),
        sequence=sequence,
        now=edit.now,
    )


async def resend(edit: Edit, message_id: UUID) -> None:
    """Queue one more try of a message, whatever its state. Raises NotFoundError, ConflictError."""
    row = await messages.get_message(edit.connection, edit.tenant_id, message_id)
    if row.body is None:
        raise ConflictError("body_gone", "retention or erasure has taken the body of this message")
    await repository.get_endpoint(edit.connection, edit.tenant_id, row.endpoint_id)
    await messages.insert_resend(edit.connection, row)
    await edit.note(row.endpoint_id, "message.resent")


async def _store_secret(edit: Edit, endpoint_id: UUID, secret: Secret) -> None:
    sealed = seal_secret(edit.sealer, endpoint_id, secret)
    await repository.insert_secret(
        edit.connection,
        {
            "tenant_id": edit.tenant_id,
            "endpoint_id": endpoint_id,
            "kind": scheme_of(secret),
            "sealed": sealed,
            "key_id": key_id_of(sealed),
            "public_key": secret.public_text if isinstance(secret, Ed25519Secret) else None,
            "created_at": edit.now,
        },
    )
