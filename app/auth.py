"""Who asks: an API key (Bearer, X-Api-Key or Basic password) -> tenant and scopes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.db.engine import Database
from app.domain.errors import DomainError, ForbiddenError


class Scope(StrEnum):
    """What a key may do. `admin` holds all the others."""

    EVENTS_WRITE = "events:write"
    FEEDBACK_READ = "feedback:read"
    METRICS_READ = "metrics:read"
    CASES_WRITE = "cases:write"
    WEBHOOKS_MANAGE = "webhooks:manage"
    CONFIG_MANAGE = "config:manage"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """The key that asks: whose tenant it speaks for and what it may do."""

    tenant_id: UUID
    key_id: UUID
    hint: str
    scopes: frozenset[str]

    def may(self, scope: Scope) -> bool:
        """True when the key holds this scope, or all of them."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


class UnauthenticatedError(DomainError):
    """No key, or none that counts (401)."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at its birth: the only time that its text exists."""

    text: str
    key_hash: bytes
    hint: str


def generate_key(environment: str) -> NewKey:
    """A new key `vk_<environment>_<43 letters>` (256 random bits)."""
    text = f"vk_{environment}_{secrets.token_urlsafe(32)}"
    return NewKey(text, hash_key(text), f"vk_{environment}_...{text[-4:]}")


def hash_key(text: str) -> bytes:
    """What is stored of a key: SHA-256 (the key is random, so no slow hash is needed)."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def key_of(headers: Mapping[str, str]) -> str:
    """The key that a request carries. Raises UnauthenticatedError when there is none."""
    explicit = headers.get("x-api-key")
    if explicit:
        return explicit
    method, _, credentials = headers.get("authorization", "").partition(" ")
    if method.lower() == "bearer" and credentials:
        return credentials.strip()
    if method.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode("utf-8", "surrogateescape")
        except (binascii.Error, ValueError):
            decoded = ""
        password = decoded.partition(":")[2]
        if password:
            return password
    raise UnauthenticatedError(
        "unauthenticated",
        "this request carries no API key",
        pointer="header:Authorization",
        cure="send `Authorization: Bearer vk_...` (or Basic with the key as the password)",
    )


async def find_principal(database: Database, key: str, now: datetime) -> Principal:
    """The principal behind a key, looked up now. Raises UnauthenticatedError."""
    row = await database.fetch_row("SELECT * FROM find_api_key($1)", hash_key(key))
    if row is None:
        raise _refused("unknown_key", "no such API key")
    if row["revoked_at"] is not None:
        raise _refused("revoked_key", "this API key was revoked")
    if row["expires_at"] is not None and row["expires_at"] <= now:
        raise _refused("expired_key", "this API key has expired")
    # the driver's UUIDs are of a class of its own, which the JSON encoder does not know
    tenant_id = UUID(int=row["tenant_id"].int)
    return Principal(tenant_id, row["key_id"], row["hint"], frozenset(row["scopes"]))


def refuse_scope(principal: Principal, scope: Scope) -> DomainError:
    """The refusal of a known key that lacks a scope (403)."""
    held = ", ".join(sorted(principal.scopes)) or "none"
    return ForbiddenError(
        "missing_scope",
        f"this needs the scope `{scope}`; the key {principal.hint} has: {held}",
        cure="use a key with that scope, or ask the tenant's administrator for one",
    )


def _refused(reason: str, detail: str) -> UnauthenticatedError:
    return UnauthenticatedError(
        reason, detail, pointer="header:Authorization", cure="use a live key of the tenant"
    )
