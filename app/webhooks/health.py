"""Moves the health of endpoints with the attempts just settled, and notes what others should hear of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.delivery import Answered, Delivered, DisableEndpoint, Exhausted, Failed, hold_seconds
from app.domain.endpoint_health import DISABLE_AFTER, HEALTHY, Health
from app.kit.ids import public_id
from app.webhooks.catalogue import DISABLED, EXHAUSTED, FAILING, OPERATIONAL, RECOVERED
from app.webhooks.notices import Notice, append_notices
from app.webhooks.settlement import Settlement

# A success of an endpoint that was well when it was claimed, by far the commonest case, asks nothing.
_LOCK = """
SELECT endpoint_id, tenant_id, url, disabled_at, failing_since, last_failure_at, failures, open_until,
       warned_percent
  FROM endpoints
 WHERE endpoint_id = any($1) OR (endpoint_id = any($2) AND (failures > 0 OR open_until IS NOT NULL))
 ORDER BY endpoint_id FOR NO KEY UPDATE
"""
_STORE = """
UPDATE endpoints e
   SET failing_since = g.failing_since, last_failure_at = g.last_failure_at, failures = g.failures,
       open_until = g.open_until, warned_percent = g.warned,
       disabled_at = CASE WHEN g.disable IS NULL THEN e.disabled_at ELSE now() END,
       disabled_reason = coalesce(g.disable, e.disabled_reason),
       version = e.version + (g.disable IS NOT NULL)::int
  FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::int[], $5::timestamptz[], $6::int[],
              $7::text[])
       AS g(endpoint_id, failing_since, last_failure_at, failures, open_until, warned, disable)
 WHERE e.endpoint_id = g.endpoint_id
"""


async def move_health(tx: Tx, settled: Sequence[Settlement]) -> None:
    """Fold the attempts into their endpoints, in the order in which they ended."""
    settled = [item for item in settled if _tells(item)]
    if not settled:
        return
    by_endpoint: defaultdict[UUID, list[Settlement]] = defaultdict(list)
    for item in settled:
        by_endpoint[item.claimed.endpoint_id].append(item)
    certain = [endpoint_id for endpoint_id, items in by_endpoint.items() if any(map(_changes, items))]
    rows = await tx.fetch(_LOCK, certain, list(by_endpoint))
    notices = _exhausted(settled)
    changed: list[tuple[Any, ...]] = []
    for row in rows:
        verdict = _Verdict(row)
        for item in by_endpoint[row["endpoint_id"]]:
            verdict.hear(item)
        changed.append(verdict.stored)
        notices += verdict.notices
    if changed:
        await tx.execute(_STORE, *map(list, zip(*changed, strict=True)))
    await append_notices(tx, notices)


def _changes(item: Settlement) -> bool:
    return item.is_failure or item.step == Delivered(disable=True)


def _tells(item: Settlement) -> bool:
    return _changes(item) or item.claimed.is_probe or not item.claimed.is_healthy


class _Verdict:
    """An endpoint after some attempts: its health, until when it is left alone, what is to be told."""

    def __init__(self, row: Any) -> None:
        self._row = row
        self._health = Health(row["failing_since"], row["last_failure_at"], row["failures"])
        self._open_until: datetime | None = row["open_until"]
        self._warned: int | None = row["warned_percent"]
        self._disable: str | None = None
        self.notices: list[Notice] = []

    @property
    def stored(self) -> tuple[Any, ...]:
        """What goes into the row, in the order of _STORE."""
        health = self._health
        run = (health.failing_since, health.last_failure_at, health.failures)
        return (self._row["endpoint_id"], *run, self._open_until, self._warned, self._disable)

    def hear(self, item: Settlement) -> None:
        """Fold one more attempt in.

        An attempt that was under way when the circuit opened does not close it: a probe does, or a hand.
        """
        if item.claimed.is_probe or item.claimed.manual:
            self._open_until = None
        if item.is_delivered:
            if self._health.is_noteworthy:
                self._tell(RECOVERED, item, _run(self._health))
            self._health, self._warned = HEALTHY, None
            if item.step == Delivered(disable=True):
                self._switch_off("asked", item)
        elif item.is_failure:
            self._fail(item)

    def _fail(self, item: Settlement) -> None:
        at = item.receipt.attempted_at
        self._health = health = self._health.after_failure(at)
        pause = max(health.pause_seconds or 0, hold_seconds(item.receipt.outcome, at) or 0)
        if pause:
            until = at + timedelta(seconds=pause)
            self._open_until = until if self._open_until is None else max(until, self._open_until)
        if health.failures == 1:
            self._warned = None
        if isinstance(item.step, DisableEndpoint):
            self._switch_off("asked" if item.step.asked else "gone", item)
        elif health.is_hopeless:
            self._switch_off("failing", item)
        elif (percent := health.warning_percent) is not None and percent > (
            -1 if self._warned is None else self._warned
        ):
            self._warned = percent
            disables_at = health.failing_since and health.failing_since + DISABLE_AFTER
            self._tell(FAILING, item, {**_run(health), "percent": percent, "disables_at": disables_at})

    def _switch_off(self, reason: str, item: Settlement) -> None:
        if self._row["disabled_at"] is None and self._disable is None:
            self._disable = reason
            self._tell(DISABLED, item, {"reason": reason, **_run(self._health)})

    def _tell(self, event_type: str, item: Settlement, data: dict[str, Any]) -> None:
        about = {"endpoint_id": public_id("ep", self._row["endpoint_id"]), "url": self._row["url"]}
        at = item.receipt.attempted_at
        notice = Notice(self._row["tenant_id"], event_type, self._row["endpoint_id"], at, {**about, **data})
        self.notices.append(notice)


def _run(health: Health) -> dict[str, Any]:
    return {"failing_since": health.failing_since, "failures": health.failures}


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
                "tries": claimed.tries + 1,
                "failure": item.step.kind.value,
                "status": outcome.status if isinstance(outcome, Answered | Failed) else None,
            }
            at = item.receipt.attempted_at
            notices.append(Notice(claimed.tenant_id, EXHAUSTED, claimed.endpoint_id, at, data))
    return notices
