"""The protocol of claim, lease and fence as a small machine, every interleaving of which is walked.

One delivery, two workers that may stop anywhere or be taken for dead, at most four claims. The
guards are those of the statements: a claim looks again under the row's lock (`due_at <= now()` in
`chosen`), a settlement counts only under its own fence (`d.claim_id = g.claim_id` in `fenced`).
Taking one away must be found, or this test proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import pytest

WORKERS = (0, 1)
MAX_CLAIMS = 4


@dataclass(frozen=True)
class Worker:
    """`looked`: it saw the row due; `fence`: it holds a claim; `sent`: its request was answered."""

    looked: bool = False
    fence: int | None = None
    sent: bool = False


@dataclass(frozen=True)
class State:
    """The row (`fence` and `leased` of its present claim), both workers, and what has happened."""

    workers: tuple[Worker, ...] = (Worker(), Worker())
    row_fence: int | None = None
    leased: bool = False
    present: bool = True
    claims: int = 0
    sends: int = 0
    completions: int = 0
    expiries: int = 0
    crashes: int = 0

    @property
    def is_due(self) -> bool:
        return self.present and not self.leased


def steps(state: State, *, fence: bool, recheck: bool) -> Iterator[State]:
    """Every state that can come next."""
    if state.leased and state.present:
        yield replace(state, leased=False, expiries=state.expiries + 1)  # time passes, or is believed to
    for number in WORKERS:
        worker = state.workers[number]
        for after, changed in _worker_steps(state, worker, fence=fence, recheck=recheck):
            workers = tuple(changed if other == number else state.workers[other] for other in WORKERS)
            yield replace(after, workers=workers)


def _worker_steps(
    state: State, worker: Worker, *, fence: bool, recheck: bool
) -> Iterator[tuple[State, Worker]]:
    if worker.fence is not None or worker.looked:
        yield replace(state, crashes=state.crashes + 1), Worker()
    if worker.fence is None and not worker.looked and state.is_due and state.claims < MAX_CLAIMS:
        yield state, Worker(looked=True)
    if worker.looked:
        if state.is_due or (not recheck and state.present):
            claims = state.claims + 1
            taken = replace(state, row_fence=claims, leased=True, claims=claims)
            yield taken, Worker(fence=claims)
        else:
            yield state, Worker()
    if worker.fence is not None and not worker.sent:
        yield replace(state, sends=state.sends + 1), replace(worker, sent=True)
    if worker.fence is not None and worker.sent:
        is_ours = state.present and state.row_fence == worker.fence
        if is_ours or not fence:
            yield replace(state, present=False, leased=False, completions=state.completions + 1), Worker()
        else:
            yield state, Worker()


@lru_cache
def walk(*, fence: bool = True, recheck: bool = True) -> set[State]:
    """Every state that can be reached."""
    seen = {State()}
    waiting = [State()]
    while waiting:
        for following in steps(waiting.pop(), fence=fence, recheck=recheck):
            if following.crashes <= 3 and following.expiries <= 3 and following not in seen:
                seen.add(following)
                waiting.append(following)
    return seen


def test_no_interleaving_completes_a_delivery_twice() -> None:
    states = walk()
    assert len(states) > 1_000
    assert max(state.completions for state in states) == 1


def test_a_completed_delivery_was_sent_and_one_that_was_not_completed_is_still_in_the_queue() -> None:
    for state in walk():
        assert state.completions == 0 or state.sends > 0
        assert state.present is (state.completions == 0)


def test_without_a_lease_that_ended_nothing_is_sent_twice() -> None:
    assert max(state.sends for state in walk() if state.expiries == 0) == 1


def test_each_lease_that_ended_costs_at_most_one_request_more() -> None:
    assert all(state.sends <= state.expiries + 1 for state in walk())


def test_whatever_happened_a_delivery_can_still_be_completed() -> None:
    states = walk()
    can: set[State] = {state for state in states if state.completions}
    while True:
        more = {
            state
            for state in states - can
            if any(following in can for following in steps(state, fence=True, recheck=True))
        }
        if not more:
            break
        can |= more
    # only where the bounds of this walk leave no claim is there no way on
    assert all(
        state.claims == MAX_CLAIMS or state.expiries == 3 or state.crashes == 3 for state in states - can
    )


@pytest.mark.parametrize("guard", ["fence", "recheck"])
def test_each_guard_is_needed(guard: str) -> None:
    states = walk(fence=guard != "fence", recheck=guard != "recheck")
    doubled = [state for state in states if state.completions > 1]
    resent = [state for state in states if state.sends > 1 and state.expiries == 0]
    assert doubled if guard == "fence" else resent
