"""Signing secrets and custom headers of endpoints: made, sealed for the table, opened for an attempt."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Literal, assert_never
from uuid import UUID

from app.domain.signature import Ed25519Secret, HmacSecret, Secret, parse_secret
from app.kit import json
from app.kit.crypto import Sealer

Scheme = Literal["hmac", "ed25519"]


def new_secret(scheme: Scheme) -> Secret:
    """A random secret of 32 bytes."""
    key = secrets.token_bytes(32)
    return HmacSecret(key) if scheme == "hmac" else Ed25519Secret(key)


def scheme_of(secret: Secret) -> Scheme:
    """The scheme that a secret signs by."""
    match secret:
        case HmacSecret():
            return "hmac"
        case Ed25519Secret():
            return "ed25519"
        case _:
            assert_never(secret)


def secret_context(endpoint_id: UUID) -> bytes:
    """To whom a sealed signing secret belongs."""
    return b"endpoint-secret:" + endpoint_id.bytes


def headers_context(endpoint_id: UUID) -> bytes:
    """To whom sealed custom headers belong."""
    return b"endpoint-headers:" + endpoint_id.bytes


def seal_secret(sealer: Sealer, endpoint_id: UUID, secret: Secret) -> bytes:
    """The secret as it is stored, bound to its endpoint."""
    return sealer.seal(secret.text.encode(), secret_context(endpoint_id))


def open_secret(sealer: Sealer, endpoint_id: UUID, sealed: bytes) -> Secret:
    """The secret behind a stored one. Raises SealError, InvalidError."""
    return parse_secret(sealer.open(sealed, secret_context(endpoint_id)).decode())


def seal_headers(sealer: Sealer, endpoint_id: UUID, headers: Mapping[str, str]) -> bytes | None:
    """Custom headers as they are stored: they often hold a password."""
    if not headers:
        return None
    return sealer.seal(json.dumps(dict(headers)), headers_context(endpoint_id))


def open_headers(sealer: Sealer, endpoint_id: UUID, sealed: bytes | None) -> dict[str, str]:
    """The headers behind the stored ones. Raises SealError."""
    if sealed is None:
        return {}
    headers: dict[str, str] = json.loads(sealer.open(sealed, headers_context(endpoint_id)))
    return headers
