"""Keys are made and revoked, each with its line in the audit; rows become what callers see."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth import generate_key
from app.domain.errors import InvalidError
from app.journal.audit import Deed, append_audit
from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.kit.ids import public_id
from app.tenants import repository
from app.tenants.schemas import KeyIn, KeyOut, KeyPage, NewKeyOut, TenantOut


async def create_key(
    connection: AsyncConnection,
    tenant_id: UUID,
    wanted: KeyIn,
    *,
    environment: str,
    actor: str,
    now: datetime,
) -> NewKeyOut:
    """A new key; its text is in the answer and nowhere else. Raises InvalidError `expired_at_birth`."""
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise InvalidError(
            "expired_at_birth",
            "`expires_at` lies in the past",
            pointer="/expires_at",
            cure="send a later time, or null for a key that does not expire",
        )
    new = generate_key(environment)
    key_id = await repository.insert_key(
        connection,
        tenant_id,
        new,
        name=wanted.name,
        scopes=sorted({scope.value for scope in wanted.scopes}),
        expires_at=wanted.expires_at,
        now=now,
    )
    await _note(connection, tenant_id, "key.created", key_id, new.hint, actor=actor, now=now)
    row = await repository.get_key(connection, tenant_id, key_id)
    return NewKeyOut(**key_out(row, now).model_dump(), key=new.text)


async def revoke_key(
    connection: AsyncConnection, tenant_id: UUID, key_id: UUID, *, actor: str, now: datetime
) -> None:
    """Revoke a key: its next request is refused. A second time changes nothing. Raises NotFoundError."""
    row = await repository.get_key(connection, tenant_id, key_id)
    if row.revoked_at is None:
        await repository.revoke_key(connection, tenant_id, key_id, now)
        await _note(connection, tenant_id, "key.revoked", key_id, row.hint, actor=actor, now=now)


async def list_keys(
    connection: AsyncConnection, tenant_id: UUID, *, cursor: str | None, limit: int, now: datetime
) -> KeyPage:
    """A page of the tenant's keys."""
    rows = await repository.list_keys(connection, tenant_id, after=read_cursor(cursor), limit=limit + 1)
    more = encode_cursor(rows[limit - 1].key_id) if len(rows) > limit else None
    return KeyPage(items=[key_out(row, now) for row in rows[:limit]], next_cursor=more)


def key_out(row: Any, now: datetime) -> KeyOut:
    """A key's row as callers see it."""
    return KeyOut(
        id=public_id("key", row.key_id),
        hint=row.hint,
        name=row.name,
        scopes=row.scopes,
        state=_state(row, now),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def tenant_out(row: Any) -> TenantOut:
    """A tenant's row as callers see it."""
    return TenantOut(
        id=public_id("ten", row.tenant_id),
        key=row.key,
        name=row.name,
        time_zone=row.time_zone,
        synthetic=row.synthetic,
        created_at=row.created_at,
    )


def read_cursor(cursor: str | None) -> UUID | None:
    """The id after which a page begins. Raises InvalidError `invalid_cursor`."""
    if cursor is None:
        return None
    try:
        return UUID(str(decode_cursor(cursor, 1)[0]))
    except (CursorError, ValueError):
        raise InvalidError(
            "invalid_cursor",
            "this is no cursor of this list",
            pointer="query:cursor",
            cure="take `next_cursor` of the page before, or leave it out to begin anew",
        ) from None


def _state(row: Any, now: datetime) -> Literal["live", "expired", "revoked"]:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "live"


async def _note(
    connection: AsyncConnection,
    tenant_id: UUID,
    action: str,
    key_id: UUID,
    hint: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    await append_audit(connection, tenant_id, Deed(actor, action, public_id("key", key_id), now, hint))
