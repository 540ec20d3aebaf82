"""Raw payloads in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.tables.ledgers import raw_payloads
from app.domain.errors import NotFoundError

_LISTED = [column for column in raw_payloads.c if column.name not in ("body", "mended_body")]
Place = tuple[datetime, UUID]
"""Where a page ended: arrival and id."""


async def list_payloads(
    connection: AsyncConnection,
    tenant_id: UUID,
    filters: Mapping[str, Any],
    *,
    after: Place | None,
    limit: int,
    oldest_first: bool = False,
    whole: bool = False,
) -> Sequence[Any]:
    """Payloads that match every filter (`source`, `state`, `reason`, `since`, `until`), page by page."""
    place = tuple_(raw_payloads.c.received_at, raw_payloads.c.raw_id)
    query = select(*(raw_payloads.c if whole else _LISTED)).where(raw_payloads.c.tenant_id == tenant_id)
    for name in ("source", "state", "reason"):
        if filters.get(name) is not None:
            query = query.where(raw_payloads.c[name] == filters[name])
    if filters.get("since") is not None:
        query = query.where(raw_payloads.c.received_at >= filters["since"])
    if filters.get("until") is not None:
        query = query.where(raw_payloads.c.received_at < filters["until"])
    if after is not None:
        query = query.where(place > after if oldest_first else place < after)
    columns = (raw_payloads.c.received_at, raw_payloads.c.raw_id)
    order = columns if oldest_first else [column.desc() for column in columns]
    found: Sequence[Any] = (await connection.execute(query.order_by(*order).limit(limit))).all()
    return found


async def get_payload(connection: AsyncConnection, tenant_id: UUID, raw_id: UUID) -> Any:
    """One payload, whole. Raises NotFoundError."""
    own = (raw_payloads.c.tenant_id == tenant_id, raw_payloads.c.raw_id == raw_id)
    row = (await connection.execute(select(raw_payloads).where(*own))).first()
    if row is None:
        raise NotFoundError("not_found", "there is no such payload (it may have been forgotten by now)")
    return row


async def settle_payload(
    connection: AsyncConnection, tenant_id: UUID, place: Place, values: Mapping[str, Any]
) -> None:
    """Write what became of a payload that was read again or given up."""
    await connection.execute(
        update(raw_payloads)
        .where(
            raw_payloads.c.tenant_id == tenant_id,
            raw_payloads.c.received_at == place[0],
            raw_payloads.c.raw_id == place[1],
        )
        .values(**values)
    )
