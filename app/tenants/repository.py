"""Tenants and API keys in the database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth import NewKey, Scope
from app.db.engine import APP_ROLE, Database
from app.db.tables.configuration import calendars, directory, policies
from app.db.tables.tenants import api_keys, tenant_head, tenants
from app.domain.causes import PRESET_CAUSES
from app.domain.errors import ConflictError, NotFoundError
from app.domain.sla import CALENDAR_PRESETS, calendar_preset, default_policy_document
from app.journal.audit import OPERATOR, Deed, append_audit
from app.kit.crypto import Sealer
from app.kit.ids import new_id

_SECRET_BYTES = 32
_KEY_COLUMNS = [column for column in api_keys.columns if column.name != "key_hash"]


async def insert_tenant(
    database: Database,
    sealer: Sealer,
    *,
    key: str,
    name: str,
    time_zone: str,
    synthetic: bool,
    now: datetime,
    actor: str = OPERATOR,
) -> UUID:
    """A new tenant with the preset calendars and SLA policy. Raises ConflictError `tenant_exists`."""
    tenant_id = new_id()
    try:
        async with database.operator() as connection:
            await connection.execute(
                insert(tenants).values(
                    tenant_id=tenant_id,
                    key=key,
                    name=name,
                    time_zone=time_zone,
                    sealed_secret=sealer.seal(os.urandom(_SECRET_BYTES), tenant_id.bytes),
                    synthetic=synthetic,
                    created_at=now,
                )
            )
            await connection.execute(
                insert(tenant_head).values(tenant_id=tenant_id, seq=0, recorded_at=now, config_version=1)
            )
            await append_audit(connection, tenant_id, Deed(actor, "tenant.created", key, now))
            await _insert_presets(connection, tenant_id, time_zone, now)
    except IntegrityError:
        raise ConflictError("tenant_exists", f"there is a tenant {key!r} already", pointer="/key") from None
    return tenant_id


async def _insert_presets(
    connection: AsyncConnection, tenant_id: UUID, time_zone: str, now: datetime
) -> None:
    """What the operator himself may not touch: the rest of the transaction speaks for the new tenant."""
    await connection.exec_driver_sql(f"SET LOCAL ROLE {APP_ROLE}")
    await connection.exec_driver_sql(f"SET LOCAL app.tenant_id = '{tenant_id}'")
    presets = [
        {
            "tenant_id": tenant_id,
            "key": preset,
            "version": 1,
            "document": calendar_preset(preset, tz=time_zone),
            "created_at": now,
        }
        for preset in CALENDAR_PRESETS
    ]
    await connection.execute(insert(calendars), presets)
    causes = [
        {
            "tenant_id": tenant_id,
            "kind": "cause",
            "key": cause.key,
            "title": cause.en,
            "parent": cause.parent,
            "details": {"uk": cause.uk, "ru": cause.ru, "en": cause.en},
            "uncategorised": False,
            "first_seen_at": now,
        }
        for cause in PRESET_CAUSES
    ]
    await connection.execute(insert(directory), causes)
    await connection.execute(
        insert(policies).values(
            tenant_id=tenant_id,
            key="default",
            version=1,
            document=default_policy_document(),
            effective_from=None,
            created_at=now,
        )
    )


async def list_tenants(
    database: Database, *, after: UUID | None = None, limit: int | None = None
) -> Sequence[Any]:
    """Tenants after this one, oldest first."""
    query = select(tenants).order_by(tenants.c.tenant_id).limit(limit)
    if after is not None:
        query = query.where(tenants.c.tenant_id > after)
    async with database.operator() as connection:
        return (await connection.execute(query)).all()


async def get_tenant(database: Database, key: str) -> Any:
    """A tenant by its short name. Raises NotFoundError."""
    async with database.operator() as connection:
        row = (await connection.execute(select(tenants).where(tenants.c.key == key))).first()
    if row is None:
        raise NotFoundError("not_found", f"there is no tenant {key!r}")
    return row


async def get_own_tenant(connection: AsyncConnection, tenant_id: UUID) -> Any:
    """The tenant for whom this transaction speaks."""
    return (await connection.execute(select(tenants).where(tenants.c.tenant_id == tenant_id))).one()


async def insert_key(
    connection: AsyncConnection,
    tenant_id: UUID,
    new: NewKey,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    now: datetime,
) -> UUID:
    """Store a key's hash and scopes."""
    key_id = new_id()
    await connection.execute(
        insert(api_keys).values(
            tenant_id=tenant_id,
            key_id=key_id,
            key_hash=new.key_hash,
            hint=new.hint,
            name=name,
            scopes=list(scopes),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return key_id


async def list_keys(
    connection: AsyncConnection, tenant_id: UUID, *, after: UUID | None = None, limit: int | None = None
) -> Sequence[Any]:
    """The keys of a tenant after this one, oldest first; hashes stay where they are."""
    query = select(*_KEY_COLUMNS).where(api_keys.c.tenant_id == tenant_id).order_by(api_keys.c.key_id)
    if after is not None:
        query = query.where(api_keys.c.key_id > after)
    return (await connection.execute(query.limit(limit))).all()


async def get_key(connection: AsyncConnection, tenant_id: UUID, key_id: UUID) -> Any:
    """A key of the tenant, dead or alive. Raises NotFoundError."""
    query = select(*_KEY_COLUMNS).where(api_keys.c.tenant_id == tenant_id, api_keys.c.key_id == key_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFoundError("not_found", "there is no such key")
    return row


async def revoke_key(connection: AsyncConnection, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
    """Revoke a key from now on; a second time changes nothing. Raises NotFoundError."""
    found = await connection.execute(
        update(api_keys)
        .where(api_keys.c.tenant_id == tenant_id, api_keys.c.key_id == key_id)
        .values(revoked_at=func.coalesce(api_keys.c.revoked_at, now))
    )
    if found.rowcount == 0:
        raise NotFoundError("not_found", "there is no such key")


async def refuse_last_admin(
    connection: AsyncConnection, tenant_id: UUID, key_id: UUID, now: datetime
) -> None:
    """Refuse to revoke the only key that can make others. Raises ConflictError `last_admin_key`.

    The rows are locked, so that two administrators cannot revoke each other in the same moment.
    """
    query = (
        select(api_keys.c.key_id)
        .where(
            api_keys.c.tenant_id == tenant_id,
            api_keys.c.scopes.contains([Scope.ADMIN.value]),
            api_keys.c.revoked_at.is_(None),
            func.coalesce(api_keys.c.expires_at > now, True),
        )
        .order_by(api_keys.c.key_id)
        .with_for_update()
    )
    live = (await connection.scalars(query)).all()
    if live == [key_id]:
        raise ConflictError(
            "last_admin_key",
            "this is the last live key with the scope `admin`; without it nobody could make another",
            cure="create another admin key first, or ask the operator to revoke this one",
        )
