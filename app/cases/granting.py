"""Decides about each offer of compensation: within the limit it is approved, over it somebody is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.cases.derived import derived
from app.cases.repository import get_states, sum_given
from app.db.engine import Tx
from app.domain.case.compensations import UNNAMED, amount_of
from app.domain.compensation import Outcome, approver_of, judge, month_of
from app.domain.errors import DomainError
from app.domain.events import EventType, StoredEvent, SubjectKind
from app.journal.ports import Commit, Draft

_GIVEN: Final = """
SELECT case_id, sum(base_amount) AS given FROM compensations
 WHERE tenant_id = $1 AND case_id = any($2) AND state <> 'rejected' GROUP BY case_id
"""


class Granting:
    """The decider of compensation. What a source offered without asking is judged like our own offers."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """A `compensation.approved` or a `compensation.over_limit` for each offer on a case."""
        gone = commit.taken_back
        offers = [
            event
            for event in commit.events
            if event.type is EventType.COMPENSATION_OFFERED
            and event.event_id not in gone
            and event.subject_kind is SubjectKind.CASE
            and event.subject_id is not None
        ]
        if not offers:
            return ()
        ids = list({case_id for event in offers if (case_id := commit.about(event)) is not None})
        states = await get_states(tx, commit.tenant_id, ids)
        rows = await tx.fetch(_GIVEN, commit.tenant_id, ids)
        given: dict[UUID, Decimal] = {row["case_id"]: row["given"] or Decimal(0) for row in rows}
        drafts: list[Draft] = []
        months = _Months(tx, commit)
        for event in offers:
            case_id = commit.about(event)
            assert case_id is not None
            before = given.get(case_id, Decimal(0))
            month = await months.given_before(event)
            made, base = _judged(commit, event, states.get(case_id), before, month)
            given[case_id] = before + base
            months.add(event, base)
            drafts.append(made)
        return drafts


class _Months:
    """What each employee offered in each calendar month, those of this commit included."""

    def __init__(self, tx: Tx, commit: Commit) -> None:
        self._tx, self._commit = tx, commit
        self._given: dict[tuple[str | None, datetime], Decimal] = {}
        policy = commit.config.care.compensation_at(commit.recorded_at).value
        self._asked = bool(policy.monthly_limits)

    async def given_before(self, event: StoredEvent) -> Decimal:
        """The sum before this offer; 0 where no policy asks."""
        if not self._asked:
            return Decimal(0)
        employee = event.fact.get("employee")
        month = month_of(event.occurred_at, self._commit.config.zone)
        key = (employee, month[0])
        if key not in self._given:
            self._given[key] = await sum_given(self._tx, self._commit.tenant_id, employee, *month)
        return self._given[key]

    def add(self, event: StoredEvent, amount: Decimal) -> None:
        """Count an offer of this commit."""
        key = (event.fact.get("employee"), month_of(event.occurred_at, self._commit.config.zone)[0])
        self._given[key] = self._given.get(key, Decimal(0)) + amount


def _judged(
    commit: Commit, event: StoredEvent, case: Any, given: Decimal, month_given: Decimal
) -> tuple[Draft, Decimal]:
    care, said = commit.config.care, event.fact
    bound, routing = care.compensation_at(commit.recorded_at), care.routing_at(commit.recorded_at).value
    policy = bound.value
    facts = {} if case is None else {name: case[name] for name in ("kind", "severity", "cause")}
    amount, currency = amount_of(said.get("amount")), said.get("currency") or policy.currency
    data: dict[str, Any] = {
        "compensation": said.get("compensation") or UNNAMED,
        "base_currency": policy.currency,
        "policy_version": bound.version,
        "approver": approver_of(policy, facts, None if routing is None else routing.owner_of(facts)),
        "human": False,
    }
    try:
        verdict = judge(
            policy, facts, kind=said.get("type"), amount=amount or Decimal(0), currency=currency,
            employee=said.get("employee"), given=given, month_given=month_given,
        )  # fmt: skip
    except DomainError as error:
        # a fact is never refused: what the policy does not allow waits for somebody to decide
        return _stated(
            commit, event, EventType.COMPENSATION_OVER_LIMIT, {**data, "reason": error.reason}
        ), Decimal(0)
    data |= {
        "rule": verdict.rule,
        "role": verdict.role,
        "limit": str(verdict.limit),
        "total": str(verdict.total),
    }
    if amount is not None:
        data["base_amount"] = str(verdict.base_amount)
    if verdict.monthly_limit is not None:
        data |= {"monthly_limit": str(verdict.monthly_limit), "month_total": str(verdict.month_total)}
    within = verdict.outcome is Outcome.WITHIN
    if not within:
        data["reason"] = verdict.outcome.value
    kind = EventType.COMPENSATION_APPROVED if within else EventType.COMPENSATION_OVER_LIMIT
    return _stated(commit, event, kind, data), verdict.base_amount


def _stated(commit: Commit, event: StoredEvent, kind: EventType, data: dict[str, Any]) -> Draft:
    due_at = event.fact.get("due_at")
    return derived(commit, event, kind, data if due_at is None else {**data, "due_at": due_at})
