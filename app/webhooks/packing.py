"""Packs a claimed delivery: opens what is sealed, and gives the body the shape that was asked for."""

from __future__ import annotations

from functools import lru_cache, partial
from uuid import UUID

from app.domain.errors import DomainError
from app.domain.outgoing import Format, Payload, render
from app.kit import json
from app.kit.crypto import Sealer
from app.kit.ids import public_id
from app.webhooks.keyring import open_headers, open_secret
from app.webhooks.queue import Claimed
from app.webhooks.sender import Parcel


class Packer:
    """Remembers opened secrets: opening one costs as much as signing."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._open_secret = lru_cache(maxsize=1_024)(partial(open_secret, sealer))

    def pack(self, item: Claimed, deadline_seconds: float) -> Parcel:
        """All that one attempt needs. Raises SealError, DomainError."""
        if item.body is None:
            raise DomainError("body_missing", "the body of this message is gone")
        return Parcel(
            message_id=public_id("msg", item.message_id),
            url=item.url,
            body=render_bytes(item.body, item.payload, item.format, item.tenant_id, item.event_id),
            secrets=[self._open_secret(item.endpoint_id, sealed) for sealed in item.sealed_secrets],
            headers=open_headers(self._sealer, item.endpoint_id, item.sealed_headers),
            content_type=item.format.content_type,
            deadline_seconds=deadline_seconds,
        )


def render_bytes(body: bytes, payload: Payload, form: Format, tenant_id: UUID, event_id: UUID) -> bytes:
    """The bytes that are posted: the stored ones, unless another shape was asked for."""
    if payload is Payload.FULL and form is Format.STANDARD:
        return body
    event = public_id("evt", event_id)
    return json.dumps(render(json.loads(body), payload, form, tenant_id=tenant_id, event_id=event))
