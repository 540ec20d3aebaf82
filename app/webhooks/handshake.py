"""Asks a receiver of CloudEvents whether it wants our posts; its answer is shown, and its rate kept to.

Nothing is held back for want of an answer: few receivers know the handshake, and every message is
signed anyway. What it says of the rate becomes the endpoint's throttle where that was faster.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.handshake import MINUTE_SECONDS, Consent, Verdict, judge, request_headers, slower_throttle
from app.webhooks import repository
from app.webhooks.dial import WireError
from app.webhooks.egress import EgressGuard
from app.webhooks.options import Throttle
from app.webhooks.sender import USER_AGENT
from app.webhooks.transport import VettedTransport

DEADLINE_SECONDS = 3.0


async def ask(guard: EgressGuard, url: str, origin: str, throttle: Throttle | None) -> dict[str, Any]:
    """One OPTIONS request through the guard of deliveries: what came of it, as it is stored and shown."""
    rate = None
    if throttle is not None:
        rate = max(1, throttle.messages * MINUTE_SECONDS // throttle.seconds)
    status: int | None = None
    transport = VettedTransport(guard)
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    headers |= request_headers(origin, rate)
    try:
        reply = await transport.exchange("OPTIONS", url, headers, b"", deadline_seconds=DEADLINE_SECONDS)
    except WireError as error:
        status, verdict = error.status, Verdict(Consent.NO_ANSWER, detail=error.kind.value)
    else:
        given = {name.decode("ascii"): value.decode("latin-1") for name, value in reversed(reply.headers)}
        status, verdict = reply.status, judge(reply.status, given, origin)
    finally:
        await transport.close()
    return {
        "state": verdict.consent.value,
        "origin": origin,
        "allowed_per_minute": verdict.per_minute,
        "status": status,
        "detail": verdict.detail,
    }


async def keep(
    connection: AsyncConnection,
    tenant_id: UUID,
    endpoint_id: UUID,
    url: str,
    said: dict[str, Any],
    now: datetime,
) -> None:
    """Store what was said, unless the endpoint's URL has changed meanwhile. Raises NotFoundError."""
    row = await repository.get_endpoint(connection, tenant_id, endpoint_id, lock=True)
    if row.url != url:
        return
    values: dict[str, Any] = {"handshake": {**said, "checked_at": now.isoformat()}}
    paced = slower_throttle(said["allowed_per_minute"], row.throttle_messages, row.throttle_seconds)
    if paced is not None:
        values |= {
            "throttle_messages": paced[0],
            "throttle_seconds": paced[1],
            "tokens": None,
            "tokens_at": None,
        }
    await repository.update_endpoint(connection, row, values, now=now)
