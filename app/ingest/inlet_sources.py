"""The source behind a secret path, read anew for every delivery: one query for all that wait together.

Nothing is remembered that could grow old, but the tenant of a token (which never changes) and, as long as
the row stays as it was, what was built of it: a closed path or a rotated secret counts at the next delivery.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Database
from app.domain.errors import NotFoundError
from app.ingest.adapting import SOURCE_COLUMNS, ConfiguredSource, configured
from app.kit.coalescing import Coalescer
from app.kit.crypto import Sealer

_SOURCES = f"""
SELECT i.token_hash, {SOURCE_COLUMNS}
  FROM inlets i JOIN sources s ON s.tenant_id = i.tenant_id AND s.key = i.source
 WHERE i.tenant_id = $1 AND i.token_hash = ANY ($2::bytea[]) AND s.disabled_at IS NULL
"""
MOST_REMEMBERED = 10_000


class InletSources:
    """One per process."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._tenants: OrderedDict[bytes, UUID] = OrderedDict()
        self._built: OrderedDict[bytes, tuple[dict[str, Any], ConfiguredSource]] = OrderedDict()
        self._rows: Coalescer[bytes, Any] = Coalescer(self._read, most=500)

    async def find(self, token_hash: bytes, now: datetime) -> ConfiguredSource:
        """The source behind a token. Raises NotFoundError (which tells nothing to those who guess)."""
        tenant_id = self._tenants.get(token_hash)
        if tenant_id is None:
            row = await self._database.fetch_row("SELECT * FROM find_inlet($1)", token_hash)
            if row is None:
                raise _not_found()
            tenant_id = row["tenant_id"]
            _remember(self._tenants, token_hash, tenant_id)
        row = await self._rows.ask(tenant_id, token_hash)
        if row is None:
            raise _not_found()
        source = self._source(tenant_id, token_hash, dict(row))
        return replace(source, context=replace(source.context, received_at=now))

    def _source(self, tenant_id: UUID, token_hash: bytes, row: dict[str, Any]) -> ConfiguredSource:
        known = self._built.get(token_hash)
        if known is not None and known[0] == row:
            return known[1]
        source = configured(tenant_id, row, self._sealer)
        _remember(self._built, token_hash, (row, source))
        return source

    async def _read(self, tenant_id: UUID, hashes: Sequence[bytes]) -> Sequence[Any]:
        async with self._database.write(tenant_id) as tx:
            rows = await tx.fetch(_SOURCES, tenant_id, list(dict.fromkeys(hashes)))
        found = {row["token_hash"]: row for row in rows}
        return [found.get(token_hash) for token_hash in hashes]


def _remember(kept: OrderedDict[bytes, Any], key: bytes, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)


def _not_found() -> NotFoundError:
    return NotFoundError("not_found", "there is no such inlet")
