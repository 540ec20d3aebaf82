"""One signed attempt: what is sent, what came of it, and never an exception."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from app.domain.delivery import Answered, Broken, Failed, Outcome, is_redirect
from app.domain.errors import DomainError
from app.domain.signature import Secret, sign
from app.webhooks.dial import WireError
from app.webhooks.reply import Reply, printable
from app.webhooks.transport import VettedTransport

log = structlog.get_logger()

USER_AGENT = "Vidhuk-Webhooks/1"
EXCERPT_LETTERS = 1_000
DETAIL_LETTERS = 300


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that one attempt needs, read when it is about to be made."""

    message_id: str
    url: str
    body: bytes
    secrets: Sequence[Secret] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of an attempt; texts are safe to store and show."""

    outcome: Outcome
    attempted_at: datetime
    duration_ms: int
    reply_bytes: int | None = None
    reply_sha256: bytes | None = None
    reply_excerpt: str | None = None
    truncated: bool = False


class Sender:
    """Signs and posts parcels over one transport; `deadline_seconds` bounds each attempt as a whole."""

    def __init__(self, transport: VettedTransport, *, deadline_seconds: float = 15.0) -> None:
        self._transport = transport
        self.deadline_seconds = deadline_seconds

    async def send(self, parcel: Parcel, now: datetime) -> Receipt:
        """Make one attempt, signed for `now`. Whatever goes wrong is an outcome; only cancelling raises."""
        started = time.perf_counter()
        try:
            reply = await self._post(parcel, int(now.timestamp()))
        except WireError as error:
            outcome: Outcome = Failed(error.kind, printable(error.detail, DETAIL_LETTERS), error.status)
            return Receipt(outcome, now, _milliseconds(started))
        except DomainError as error:
            return Receipt(Broken(error.reason, error.detail), now, _milliseconds(started))
        except (
            Exception
        ) as error:  # a bug of ours must end as a stored outcome, or the message loops for ever
            log.error("attempt_broken", message=parcel.message_id, error=repr(error), exc_info=error)
            detail = printable(repr(error), DETAIL_LETTERS)
            return Receipt(Broken("unexpected_error", detail), now, _milliseconds(started))
        return Receipt(
            _answer(reply),
            now,
            _milliseconds(started),
            reply_bytes=len(reply.body),
            reply_sha256=hashlib.sha256(reply.body).digest(),
            reply_excerpt=printable(reply.body, EXCERPT_LETTERS) or None,
            truncated=reply.truncated,
        )

    async def close(self) -> None:
        """Drop the kept connections."""
        await self._transport.close()

    async def _post(self, parcel: Parcel, timestamp: int) -> Reply:
        headers = {
            **parcel.headers,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "webhook-id": parcel.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(parcel.message_id, timestamp, parcel.body, parcel.secrets),
        }
        return await self._transport.post(
            parcel.url, headers, parcel.body, deadline_seconds=self.deadline_seconds
        )


def _answer(reply: Reply) -> Answered:
    location = reply.header(b"location") if is_redirect(reply.status) else None
    return Answered(
        reply.status,
        retry_after=reply.header(b"retry-after"),
        location=None if location is None else printable(location, DETAIL_LETTERS),
    )


def _milliseconds(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
