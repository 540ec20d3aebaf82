"""What follows from one webhook attempt: delivered, tried again later, given up, or the endpoint disabled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import assert_never

RETRY_DELAYS_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_TRIES = len(RETRY_DELAYS_SECONDS) + 1
MAX_RETRY_AFTER_SECONDS = 86_400
JITTER_SHARE = 0.2
MAX_JITTER_SECONDS = 1_800
MAX_FAULTS = 3
FAULT_DELAY_SECONDS = 60
GONE = 410


class FailureKind(StrEnum):
    """Why an attempt failed on the receiver's side. Also log field and metric label."""

    DNS = "dns"
    ADDRESS_REFUSED = "address_refused"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    RESET = "reset"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Answered:
    """The receiver gave a whole reply head; `retry_after` is that header as it came."""

    status: int
    retry_after: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable reply; `status` is set where a status line was still understood."""

    kind: FailureKind
    detail: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Our own fault: an unreadable stored row, a missing key, a bug. Never the receiver's blame.

    (An attempt cut short by our own shutdown is no outcome at all: it goes back to the queue.)
    """

    reason: str
    detail: str


Outcome = Answered | Failed | Broken


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it (2xx)."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The attempt counts as a try; the next one is due at `at`."""

    at: datetime
    kind: FailureKind


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The last try of the schedule failed."""

    kind: FailureKind


@dataclass(frozen=True, slots=True)
class DisableEndpoint:
    """410: the receiver is gone for good. The message stays queued, parked with its endpoint."""


@dataclass(frozen=True, slots=True)
class Internal:
    """Our fault: look again at `at`, or (None) quarantine the message. Costs the receiver no try."""

    at: datetime | None
    reason: str


Step = Delivered | RetryAt | Exhausted | DisableEndpoint | Internal


def next_step(outcome: Outcome, *, tries: int, faults: int, now: datetime, jitter: float) -> Step:
    """What follows from an attempt.

    `tries` and `faults` are the counted tries and our own faults BEFORE this attempt, `now` the
    time of its end, `jitter` a random number in [0, 1): it only ever adds to a delay.
    """
    match outcome:
        case Answered(status=status) if 200 <= status < 300:
            return Delivered()
        case Answered(status=status) if status == GONE:
            return DisableEndpoint()
        case Answered(status=status, retry_after=retry_after):
            redirected = is_redirect(status)
            wanted = None if redirected else parse_retry_after(retry_after, now)
            kind = FailureKind.REDIRECT if redirected else FailureKind.STATUS
            return _retry_or_give_up(kind, tries, now, jitter, wanted)
        case Failed(kind=kind):
            return _retry_or_give_up(kind, tries, now, jitter, None)
        case Broken(reason=reason):
            again = faults + 1 < MAX_FAULTS
            return Internal(now + timedelta(seconds=FAULT_DELAY_SECONDS) if again else None, reason)
        case _:
            assert_never(outcome)


def is_redirect(status: int) -> bool:
    """True for the statuses that send a client elsewhere (we never follow)."""
    return status in (300, 301, 302, 303, 307, 308)


def delay_seconds(tries: int, jitter: float, wanted: float | None = None) -> float:
    """Seconds until the next try after `tries` counted ones (>= 1).

    At least the schedule's delay plus up to a fifth of it (at most half an hour); more where the
    receiver asked for `wanted` seconds, jittered alike, but never beyond a day for its sake.
    """
    scheduled = _jittered(float(RETRY_DELAYS_SECONDS[tries - 1]), jitter)
    if wanted is None:
        return scheduled
    return max(scheduled, min(_jittered(wanted, jitter), MAX_RETRY_AFTER_SECONDS))


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for, from digits or an HTTP date; None for junk and for the past."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text) if len(text) <= 12 else float(MAX_RETRY_AFTER_SECONDS)
        return seconds or None
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"):
        try:
            at = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return (at - now).total_seconds() if at > now else None
    return None


def _jittered(seconds: float, jitter: float) -> float:
    return seconds + jitter * min(seconds * JITTER_SHARE, MAX_JITTER_SECONDS)


def _retry_or_give_up(
    kind: FailureKind, tries: int, now: datetime, jitter: float, wanted: float | None
) -> RetryAt | Exhausted:
    if tries + 1 >= MAX_TRIES:
        return Exhausted(kind)
    return RetryAt(now + timedelta(seconds=delay_seconds(tries + 1, jitter, wanted)), kind)
