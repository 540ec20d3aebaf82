"""An endpoint's run of failures: when it steps aside, is left alone, is warned of, disabled, recovered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

DISABLE_AFTER = timedelta(days=5)
SILENCE = timedelta(hours=48)
FAILING_FAILURES = 5
NOTEWORTHY = timedelta(minutes=5)
OPEN_FAILURES = 10
MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 10.0, 300.0
PAUSE_SHARE = 0.25
WARNING_PERCENTS = (0, 50, 70, 90)
"""0: it has been failing for long enough to be worth a word; the others on the way to being disabled."""


@dataclass(frozen=True, slots=True)
class Health:
    """An unbroken run of failures; a success ends it.

    Silence of over two days (longer than any gap of the retry schedule) starts a new run: days
    without traffic are no evidence against an endpoint.
    """

    failing_since: datetime | None = None
    last_failure_at: datetime | None = None
    failures: int = 0

    def after_failure(self, at: datetime) -> Health:
        """The run with one more failure, which may be learned of out of order."""
        if self.failing_since is None or self.last_failure_at is None or at - self.last_failure_at > SILENCE:
            return Health(at, at, 1)
        return Health(min(at, self.failing_since), max(at, self.last_failure_at), self.failures + 1)

    @property
    def is_failing(self) -> bool:
        """True when its messages should no longer stand in the way of others."""
        return self.failures >= FAILING_FAILURES

    @property
    def pause_seconds(self) -> float | None:
        """For how long it is left alone before one probe is made (an open circuit), None while it is not.

        A quarter of the run so far, within bounds: the longer it is down, the less often it is asked.
        """
        if self.failures < OPEN_FAILURES:
            return None
        return min(MAX_PAUSE_SECONDS, max(MIN_PAUSE_SECONDS, PAUSE_SHARE * self.lasted.total_seconds()))

    @property
    def warning_percent(self) -> int | None:
        """The highest of WARNING_PERCENTS that this run has reached, None below all."""
        if not (self.is_failing and self.is_noteworthy):
            return None
        return max(percent for percent in WARNING_PERCENTS if self.lasted * 100 >= DISABLE_AFTER * percent)

    @property
    def is_noteworthy(self) -> bool:
        """True when the end of this run deserves an `endpoint.recovered`."""
        return self.lasted >= NOTEWORTHY

    @property
    def is_hopeless(self) -> bool:
        """True when the endpoint is to be disabled: five days of nothing but failures.

        As no gap in a run exceeds two days, such a run always holds failures over 12 hours apart.
        """
        return self.lasted >= DISABLE_AFTER

    @property
    def lasted(self) -> timedelta:
        """From the first failure of the run to its last."""
        if self.failing_since is None or self.last_failure_at is None:
            return timedelta(0)
        return self.last_failure_at - self.failing_since


HEALTHY = Health()
