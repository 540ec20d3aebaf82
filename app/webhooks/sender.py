"""One signed attempt: what is sent, what came of it, and never an exception."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from app.domain.delivery import Answered, Broken, Failed, Outcome, is_redirect, parse_wish
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
    content_type: str = "application/json"
    deadline_seconds: float | None = None


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
    signature: str | None = None


class Sender:
    """Signs and posts parcels over one transport; `deadline_seconds` bounds each attempt as a whole."""

    def __init__(self, transport: VettedTransport, *, deadline_seconds: float = 15.0) -> None:
        self._transport = transport
        self.deadline_seconds = deadline_seconds

    async def send(self, parcel: Parcel, now: datetime) -> Receipt:
        """Make one attempt, signed for `now`. Whatever goes wrong is an outcome; only cancelling raises."""
        started = time.perf_counter()
        signature: str | None = None
        try:
            timestamp = int(now.timestamp())
            signature = sign(parcel.message_id, timestamp, parcel.body, parcel.secrets)
            reply = await self._post(parcel, timestamp, signature)
        except WireError as error:
            outcome: Outcome = Failed(error.kind, printable(error.detail, DETAIL_LETTERS), error.status)
            return Receipt(outcome, now, _milliseconds(started), signature=signature)
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
            signature=signature,
        )

    async def close(self) -> None:
        """Drop the kept connections."""
        await self._transport.close()

    async def _post(self, parcel: Parcel, timestamp: int, signature: str) -> Reply:
        headers = {
            **parcel.headers,
            **sent_headers(parcel.message_id, timestamp, signature, parcel.content_type),
        }
        deadline = parcel.deadline_seconds or self.deadline_seconds
        return await self._transport.post(parcel.url, headers, parcel.body, deadline_seconds=deadline)


def sent_headers(message_id: str, timestamp: int, signature: str, content_type: str) -> dict[str, str]:
    """The headers of an attempt, without the endpoint's own and those of the wire."""
    return {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Content-Type": content_type,
        "User-Agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


def _answer(reply: Reply) -> Answered:
    location = reply.header(b"location") if is_redirect(reply.status) else None
    return Answered(
        reply.status,
        retry_after=reply.header(b"retry-after"),
        location=None if location is None else printable(location, DETAIL_LETTERS),
        wish=parse_wish(reply.header(b"webhook-delivery")),
    )


def _milliseconds(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
