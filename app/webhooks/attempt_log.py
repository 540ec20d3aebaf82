"""One log line per attempt, with everything on it; the usual one only at level debug."""

from __future__ import annotations

import logging

import structlog

from app.kit.ids import public_id
from app.webhooks.settlement import Settlement

log = structlog.get_logger()


def note_attempt(settlement: Settlement, outcome: str) -> None:
    """Log an attempt that was settled."""
    level = logging.DEBUG if settlement.is_delivered else logging.INFO
    if not log.is_enabled_for(level):
        return
    claimed, receipt = settlement.claimed, settlement.receipt
    log.log(
        level,
        "attempt",
        tenant=str(claimed.tenant_id),
        endpoint=public_id("ep", claimed.endpoint_id),
        message=public_id("msg", claimed.message_id),
        type=claimed.type,
        manual=claimed.manual,
        tries=claimed.tries,
        outcome=outcome,
        reply=repr(receipt.outcome),
        duration_ms=receipt.duration_ms,
        next_at=settlement.due_at,
    )
