"""A change of configuration: under the tenant's write lock, in the audit, and seen by the next commit.

    async with configuring(database, principal, now) as change:
        ...                                        read and write through `change.connection`
        change.note("question.put", key)     one audit entry; the version moves once per change

The lock is the one that commits take: what is checked here (has it been answered? is it still the same
row?) stays true until the change is committed, and a commit that waited reads the new configuration.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth import Principal
from app.db.engine import Database
from app.db.tables.tenants import tenant_head
from app.journal.audit import Deed, append_audit
from app.kit import json


@dataclass(slots=True)
class Change:
    """One transaction that changes configuration; without a note it leaves no trace."""

    connection: AsyncConnection
    tenant_id: UUID
    actor: str
    now: datetime
    _deeds: list[Deed] = field(default_factory=list)

    def note(self, action: str, target: str, detail: str | None = None) -> None:
        """State what was changed; written when the change is committed."""
        self._deeds.append(Deed(self.actor, action, target, self.now, detail))

    async def settle(self) -> None:
        """Write the notes and move the configuration's version, when there is something to say."""
        if not self._deeds:
            return
        await append_audit(self.connection, self.tenant_id, *self._deeds)
        await self.connection.execute(
            update(tenant_head)
            .where(tenant_head.c.tenant_id == self.tenant_id)
            .values(config_version=tenant_head.c.config_version + 1)
        )


@asynccontextmanager
async def configuring(database: Database, principal: Principal, now: datetime) -> AsyncIterator[Change]:
    """The transaction of a change by this principal."""
    async with database.tenant(principal.tenant_id) as connection:
        lock = select(tenant_head.c.recorded_at).where(tenant_head.c.tenant_id == principal.tenant_id)
        last_commit = (await connection.execute(lock.with_for_update())).scalar_one()
        # what is made here must not bind, on a rebuild, what was committed before it was made
        now = max(now, last_commit + timedelta(microseconds=1))
        change = Change(connection, principal.tenant_id, principal.hint, now)
        yield change
        await change.settle()


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str | None:
    """What a row became, for the audit: `{"field": [before, after]}`; None when nothing changed."""
    old = before or {}
    changed = {name: [old.get(name), value] for name, value in after.items() if old.get(name) != value}
    return json.dumps_text(changed) if changed or before is None else None
