"""Moves the health of endpoints with the attempts just settled, and notes what others should hear of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.delivery import MAX_TRIES, Answered, DisableEndpoint, Exhausted, Failed
from app.domain.endpoint_health import HEALTHY, Health
from app.kit.ids import public_id
from app.webhooks.catalogue import DISABLED, EXHAUSTED, OPERATIONAL, RECOVERED
from app.webhooks.notices import Notice, append_notices
from app.webhooks.settlement import Settlement

# A success of an endpoint that was well when it was claimed, by far the commonest case, asks nothing.
_LOCK = """
SELECT endpoint_id, tenant_id, url, disabled_at, failing_since, last_failure_at, failures FROM endpoints
 WHERE endpoint_id = any($1) OR (endpoint_id = any($2) AND failures > 0)
 ORDER BY endpoint_id FOR NO KEY UPDATE
"""
_STORE = """
UPDATE endpoints e
   SET failing_since = g.failing_since, last_failure_at = g.last_failure_at, failures = g.failures,
       disabled_at = CASE WHEN g.disable IS NULL THEN e.disabled_at ELSE now() END,
       disabled_reason = coalesce(g.disable, e.disabled_reason),
       version = e.version + (g.disable IS NOT NULL)::int
  FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::int[], $5::text[])
       AS g(endpoint_id, failing_since, last_failure_at, failures, disable)
 WHERE e.endpoint_id = g.endpoint_id
"""


async def move_health(tx: Tx, settled: Sequence[Settlement]) -> None:
    """Fold the attempts into their endpoints, in the order in which they ended."""
    settled = [item for item in settled if item.is_failure or not item.claimed.is_healthy]
    if not settled:
        return
    by_endpoint: defaultdict[UUID, list[Settlement]] = defaultdict(list)
    for item in settled:
        by_endpoint[item.claimed.endpoint_id].append(item)
    failed = [
        endpoint_id for endpoint_id, items in by_endpoint.items() if any(item.is_failure for item in items)
    ]
    rows = await tx.fetch(_LOCK, failed, list(by_endpoint))
    notices = _exhausted(settled)
    changed: list[tuple[Any, ...]] = []
    for row in rows:
        health, disable, noted = _judge(row, by_endpoint[row["endpoint_id"]])
        fields = (health.failing_since, health.last_failure_at, health.failures, disable)
        changed.append((row["endpoint_id"], *fields))
        notices += noted
    if changed:
        await tx.execute(_STORE, *map(list, zip(*changed, strict=True)))
    await append_notices(tx, notices)


def _judge(row: Any, items: Sequence[Settlement]) -> tuple[Health, str | None, list[Notice]]:
    """The health after these attempts, the reason to disable (if so), and what is to be told."""
    health = Health(row["failing_since"], row["last_failure_at"], row["failures"])
    notices: list[Notice] = []
    disable: str | None = None
    for item in items:
        if item.is_delivered:
            if health.is_noteworthy:
                notices.append(_notice(RECOVERED, row, item, _run(health)))
            health = HEALTHY
        elif item.is_failure:
            health = health.after_failure(item.receipt.attempted_at)
            gone = isinstance(item.step, DisableEndpoint)
            if row["disabled_at"] is None and disable is None and (gone or health.is_hopeless):
                disable = "gone" if gone else "failing"
                notices.append(_notice(DISABLED, row, item, {"reason": disable, **_run(health)}))
    return health, disable, notices


def _run(health: Health) -> dict[str, Any]:
    return {"failing_since": health.failing_since, "failures": health.failures}


def _notice(event_type: str, row: Any, item: Settlement, data: dict[str, Any]) -> Notice:
    about = {"endpoint_id": public_id("ep", row["endpoint_id"]), "url": row["url"]}
    at = item.receipt.attempted_at
    return Notice(row["tenant_id"], event_type, row["endpoint_id"], at, {**about, **data})


def _exhausted(settled: Sequence[Settlement]) -> list[Notice]:
    """One notice per message given up, but none for a notice: two dead endpoints would never fall silent."""
    notices: list[Notice] = []
    for item in settled:
        claimed = item.claimed
        if isinstance(item.step, Exhausted) and not claimed.manual and claimed.type not in OPERATIONAL:
            outcome = item.receipt.outcome
            data = {
                "endpoint_id": public_id("ep", claimed.endpoint_id),
                "url": claimed.url,
                "message_id": public_id("msg", claimed.message_id),
                "type": claimed.type,
                "tries": MAX_TRIES,
                "failure": item.step.kind.value,
                "status": outcome.status if isinstance(outcome, Answered | Failed) else None,
            }
            at = item.receipt.attempted_at
            notices.append(Notice(claimed.tenant_id, EXHAUSTED, claimed.endpoint_id, at, data))
    return notices
