"""What follows from one webhook attempt: delivered, tried again later, given up, or the endpoint disabled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import assert_never

RETRY_DELAYS_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_TRIES = len(RETRY_DELAYS_SECONDS) + 1
MAX_RETRY_AFTER_SECONDS = 86_400
MAX_HOLD_SECONDS = 3_600
JITTER_SHARE = 0.2
MAX_JITTER_SECONDS = 1_800
MAX_FAULTS = 3
FAULT_DELAY_SECONDS = 60
GONE = 410
HOLDING = (429, 503)


class Wish(StrEnum):
    """What a receiver may ask for in the `webhook-delivery` header of any reply."""

    DISABLE = "disable"
    ABORT = "abort-message"


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
    wish: Wish | None = None


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
    """The receiver took it (2xx); `disable` when it asked for no more after this one."""

    disable: bool = False


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
    """410, or asked for: the receiver wants no more. The message stays queued, parked with its endpoint."""

    asked: bool = False


@dataclass(frozen=True, slots=True)
class Aborted:
    """The receiver refused this message and asked never to get it again; that is no fault of its endpoint."""

    kind: FailureKind


@dataclass(frozen=True, slots=True)
class Internal:
    """Our fault: look again at `at`, or (None) quarantine the message. Costs the receiver no try."""

    at: datetime | None
    reason: str


Step = Delivered | RetryAt | Exhausted | DisableEndpoint | Aborted | Internal


def next_step(
    outcome: Outcome,
    *,
    tries: int,
    faults: int,
    now: datetime,
    jitter: float,
    delays: Sequence[int] = RETRY_DELAYS_SECONDS,
) -> Step:
    """What follows from an attempt.

    `tries` and `faults` are the counted tries and our own faults BEFORE this attempt, `now` the
    time of its end, `jitter` a random number in [0, 1): it only ever adds to a delay. `delays` are
    the seconds between tries: there is one try more than delays.
    """
    match outcome:
        case Answered(status=status, wish=wish) if 200 <= status < 300:
            return Delivered(disable=wish is Wish.DISABLE)
        case Answered(wish=Wish.DISABLE):
            return DisableEndpoint(asked=True)
        case Answered(status=status) if status == GONE:
            return DisableEndpoint()
        case Answered(status=status, retry_after=retry_after, wish=wish):
            kind = FailureKind.REDIRECT if is_redirect(status) else FailureKind.STATUS
            if wish is Wish.ABORT:
                return Aborted(kind)
            wanted = None if is_redirect(status) else parse_retry_after(retry_after, now)
            return _retry_or_give_up(kind, tries, now, jitter, wanted, delays)
        case Failed(kind=kind):
            return _retry_or_give_up(kind, tries, now, jitter, None, delays)
        case Broken(reason=reason):
            again = faults + 1 < MAX_FAULTS
            return Internal(now + timedelta(seconds=FAULT_DELAY_SECONDS) if again else None, reason)
        case _:
            assert_never(outcome)


def parse_wish(text: str | None) -> Wish | None:
    """The wish in a `webhook-delivery` header; None for junk, which is ignored."""
    word = (text or "").strip().lower()
    return Wish(word) if word in set(Wish) else None


def hold_seconds(outcome: Outcome, now: datetime) -> float | None:
    """For how long the whole endpoint is to be left alone: 429 or 503 with a `Retry-After`, at most an hour.

    The message that was answered waits for as long as the receiver said (at most a day).
    """
    if not isinstance(outcome, Answered) or outcome.status not in HOLDING:
        return None
    wanted = parse_retry_after(outcome.retry_after, now)
    return None if wanted is None else min(wanted, MAX_HOLD_SECONDS)


def is_redirect(status: int) -> bool:
    """True for the statuses that send a client elsewhere (we never follow)."""
    return status in (300, 301, 302, 303, 307, 308)


def delay_seconds(
    tries: int, jitter: float, wanted: float | None = None, delays: Sequence[int] = RETRY_DELAYS_SECONDS
) -> float:
    """Seconds until the next try after `tries` counted ones (>= 1, at most as many as delays).

    At least the schedule's delay plus up to a fifth of it (at most half an hour); more where the
    receiver asked for `wanted` seconds, jittered alike, but never beyond a day for its sake.
    """
    scheduled = _jittered(float(delays[tries - 1]), jitter)
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
    kind: FailureKind, tries: int, now: datetime, jitter: float, wanted: float | None, delays: Sequence[int]
) -> RetryAt | Exhausted:
    if tries >= len(delays):
        return Exhausted(kind)
    return RetryAt(now + timedelta(seconds=delay_seconds(tries + 1, jitter, wanted, delays)), kind)
