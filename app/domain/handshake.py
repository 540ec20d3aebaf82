"""The CloudEvents handshake: does a receiver want our posts, and how many of them in a minute?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MAX_MESSAGES, MINUTE_SECONDS = 10_000, 60
MAX_RATE = MAX_MESSAGES * MINUTE_SECONDS

_RATE = re.compile(r"[1-9][0-9]{0,8}")


class Consent(StrEnum):
    """What a receiver said of us."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not_allowed"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`per_minute` is the number of requests that it allows in a minute; None: it named none."""

    consent: Consent
    per_minute: int | None = None
    detail: str | None = None


def request_headers(origin: str, per_minute: int | None) -> dict[str, str]:
    """The headers of the OPTIONS request (CloudEvents HTTP 1.1 Web Hooks, 4.1)."""
    headers = {"WebHook-Request-Origin": origin}
    if per_minute is not None:
        headers["WebHook-Request-Rate"] = str(per_minute)
    return headers


def judge(status: int, headers: Mapping[str, str], origin: str) -> Verdict:
    """Read a reply (`headers` by their names in lower case): it allows us when it names our origin or `*`.

    A redirect is not followed, here as in delivery. A rate that is no positive number is none.
    """
    allowed = headers.get("webhook-allowed-origin", "").strip()
    if not 200 <= status < 300:
        return Verdict(Consent.NOT_ALLOWED, detail=f"it answered {status}")
    if not allowed:
        return Verdict(Consent.NOT_ALLOWED, detail="the answer has no WebHook-Allowed-Origin")
    if allowed != "*" and allowed.lower() != origin.lower():
        return Verdict(Consent.NOT_ALLOWED, detail="WebHook-Allowed-Origin names another sender")
    rate = headers.get("webhook-allowed-rate", "").strip()
    return Verdict(Consent.ALLOWED, int(rate) if _RATE.fullmatch(rate) else None)


def slower_throttle(
    per_minute: int | None, messages: int | None, seconds: int | None
) -> tuple[int, int] | None:
    """(messages, seconds) of the throttle that a receiver's rate asks for; None where ours is slow enough."""
    if per_minute is None:
        return None
    if messages is not None and seconds is not None and messages * MINUTE_SECONDS <= per_minute * seconds:
        return None
    if per_minute > MAX_MESSAGES:
        return min(MAX_MESSAGES, per_minute // MINUTE_SECONDS), 1
    return per_minute, MINUTE_SECONDS
