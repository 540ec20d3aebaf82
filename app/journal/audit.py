"""The audit: who changed, opened or erased what. Appended to with the deed itself, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.tenants import audit
from app.kit.ids import new_id

OPERATOR: Final = "operator"
"""The actor who runs the installation."""

_COLUMNS = ("tenant_id", "audit_id", "at", "actor", "action", "target", "detail")


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry; `actor` is a key's hint, `operator` or the service itself."""

    actor: str
    action: str
    target: str
    at: datetime
    detail: str | None = None


async def append_audit(connection: AsyncConnection, tenant_id: UUID, *deeds: Deed) -> None:
    """Note what is done in this transaction."""
    if deeds:
        rows = [dict(zip(_COLUMNS, row, strict=True)) for row in _rows(tenant_id, deeds)]
        await connection.execute(insert(audit), rows)


async def append_audit_rows(tx: Tx, tenant_id: UUID, *deeds: Deed) -> None:
    """The same in a transaction of the driver."""
    await insert_rows(tx, audit, _COLUMNS, _rows(tenant_id, deeds))


def _rows(tenant_id: UUID, deeds: Sequence[Deed]) -> list[tuple[Any, ...]]:
    return [
        (tenant_id, new_id(), deed.at, deed.actor, deed.action, deed.target, deed.detail) for deed in deeds
    ]
