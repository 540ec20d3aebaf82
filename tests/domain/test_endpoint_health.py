"""An endpoint's run of failures: sporadic ones never disable, five days of nothing else do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.delivery import RETRY_DELAYS_SECONDS
from app.domain.endpoint_health import (
    FAILING_FAILURES,
    HEALTHY,
    MAX_PAUSE_SECONDS,
    MIN_PAUSE_SECONDS,
    OPEN_FAILURES,
    Health,
)

START = datetime(2026, 11, 1, tzinfo=UTC)


def failing(*hours: float) -> Health:
    health = HEALTHY
    for hour in hours:
        health = health.after_failure(START + timedelta(hours=hour))
    return health


def test_five_days_of_only_failures_disable_and_a_moment_less_does_not() -> None:
    assert failing(*range(0, 121, 12)).is_hopeless
    assert not failing(*range(0, 120, 12), 119.99).is_hopeless


def test_one_message_that_ran_through_its_whole_schedule_does_not_disable() -> None:
    tries = accumulate((seconds / 3600 for seconds in RETRY_DELAYS_SECONDS), initial=0.0)
    assert not failing(*tries).is_hopeless


def test_a_burst_of_failures_is_no_evidence_of_days() -> None:
    assert not failing(*(n / 1000 for n in range(1000))).is_hopeless


def test_days_without_traffic_are_no_evidence_either() -> None:
    health = failing(0, 0.1, 24 * 6)
    assert not health.is_hopeless
    assert health.failures == 1  # a new run began


def test_the_longest_gap_of_the_schedule_does_not_break_a_run() -> None:
    longest = RETRY_DELAYS_SECONDS[-1] / 3600 + 0.5
    assert failing(*(n * longest for n in range(6))).is_hopeless


@given(st.permutations(list(range(0, 40, 4))))
def test_failures_learned_of_out_of_order_span_the_same_run(hours: list[int]) -> None:
    assert failing(*hours).lasted == timedelta(hours=36)


def test_an_endpoint_steps_aside_after_five_failures_in_a_row() -> None:
    assert not failing(*[0.0] * (FAILING_FAILURES - 1)).is_failing
    assert failing(*[0.0] * FAILING_FAILURES).is_failing


def test_a_blip_is_not_worth_a_recovery_but_five_minutes_are() -> None:
    assert not failing(0, 0.01).is_noteworthy
    assert failing(0, 0.1).is_noteworthy
    assert not HEALTHY.is_noteworthy


def run(failures: int, lasted: timedelta) -> Health:
    return Health(START, START + lasted, failures)


def test_the_circuit_opens_after_ten_failures_in_a_row_and_not_before() -> None:
    assert run(OPEN_FAILURES - 1, timedelta(days=4)).pause_seconds is None
    assert run(OPEN_FAILURES, timedelta(0)).pause_seconds == MIN_PAUSE_SECONDS


def test_the_longer_it_is_down_the_less_often_it_is_asked_within_bounds() -> None:
    pauses = [run(99, timedelta(seconds=seconds)).pause_seconds for seconds in (0, 40, 400, 1_200, 400_000)]
    assert pauses == [MIN_PAUSE_SECONDS, MIN_PAUSE_SECONDS, 100.0, MAX_PAUSE_SECONDS, MAX_PAUSE_SECONDS]


@pytest.mark.parametrize(
    ("failures", "lasted", "percent"),
    [
        (FAILING_FAILURES - 1, timedelta(days=4), None),  # too few to say anything
        (99, timedelta(seconds=299), None),
        (99, timedelta(seconds=300), 0),
        (99, timedelta(hours=59.9), 0),
        (99, timedelta(hours=60), 50),
        (99, timedelta(hours=84), 70),
        (99, timedelta(hours=108), 90),
        (99, timedelta(hours=500), 90),
    ],
)
def test_warnings_come_at_their_share_of_the_way_to_being_disabled(
    failures: int, lasted: timedelta, percent: int | None
) -> None:
    assert run(failures, lasted).warning_percent == percent
