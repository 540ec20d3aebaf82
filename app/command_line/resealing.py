"""`keys reseal`: seals every stored secret anew under the first master key, so that old ones can go."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from app.command_line.console import fail, load_settings, out, run_with_services
from app.db.engine import Database, Tx
from app.ingest.adapting import secret_context as source_context
from app.kit import json
from app.kit.crypto import Sealer, SealError, key_id_of
from app.tenants.repository import list_tenants
from app.webhooks.keyring import headers_context, secret_context
from app.wiring import Services


@dataclass(slots=True)
class Tally:
    """How many were sealed anew, and how many could not be opened."""

    resealed: int = 0
    unreadable: int = 0


class Resealer:
    """Goes over all that is sealed. Each value is swapped only where it is still what was read."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self.tally = Tally()

    async def run(self) -> Tally:
        """Tenants' keys, secrets of sources and endpoints, custom headers. A second run finds nothing."""
        for tenant in await list_tenants(self._database):
            await self._tenant(tenant.tenant_id, tenant.sealed_secret)
            await self._sources(tenant.tenant_id)
        async with self._database.worker() as tx:
            await self._column(
                tx,
                "SELECT secret_id AS id, endpoint_id, sealed FROM endpoint_secrets",
                _SWAP_SIGNING,
                secret_context,
            )
            await self._column(
                tx,
                "SELECT endpoint_id AS id, endpoint_id, sealed_headers AS sealed FROM endpoints "
                "WHERE sealed_headers IS NOT NULL",
                _SWAP_HEADERS,
                headers_context,
            )
        return self.tally

    async def _tenant(self, tenant_id: UUID, sealed: bytes) -> None:
        fresh = self._renew(sealed, tenant_id.bytes)
        if fresh is None:
            return
        async with self._database.operator() as connection:
            changed = await connection.exec_driver_sql(
                "UPDATE tenants SET sealed_secret = $1 WHERE tenant_id = $2 AND sealed_secret = $3",
                (fresh, tenant_id, sealed),
            )
        self.tally.resealed += changed.rowcount

    async def _sources(self, tenant_id: UUID) -> None:
        async with self._database.write(tenant_id) as tx:
            rows = await tx.fetch(
                "SELECT key, sealed_secrets FROM sources WHERE tenant_id = $1 FOR UPDATE", tenant_id
            )
            for row in rows:
                stored: list[str] = row["sealed_secrets"]
                context = source_context(tenant_id, row["key"])
                renewed = [self._renew(base64.b64decode(item), context) for item in stored]
                if not any(renewed):
                    continue
                kept = [
                    old if fresh is None else base64.b64encode(fresh).decode()
                    for old, fresh in zip(stored, renewed, strict=True)
                ]
                await tx.execute(
                    "UPDATE sources SET sealed_secrets = $1 WHERE tenant_id = $2 AND key = $3",
                    json.dumps_text(kept),
                    tenant_id,
                    row["key"],
                )
                self.tally.resealed += sum(fresh is not None for fresh in renewed)

    async def _column(self, tx: Tx, query: str, update: str, context: Callable[[UUID], bytes]) -> None:
        for row in await tx.fetch(query):
            fresh = self._renew(row["sealed"], context(row["endpoint_id"]))
            if fresh is not None:
                tag = await tx.execute(update, fresh, self._sealer.key_id, row["id"], row["sealed"])
                self.tally.resealed += int(tag.rpartition(" ")[2])

    def _renew(self, sealed: bytes, context: bytes) -> bytes | None:
        """The same under the first key; None where it is that already, or cannot be opened (counted)."""
        try:
            if key_id_of(sealed) == self._sealer.key_id:
                return None
            return self._sealer.seal(self._sealer.open(sealed, context), context)
        except SealError:
            self.tally.unreadable += 1
            return None


_SWAP_SIGNING = "UPDATE endpoint_secrets SET sealed = $1, key_id = $2 WHERE secret_id = $3 AND sealed = $4"
_SWAP_HEADERS = (
    "UPDATE endpoints SET sealed_headers = $1 WHERE $2::text IS NOT NULL AND endpoint_id = $3 "
    "AND sealed_headers = $4"
)


def reseal_command() -> None:
    """Seal every stored secret under the first of VIDHUK_MASTER_KEYS; then the other keys can be taken out.

    First put the new key in front of the old one (`new:...,old:...`) and restart every process.
    """

    async def work(services: Services) -> Tally:
        return await Resealer(services.database, services.sealer).run()

    tally = run_with_services(load_settings(log_json=False), work)
    out.print(f"{tally.resealed} secrets sealed anew")
    if tally.unreadable:
        fail(
            f"{tally.unreadable} secrets cannot be opened with the configured keys",
            "add the key that sealed them to VIDHUK_MASTER_KEYS and run this again; take none out before",
        )
