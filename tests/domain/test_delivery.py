"""What follows from an attempt: the schedule, the receiver's wishes, 410, and our own faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.delivery import (
    MAX_FAULTS,
    MAX_HOLD_SECONDS,
    MAX_TRIES,
    RETRY_DELAYS_SECONDS,
    Aborted,
    Answered,
    Broken,
    Delivered,
    DisableEndpoint,
    Exhausted,
    Failed,
    FailureKind,
    Internal,
    Outcome,
    RetryAt,
    Step,
    Wish,
    hold_seconds,
    next_step,
    parse_retry_after,
    parse_wish,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DAY = 86_400


def follow(outcome: Outcome, *, tries: int = 0, faults: int = 0, jitter: float = 0.0) -> Step:
    return next_step(outcome, tries=tries, faults=faults, now=NOW, jitter=jitter)


def delay(step: Step) -> float:
    assert isinstance(step, RetryAt)
    return (step.at - NOW).total_seconds()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert follow(Answered(status)) == Delivered()


@pytest.mark.parametrize("status", [199, 304, 400, 401, 404, 409, 429, 500, 503, 599])
def test_any_other_status_is_tried_again(status: int) -> None:
    step = follow(Answered(status))
    assert isinstance(step, RetryAt)
    assert step.kind is FailureKind.STATUS


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_of_its_own_class_and_its_retry_after_counts_for_nothing(status: int) -> None:
    step = follow(Answered(status, retry_after="600", location="http://169.254.169.254/"))
    assert isinstance(step, RetryAt)
    assert (step.kind, delay(step)) == (FailureKind.REDIRECT, 5)


def test_ten_tries_spread_over_three_days_and_then_no_more() -> None:
    delays = [delay(follow(Failed(FailureKind.TIMEOUT, ""), tries=tries)) for tries in range(MAX_TRIES - 1)]
    # 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h
    assert delays == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert sum(delays) == 75 * 3600 + 35 * 60 + 5
    assert follow(Failed(FailureKind.TIMEOUT, ""), tries=MAX_TRIES - 1) == Exhausted(FailureKind.TIMEOUT)


@given(tries=st.integers(0, MAX_TRIES - 2), jitter=st.floats(0, 1, exclude_max=True))
def test_jitter_only_ever_adds_and_by_at_most_a_fifth(tries: int, jitter: float) -> None:
    base = RETRY_DELAYS_SECONDS[tries]
    chosen = delay(follow(Failed(FailureKind.RESET, ""), tries=tries, jitter=jitter))
    assert base <= chosen <= base + min(base / 5, 1800) + 1e-6


def test_gone_disables_the_endpoint_whatever_try_it_was() -> None:
    assert follow(Answered(410)) == follow(Answered(410), tries=MAX_TRIES - 1) == DisableEndpoint()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120),
        ("3", 5),  # never sooner than the schedule
        ("0", 5),
        ("-5", 5),
        ("1000000000", DAY),
        ("9" * 5000, DAY),
        ("soon", 5),
        ("1.5", 5),
        ("١٢٣", 5),  # digits, but not the ASCII ones
        ("", 5),
        (None, 5),
        (format_datetime(NOW + timedelta(minutes=7), usegmt=True), 420),
        ((NOW + timedelta(minutes=7)).strftime("%A, %d-%b-%y %H:%M:%S GMT"), 420),
        ((NOW + timedelta(minutes=7)).strftime("%a %b %d %H:%M:%S %Y"), 420),
        (format_datetime(NOW - timedelta(minutes=7), usegmt=True), 5),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), DAY),
        ("Sun, 99 Nov 2026 10:00:00 GMT", 5),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_between_the_schedule_and_one_day(
    status: int, header: str | None, expected: float
) -> None:
    assert delay(follow(Answered(status, retry_after=header))) == expected


@given(header=st.text(), jitter=st.floats(0, 1, exclude_max=True))
def test_no_retry_after_moves_a_try_out_of_its_bounds(header: str, jitter: float) -> None:
    assert 5 <= delay(follow(Answered(429, retry_after=header), jitter=jitter)) <= DAY


def test_retry_after_is_jittered_too_so_that_a_backlog_does_not_return_as_one_wave() -> None:
    waits = {delay(follow(Answered(503, retry_after="3600"), jitter=n / 10)) for n in range(10)}
    assert len(waits) == 10
    assert min(waits) == 3600


def test_a_retry_after_of_zero_or_junk_is_no_wish() -> None:
    assert parse_retry_after("0", NOW) is None
    assert parse_retry_after("tomorrow", NOW) is None
    assert parse_retry_after(" 30 ", NOW) == 30


def test_a_fault_of_ours_costs_no_try_and_is_quarantined_after_three() -> None:
    for faults in range(MAX_FAULTS - 1):
        step = follow(Broken("unreadable", "secret"), tries=4, faults=faults)
        assert isinstance(step, Internal)
        assert step.at is not None
    assert follow(Broken("unreadable", "secret"), faults=MAX_FAULTS - 1) == Internal(None, "unreadable")


@pytest.mark.parametrize("status", [400, 410, 429, 503])
def test_a_receiver_may_ask_to_be_switched_off_with_any_reply(status: int) -> None:
    assert follow(Answered(status, wish=Wish.DISABLE)) == DisableEndpoint(asked=True)


def test_a_receiver_that_takes_a_message_and_asks_for_no_more_gets_no_more() -> None:
    assert follow(Answered(200, wish=Wish.DISABLE)) == Delivered(disable=True)
    assert follow(Answered(200, wish=Wish.ABORT)) == Delivered()


@pytest.mark.parametrize("status", [302, 400, 503])
def test_a_receiver_may_ask_never_to_get_this_message_again(status: int) -> None:
    step = follow(Answered(status, wish=Wish.ABORT))
    assert step == Aborted(FailureKind.REDIRECT if status == 302 else FailureKind.STATUS)


def test_gone_stays_gone_whatever_else_is_asked() -> None:
    assert follow(Answered(410, wish=Wish.ABORT)) == DisableEndpoint()


@pytest.mark.parametrize(
    ("text", "wish"),
    [("disable", Wish.DISABLE), (" Abort-Message ", Wish.ABORT), ("delete", None), ("", None), (None, None)],
)
def test_a_wish_is_one_of_two_words(text: str | None, wish: Wish | None) -> None:
    assert parse_wish(text) is wish


def test_an_own_schedule_has_its_own_delays_and_end() -> None:
    own = [10, 60]
    steps = [
        next_step(Answered(500), tries=tries, faults=0, now=NOW, jitter=0.0, delays=own) for tries in range(3)
    ]
    assert [delay(step) for step in steps[:2]] == [10, 60]
    assert steps[2] == Exhausted(FailureKind.STATUS)


def test_an_empty_schedule_is_one_try() -> None:
    step = next_step(Answered(500), tries=0, faults=0, now=NOW, jitter=0.0, delays=[])
    assert step == Exhausted(FailureKind.STATUS)


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (Answered(429, retry_after="30"), 30),
        (Answered(503, retry_after="30"), 30),
        (Answered(429, retry_after="1000000"), MAX_HOLD_SECONDS),
        (Answered(429), None),
        (Answered(429, retry_after="soon"), None),
        (Answered(500, retry_after="30"), None),  # of one message, not of the endpoint
        (Failed(FailureKind.TIMEOUT, ""), None),
    ],
)
def test_an_endpoint_that_asks_for_a_pause_is_left_alone_as_a_whole(
    outcome: Outcome, seconds: float | None
) -> None:
    assert hold_seconds(outcome, NOW) == seconds
