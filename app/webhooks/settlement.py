"""Settles attempts: queue, message, attempt log and health move in ONE transaction, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from app.db.engine import Tx
from app.domain.delivery import (
    Aborted,
    Answered,
    Broken,
    Delivered,
    DisableEndpoint,
    Exhausted,
    Failed,
    FailureKind,
    Internal,
    RetryAt,
    Step,
    is_redirect,
)
from app.kit import json
from app.webhooks.queue import Claimed
from app.webhooks.sender import Receipt

# Only what still stands under our fence is settled; the rest was taken over and is the winner's.
# A final state never regresses: a message delivered by hand stays so when an automatic try fails late.
# What was sent before an erasure took a person out may be quoted in the reply: then that is not kept.
# (`redacted_at` is read off the locked row, so an erasure that commits while we wait for it is seen.)
_SETTLE = """
WITH given AS (
    SELECT * FROM json_to_recordset($1::text::json) AS g(
        delivery_id uuid, claim_id uuid, due_at timestamptz, tried int, faulted int, state text,
        attempted_at timestamptz, outcome text, failure text, status int, duration_ms int, detail text,
        reply_bytes int, reply_sha256 bytea, reply_excerpt text, url text, signature text,
        redacted_at timestamptz)
), fenced AS (
    SELECT g.*, d.manual, m.tenant_id, m.message_id, m.endpoint_id,
           m.redacted_at IS NOT DISTINCT FROM g.redacted_at AS may_quote,
           CASE WHEN m.state = 'pending' OR d.manual OR d.replay_id IS NOT NULL THEN g.due_at END AS next_at,
           CASE WHEN g.state = 'delivered' THEN g.state
                WHEN m.state <> 'pending' THEN m.state
                WHEN NOT d.manual THEN coalesce(g.state, m.state)
                WHEN EXISTS (SELECT FROM deliveries o WHERE o.message_id = m.message_id
                                AND o.delivery_id <> d.delivery_id) THEN m.state
                ELSE 'exhausted' END AS next_state
      FROM given g
      JOIN deliveries d ON d.delivery_id = g.delivery_id AND d.claim_id = g.claim_id
      JOIN messages m ON m.message_id = d.message_id
     ORDER BY m.message_id FOR UPDATE OF d, m
), kept AS (
    UPDATE deliveries d SET claim_id = NULL, due_at = f.next_at, first_try = false,
           tries = d.tries + f.tried, faults = d.faults + f.faulted
      FROM fenced f WHERE d.delivery_id = f.delivery_id AND f.next_at IS NOT NULL
), removed AS (
    DELETE FROM deliveries d USING fenced f WHERE d.delivery_id = f.delivery_id AND f.next_at IS NULL
), overtaken AS (
    DELETE FROM deliveries d USING fenced f
     WHERE f.manual AND f.state = 'delivered' AND d.message_id = f.message_id
       AND NOT d.manual AND d.claim_id IS NULL
), settled AS (
    UPDATE messages m SET attempts = m.attempts + 1, state = f.next_state, last_status = f.status,
           last_failure = f.failure,
           settled_at = CASE WHEN f.next_state = 'pending' THEN NULL
                             WHEN f.next_state = m.state THEN m.settled_at ELSE now() END,
           given_up_at = CASE WHEN f.next_state IN ('pending', 'delivered') THEN NULL
                              ELSE coalesce(m.given_up_at, now()) END
      FROM fenced f WHERE m.message_id = f.message_id
    RETURNING f.*, m.attempts AS number
)
INSERT INTO attempts (tenant_id, attempted_at, message_id, number, endpoint_id, outcome, failure, status,
                      manual, duration_ms, detail, reply_bytes, reply_sha256, reply_excerpt, next_at,
                      url, signature)
SELECT tenant_id, attempted_at, message_id, number, endpoint_id, outcome, failure, status, manual,
       duration_ms, CASE WHEN may_quote THEN detail END, reply_bytes,
       CASE WHEN may_quote THEN reply_sha256 END, CASE WHEN may_quote THEN reply_excerpt END,
       next_at, url, signature
  FROM settled
RETURNING message_id, number
"""


@dataclass(frozen=True, slots=True)
class Settlement:
    """An attempt that was made, and what follows from it."""

    claimed: Claimed
    receipt: Receipt
    step: Step

    @property
    def is_delivered(self) -> bool:
        """The receiver took it."""
        return isinstance(self.step, Delivered)

    @property
    def is_failure(self) -> bool:
        """The receiver is to blame, in a try of the schedule: what counts against its endpoint."""
        return isinstance(self.step, RetryAt | Exhausted | DisableEndpoint) and not self.claimed.manual

    @property
    def state(self) -> str | None:
        """The state that the message reaches; None when it stays as it is."""
        if self.is_delivered:
            return "delivered"
        if self.claimed.manual:
            return None
        if isinstance(self.step, Exhausted):
            return "exhausted"
        if isinstance(self.step, Aborted):
            return "cancelled"
        return "quarantined" if isinstance(self.step, Internal) and self.step.at is None else None

    @property
    def due_at(self) -> datetime | None:
        """When the queue has it again; None when it leaves the queue. By hand there is one try only."""
        if self.claimed.manual:
            return None
        match self.step:
            case RetryAt(at=at) | Internal(at=at):
                return at
            case DisableEndpoint():
                return self.receipt.attempted_at  # at once, when somebody enables the endpoint again
        return None


async def settle(tx: Tx, settlements: Sequence[Settlement]) -> list[Settlement]:
    """Write down what is still ours, at most one attempt per message; returns what was written."""
    rows = await tx.fetch(_SETTLE, json.dumps_text([_row(item) for item in settlements]))
    written: set[UUID] = {row["message_id"] for row in rows}
    return [item for item in settlements if item.claimed.message_id in written]


def _row(item: Settlement) -> dict[str, object]:
    """One settlement as the statement reads it."""
    receipt = item.receipt
    outcome, failure, status, detail = _describe(item)
    return {
        "delivery_id": str(item.claimed.delivery_id),
        "claim_id": str(item.claimed.claim_id),
        "due_at": item.due_at,
        "tried": int(isinstance(item.step, RetryAt)),
        "faulted": int(isinstance(item.step, Internal)),
        "state": item.state,
        "attempted_at": receipt.attempted_at,
        "outcome": outcome,
        "failure": failure,
        "status": status,
        "duration_ms": receipt.duration_ms,
        "detail": detail,
        "reply_bytes": receipt.reply_bytes,
        "reply_sha256": receipt.reply_sha256 and "\\x" + receipt.reply_sha256.hex(),
        "reply_excerpt": receipt.reply_excerpt,
        "url": item.claimed.url,
        "signature": receipt.signature,
        "redacted_at": item.claimed.redacted_at,
    }


def _describe(item: Settlement) -> tuple[str, str | None, int | None, str | None]:
    """Outcome, class of failure, status and detail, as the attempt log shows them."""
    match item.receipt.outcome:
        case Answered(status=status) if item.is_delivered:
            return "delivered", None, status, None
        case Answered(status=status, location=location, wish=wish):
            kind = FailureKind.REDIRECT if is_redirect(status) else FailureKind.STATUS
            if wish is not None:
                return "failed", kind, status, f"the receiver asked: webhook-delivery: {wish}"
            return "failed", kind, status, location and f"to {location}"
        case Failed(kind=kind, detail=detail, status=status):
            return "failed", kind, status, detail
        case Broken(reason=reason, detail=detail):
            return "internal", reason, None, detail
        case _ as outcome:
            assert_never(outcome)
