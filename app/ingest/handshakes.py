"""What partners ask a webhook address before they use it, and how it is answered."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from fastapi.responses import PlainTextResponse, Response

from app.kit import json

_LONGEST_CHALLENGE = 1_000


def answer_get(query: Mapping[str, str], token: str) -> Response:
    """Meta's subscription (the verify token is the last part of the address itself), or a bare challenge.

    Without a challenge the address only says that it is there.
    """
    challenge = query.get("hub.challenge")
    if challenge is not None:
        stated = query.get("hub.verify_token", "")
        genuine = hmac.compare_digest(stated.encode("utf-8", "replace"), token.encode("utf-8", "replace"))
        if not genuine or query.get("hub.mode") != "subscribe":
            return PlainTextResponse("the verify token is the last part of this address", 403)
        return _echo(challenge)
    plain = query.get("challenge")
    return _echo(plain) if plain is not None else PlainTextResponse("ready")


def answer_options(headers: Mapping[str, str]) -> Response:
    """CloudEvents' permission to send: whoever knows the address may, at any rate."""
    allowed = {"Allow": "POST, GET, HEAD, OPTIONS"}
    origin = headers.get("webhook-request-origin")
    if origin is not None:
        allowed |= {"WebHook-Allowed-Origin": origin[:200], "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=allowed)


def find_challenge(body: bytes) -> str | None:
    """The challenge of a body that is a handshake (`url_verification`, Slack's form), else None."""
    if len(body) > 10_000 or b"url_verification" not in body:
        return None
    try:
        document = json.parse_untrusted(body)
    except json.JsonError:
        return None
    if not isinstance(document, dict) or document.get("type") != "url_verification":
        return None
    challenge = document.get("challenge")
    return challenge[:_LONGEST_CHALLENGE] if isinstance(challenge, str) else None


def _echo(challenge: str) -> Response:
    return PlainTextResponse(challenge[:_LONGEST_CHALLENGE], headers={"X-Content-Type-Options": "nosniff"})
