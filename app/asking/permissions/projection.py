"""Words about being asked, recommendations and coupons, folded from the journal."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from app.db.bulk import insert_rows
from app.db.engine import Tx
from app.db.tables.asking import contact_permissions, referrals
from app.domain.events import EventType
from app.journal.ports import Commit

IDENTICAL_COPIES: Final = 3
"""A coupon is handed out in exactly so many copies: a fourth devalues it, two are too few (S1.28)."""

_PERMISSION_COLUMNS = tuple(column.name for column in contact_permissions.columns)
_REFERRAL_COLUMNS = tuple(column.name for column in referrals.columns)
_PERMISSIONS: Final = (EventType.CUSTOMER_OPTED_OUT, EventType.CUSTOMER_OPTED_IN)
_REFERRALS: Final = {
    EventType.REFERRAL_MADE: "referral",
    EventType.COUPON_ISSUED: "issued",
    EventType.COUPON_ACTIVATED: "activated",
}


class Permissions:
    """The projection of opt-outs, referrals and coupons: a row an event, gone when it is retracted."""

    name = "permissions"
    tables = (contact_permissions, referrals)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Insert what was said, delete what was taken back."""
        retracted = [
            UUID(event.fact["event_id"]) for event in commit.events if event.type is EventType.EVENT_RETRACTED
        ]
        if retracted:
            for table in self.tables:
                await tx.execute(
                    f"DELETE FROM {table.name} WHERE tenant_id = $1 AND event_id = any($2)",
                    commit.tenant_id,
                    retracted,
                )
        words: list[tuple[Any, ...]] = []
        brought: list[tuple[Any, ...]] = []
        for event in commit.events:
            key, at, fact = (event.tenant_id, event.event_id), event.occurred_at, event.fact
            if event.event_id in retracted:
                continue
            if event.type in _PERMISSIONS and event.customer_ref is not None:
                out = event.type is EventType.CUSTOMER_OPTED_OUT
                words.append((*key, event.customer_ref, fact.get("channel") or "*", out, at))
            elif event.type in _REFERRALS:
                issued = event.type is EventType.COUPON_ISSUED
                copies = fact.get("copies") or (IDENTICAL_COPIES if issued else 1)
                row = (_REFERRALS[event.type], fact.get("coupon"), copies, event.customer_ref, at)
                brought.append((*key, *row))
        await insert_rows(tx, contact_permissions, _PERMISSION_COLUMNS, words)
        await insert_rows(tx, referrals, _REFERRAL_COLUMNS, brought)
