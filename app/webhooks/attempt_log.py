"""One log line per attempt, with everything on it (the usual one only at level debug), and their counts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import structlog

from app.kit import instruments
from app.kit.ids import public_id
from app.webhooks.settlement import Settlement

log = structlog.get_logger()


def note_attempts(settlements: Sequence[Settlement]) -> Counter[str]:
    """Log and count attempts that were settled; how many there were of each outcome."""
    outcomes: Counter[str] = Counter()
    with_usual = log.is_enabled_for(logging.DEBUG)
    for settlement in settlements:
        outcome = type(settlement.step).__name__.lower()
        outcomes[outcome] += 1
        if with_usual or not settlement.is_delivered:
            _note(settlement, outcome)
    for outcome, count in outcomes.items():
        instruments.ATTEMPTS.labels(outcome).inc(count)
    return outcomes


def _note(settlement: Settlement, outcome: str) -> None:
    level = logging.DEBUG if settlement.is_delivered else logging.INFO
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
