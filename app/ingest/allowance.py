"""How many events a tenant may still post: a bucket that refills by the minute, kept in the tenant's head.

What is committed is paid for in the same transaction, so that all processes share one bucket and it costs
no look-up. Nothing accepted is refused for it: who took more than there was owes, and waits until it is paid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from app.domain.errors import TooManyError

WINDOW_SECONDS = 60
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a commit left: `left` of `rate` events a minute (below 0: owed) at `known_at` of our clock."""

    rate: float
    left: float
    known_at: float

    def left_at(self, now: float) -> float:
        """What is left by now, if nobody else took any."""
        return min(self.rate, self.left + self.rate * (now - self.known_at) / WINDOW_SECONDS)

    def seconds_until(self, wanted: float, now: float) -> int:
        """Whole seconds, at least one, until so much is left."""
        return max(1, ceil((wanted - self.left_at(now)) * WINDOW_SECONDS / self.rate))


class RateLimitedError(TooManyError):
    """The tenant has posted what it may for now (429)."""

    def __init__(self, rate: float, retry_after_seconds: int) -> None:
        super().__init__(
            "rate_limited",
            f"this tenant may post {rate:g} events a minute, and has; nothing of this request was stored",
            cure="send it again after Retry-After; ask the operator for a higher rate",
        )
        self.retry_after_seconds = retry_after_seconds


class Allowances:
    """What this process knows of the buckets of the tenants it writes for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[UUID, Allowance] = {}

    def note(self, tenant_id: UUID, rate: float | None, left: float | None) -> None:
        """Remember what a commit found; a tenant without a rate is forgotten."""
        if rate is None or left is None:
            self._known.pop(tenant_id, None)
            return
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[tenant_id] = Allowance(rate, left, self._clock())

    def refuse_overspent(self, tenant_id: UUID) -> None:
        """Raises RateLimitedError while nothing is left."""
        known = self._known.get(tenant_id)
        if known is not None and known.left_at(self._clock()) < 1:
            raise RateLimitedError(known.rate, known.seconds_until(1, self._clock()))

    def headers(self, tenant_id: UUID) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` of a response; none without a rate."""
        known = self._known.get(tenant_id)
        if known is None:
            return {}
        now = self._clock()
        left, full = max(0, int(known.left_at(now))), known.seconds_until(known.rate, now)
        return {
            "RateLimit-Policy": f'"events";q={known.rate:.0f};w={WINDOW_SECONDS}',
            "RateLimit": f'"events";r={left};t={full}',
        }
