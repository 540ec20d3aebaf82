"""Detects recurring failures: each cause once, until somebody says that it is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.domain.recurrence import WINDOW, Candidate, find_candidate
from app.improvement import repository
from app.improvement.stated import follow
from app.journal.ports import Commit, Draft

_TELLING: Final = (EventType.CASE_OPENED, EventType.CASE_ASSESSED)


async def detected(tx: Tx, commit: Commit) -> list[Draft]:
    """A `recurring_failure.detected` for each cause that this commit makes one."""
    by_cause: dict[str, dict[UUID, StoredEvent]] = {}
    for event in commit.events:
        cause = event.fact.get("cause")
        if event.type in _TELLING and cause and event.origin is Origin.LIVE and event.subject_id is not None:
            by_cause.setdefault(cause, {})[event.subject_id] = event
    if not by_cause:
        return []
    failures = await repository.find_open_failures(tx, commit.tenant_id, list(by_cause))
    free = {
        cause: told
        for cause, told in by_cause.items()
        if cause not in failures or failures[cause]["state"] == "closed"
    }
    if not free:
        return []
    drafts = []
    for cause, told in free.items():
        found = await _judged(tx, commit, cause, told, failures.get(cause))
        if found is not None:
            drafts.append(_draft(commit, cause, list(told.values())[-1], found))
    return drafts


async def _judged(
    tx: Tx, commit: Commit, cause: str, told: Mapping[UUID, StoredEvent], failure: Any
) -> Candidate | None:
    at = commit.recorded_at
    counts = await repository.count_cases(tx, commit.tenant_id, [cause], at, list(told))
    cases, before = counts.get(cause, (0, 0))
    cases += sum(event.occurred_at > at - WINDOW for event in told.values())
    if failure is not None and _is_fresh(failure["closed_at"], at):
        # what led to the one that is over does not count for the next
        return None
    if cases < 2:
        return None
    return find_candidate(cases, before, *await repository.exposure(tx, commit.tenant_id, at))


def _is_fresh(closed_at: datetime | None, at: datetime) -> bool:
    return closed_at is not None and at - closed_at < WINDOW


def _draft(commit: Commit, cause: str, event: StoredEvent, found: Candidate) -> Draft:
    data: dict[str, Any] = {
        "cause": cause,
        "rule": found.rule,
        "cases": found.cases,
        "cases_before": found.cases_before,
        "window_days": WINDOW.days,
    }
    if found.p is not None:
        data["p"] = found.p
    return follow(
        commit, event, EventType.RECURRING_FAILURE_DETECTED, Subject(SubjectKind.FAILURE, cause), data
    )
