"""Rows of endpoints, messages and attempts as callers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.outgoing import Format, Payload
from app.domain.signature import HmacSecret, Secret
from app.kit import json
from app.kit.ids import public_id
from app.webhooks.options import options_of
from app.webhooks.packing import render_bytes
from app.webhooks.schemas import (
    AttemptOut,
    EndpointOut,
    MessageDetail,
    MessageOut,
    MessageProof,
    RequestOut,
    SecretOut,
)
from app.webhooks.sender import sent_headers


def endpoint_out(row: Any, secrets: Sequence[Any], *, waiting: int | None = None) -> EndpointOut:
    """An endpoint without anything secret."""
    return EndpointOut(
        id=public_id("ep", row.endpoint_id),
        url=row.url,
        event_types=row.event_types,
        description=row.description,
        header_names=row.header_names,
        state="enabled" if row.disabled_at is None else "disabled",
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        failures=row.failures,
        open_until=row.open_until,
        handshake=row.handshake,
        **options_of(row),
        waiting=waiting,
        created_at=row.created_at,
        updated_at=row.updated_at,
        secrets=[secret_out(secret) for secret in secrets],
    )


def secret_out(row: Any) -> SecretOut:
    """What may be known of a secret."""
    return SecretOut(
        kind=row.kind, created_at=row.created_at, expires_at=row.expires_at, public_key=row.public_key
    )


def shown_once(secret: Secret) -> str | None:
    """The shared secret at its birth; a private key never leaves."""
    return secret.text if isinstance(secret, HmacSecret) else None


def message_fields(row: Any) -> dict[str, Any]:
    """The fields of a message."""
    return {
        "id": public_id("msg", row.message_id),
        "endpoint_id": public_id("ep", row.endpoint_id),
        "event_id": public_id("evt", row.event_id),
        "sequence": row.sequence,
        "type": row.type,
        "occurred_at": row.occurred_at,
        "created_at": row.created_at,
        "state": row.state,
        "attempts": row.attempts,
        "last_status": row.last_status,
        "last_failure": row.last_failure,
        "settled_at": row.settled_at,
        "next_at": row.next_at,
        "waits_for": None if row.waits_for is None else public_id("msg", row.waits_for),
        "subject": row.subject,
        "replay_id": None if row.replay_id is None else public_id("rpl", row.replay_id),
        "redacted_at": row.redacted_at,
    }


def message_out(row: Any) -> MessageOut:
    """A message in a list."""
    return MessageOut(**message_fields(row))


def message_detail(row: Any) -> MessageDetail:
    """A message with its body."""
    return MessageDetail(**_detail_fields(row, _posted(row)))


def message_proof(row: Any) -> MessageProof:
    """A message with the bytes of its body."""
    posted = _posted(row)
    return MessageProof(**_detail_fields(row, posted), raw=None if posted is None else posted.decode())


def _posted(row: Any) -> bytes | None:
    if row.body is None:
        return None
    form, payload = Format(row.format or Format.STANDARD), Payload(row.payload or Payload.FULL)
    return render_bytes(row.body, payload, form, row.tenant_id, row.event_id)


def _detail_fields(row: Any, posted: bytes | None) -> dict[str, Any]:
    content_type = Format(row.format or Format.STANDARD).content_type
    body = None if posted is None else json.loads(posted)
    return {**message_fields(row), "content_type": content_type, "body": body}


def attempt_out(row: Any, content_type: str) -> AttemptOut:
    """An attempt."""
    return AttemptOut(
        number=row.number,
        attempted_at=row.attempted_at,
        outcome=row.outcome,
        failure=row.failure,
        status=row.status,
        manual=row.manual,
        duration_ms=row.duration_ms,
        detail=row.detail,
        reply_bytes=row.reply_bytes,
        reply_sha256=None if row.reply_sha256 is None else row.reply_sha256.hex(),
        reply_excerpt=row.reply_excerpt,
        next_at=row.next_at,
        request=_request_out(row, content_type),
    )


def _request_out(row: Any, content_type: str) -> RequestOut | None:
    if row.url is None or row.signature is None:
        return None
    message_id, timestamp = public_id("msg", row.message_id), int(row.attempted_at.timestamp())
    headers = sent_headers(message_id, timestamp, row.signature, content_type)
    return RequestOut(url=row.url, headers=headers)
