"""Verify a webhook with nothing but the standard library: `verify(headers, body, secrets)`."""

import base64
import hashlib
import hmac
import time

TOLERANCE_SECONDS = 300


class NotOurs(Exception):
    """Answer 400 and do nothing."""


def verify(headers: dict[str, str], body: bytes, secrets: list[str], now: float | None = None) -> str:
    """Return the message id, or raise NotOurs. `headers` have lower-case names, `body` is as it came."""
    try:
        message_id = headers["webhook-id"]
        timestamp = int(headers["webhook-timestamp"])
        given = headers["webhook-signature"].encode()
    except (KeyError, ValueError) as error:
        raise NotOurs("a webhook header is missing") from error
    if abs((time.time() if now is None else now) - timestamp) > TOLERANCE_SECONDS:
        raise NotOurs("too old, or from the future")
    signed = f"{message_id}.{timestamp}.".encode() + body
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        if any(hmac.compare_digest(expected, candidate) for candidate in given.split(b" ")):
            return message_id
    raise NotOurs("no signature by a secret of ours")
