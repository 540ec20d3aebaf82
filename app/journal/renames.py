"""Touchpoints that got another name: what every projection that keeps one must know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table

from app.db.engine import Tx
from app.domain.events import EventType
from app.journal.config import TenantConfig
from app.journal.ports import Commit

_KNOWN = """
SELECT raw, touchpoint FROM touchpoint_retags
 WHERE tenant_id = $1 AND ($2::bigint IS NULL OR seq < $2) ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class Renames:
    """New names in the order in which they were given."""

    pairs: Sequence[tuple[str, str]] = ()

    def name_of(self, touchpoint: str | None) -> str | None:
        """What a touchpoint is called by now."""
        for raw, new in self.pairs:
            touchpoint = new if touchpoint == raw else touchpoint
        return touchpoint


NO_RENAMES: Final = Renames()


async def load_renames(tx: Tx, config: TenantConfig, before: int | None = None) -> Renames:
    """All names, or those before a position; nothing is asked of a tenant that never gave one."""
    if not config.has_overlays:
        return NO_RENAMES
    rows = await tx.fetch(_KNOWN, config.tenant_id, before)
    return Renames([(row["raw"], row["touchpoint"]) for row in rows])


def given_names(commit: Commit) -> dict[str, str]:
    """Old name -> what this commit makes of it, without those that stay as they are."""
    told = [event.fact for event in commit.events if event.type is EventType.TOUCHPOINT_RETAGGED]
    renames = Renames([(fact["raw"], fact["touchpoint"]) for fact in told])
    found = {fact["raw"]: renames.name_of(fact["raw"]) for fact in told}
    return {raw: new for raw, new in found.items() if new is not None and new != raw}


async def rename_rows(tx: Tx, commit: Commit, table: Table) -> None:
    """Give rows that are no versions (cases, timers) the names of this commit."""
    names = given_names(commit)
    if names:
        await tx.execute(
            f"UPDATE {table.name} SET touchpoint = renamed.new FROM unnest($2::text[], $3::text[]) "
            "AS renamed(raw, new) WHERE tenant_id = $1 AND touchpoint = renamed.raw",
            commit.tenant_id,
            list(names),
            list(names.values()),
        )
