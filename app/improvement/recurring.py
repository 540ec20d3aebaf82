"""Detects recurring failures: each cause once, until somebody says that it is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType, Origin, StoredEvent, Subject, SubjectKind
from app.domain.recurrence import ENOUGH_CASES, WINDOW, Candidate, find_candidate
from app.improvement import lookups
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
    failures = await lookups.find_open_failures(tx, commit.tenant_id, list(by_cause))
    free = {
        cause: told
        for cause, told in by_cause.items()
        if cause not in failures or failures[cause]["state"] == "closed"
    }
    if not free:
        return []
    return await _judged(tx, commit, free, failures)


async def _judged(
    tx: Tx, commit: Commit, told: Mapping[str, Mapping[UUID, StoredEvent]], failures: Mapping[str, Any]
) -> list[Draft]:
    at = commit.recorded_at
    new = [case_id for events in told.values() for case_id in events]
    counts = await lookups.count_cases(tx, commit.tenant_id, list(told), at, new)
    opened = await lookups.list_openings(tx, commit.tenant_id, new)
    exposure: tuple[float, float] | None = None
    drafts = []
    for cause, events in told.items():
        cases, before = counts.get(cause, (0, 0))
        # a case whose cause is found later counts when it was opened
        begun = [opened.get(case_id) or event.occurred_at for case_id, event in events.items()]
        cases += sum(moment > at - WINDOW for moment in begun)
        before += sum(at - 2 * WINDOW < moment <= at - WINDOW for moment in begun)
        if cases < 2 or _is_fresh(failures.get(cause), at):
            continue
        if cases < ENOUGH_CASES and exposure is None:
            exposure = await lookups.exposure(tx, commit.tenant_id, at)
        found = find_candidate(cases, before, *(exposure or (None, None)))
        if found is not None:
            drafts.append(_draft(commit, cause, list(events.values())[-1], found))
    return drafts


def _is_fresh(failure: Any, at: datetime) -> bool:
    """What led to the one that is over does not count for the next."""
    closed_at: datetime | None = None if failure is None else failure["closed_at"]
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
