"""What a command leaves to us: which action, which compensation, at what rate, to whom it goes up."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.cases.repository import find_action_ref, sum_given
from app.db.engine import Tx
from app.domain.case import Case
from app.domain.case.compensations import Compensation, amount_of, committed
from app.domain.case.gifts import GIFTS, named_gift, next_key
from app.domain.compensation import approver_of, judge, month_of, refuse_approval
from app.domain.errors import ConflictError, InvalidError
from app.domain.events import EventType
from app.journal.ports import Commit


async def complete_order(
    tx: Tx, commit: Commit, case: Case, command: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The data of a command with what follows from configuration and from the case itself.

    Raises `InvalidError` and `ConflictError` for what the configuration forbids.
    """
    if command in GIFTS:
        return await _gift(tx, commit, case, GIFTS[command], data)
    if command in ("link-action", "inform-of-improvement"):
        return {**data, "action": await _action(tx, commit, case, command, data.get("action"))}
    if command == "escalate" and not data.get("assignee"):
        routing = commit.config.care.routing_at(commit.recorded_at).value
        if routing is not None:
            return {**data, "assignee": routing.above(case.assignee, facts_of(case))}
    if command == "reply" and data.get("channel") is None and case.reply_channel is not None:
        return {**data, "channel": case.reply_channel}
    return dict(data)


def facts_of(case: Case) -> dict[str, Any]:
    """What rules may ask of a case."""
    names = ("kind", "severity", "cause", "location", "touchpoint", "segment", "channel", "product")
    facts = {name: getattr(case, name) for name in names}
    return {**facts, "attributes": dict(case.attributes)}


async def _action(tx: Tx, commit: Commit, case: Case, command: str, named: str | None) -> str:
    if named is None:
        owed = [link.action for link in case.links if link.is_owed]
        if len(owed) == 1:
            return owed[0]
        detail = "Several improvements are owed." if owed else "Nothing is owed to this customer."
        reason = "which_action" if owed else "nothing_owed"
        cure = f"Name one: {', '.join(owed)}." if owed else "Deploy an action of this case, or leave it."
        raise ConflictError(reason, detail, pointer="/action", cure=cure)
    found = await find_action_ref(tx, commit.tenant_id, named)
    if found is None and command == "link-action":
        detail = f"there is no open corrective action {named!r}"
        raise InvalidError("unknown_action", detail, pointer="/action", cure="open it first")
    return found or named


async def _gift(
    tx: Tx, commit: Commit, case: Case, event: EventType, data: Mapping[str, Any]
) -> dict[str, Any]:
    bound = commit.config.care.compensation_at(commit.recorded_at)
    policy, facts = bound.value, facts_of(case)
    amount, currency = amount_of(data.get("amount")), data.get("currency") or policy.currency
    if event is EventType.COMPENSATION_OFFERED:
        key, given = data.get("compensation") or next_key(case), committed(case.compensations)
        judge(policy, facts, kind=data.get("type"), amount=amount or Decimal(0), currency=currency,
              employee=data.get("employee"), given=given)  # fmt: skip
        return {**data, "compensation": key}
    item = named_gift(case, event, data)
    made = {**data, "compensation": item.key}
    if event is EventType.COMPENSATION_RECOVERED and amount is not None:
        made |= {"base_amount": str(policy.in_base(amount, currency)), "base_currency": policy.currency}
    if event is EventType.COMPENSATION_APPROVED:
        await _check_approver(tx, commit, case, item, data.get("employee"))
        base = item.base_amount
        if base is None and item.amount is not None:
            base = policy.in_base(item.amount, item.currency or policy.currency)
        made |= {"policy_version": bound.version, "base_currency": policy.currency}
        made |= {} if base is None else {"base_amount": str(base)}
    return made


async def _check_approver(
    tx: Tx, commit: Commit, case: Case, item: Compensation, employee: str | None
) -> None:
    care, facts = commit.config.care, facts_of(case)
    policy = care.compensation_at(commit.recorded_at).value
    routing = care.routing_at(commit.recorded_at).value
    total = committed(case.compensations)
    approver = approver_of(policy, facts, None if routing is None else routing.owner_of(facts))
    month_total = Decimal(0)
    if policy.monthly_limits and employee is not None:
        month = month_of(commit.recorded_at, commit.config.zone)
        month_total = await sum_given(tx, commit.tenant_id, employee, *month)
        month_total += Decimal(0) if item.employee == employee else item.base_amount or Decimal(0)
    refused = refuse_approval(
        policy, facts, employee=employee, total=total, month_total=month_total, approver=approver,
        offered_by=item.employee,
    )  # fmt: skip
    if refused is None:
        return
    who = employee or "A sender without `employee`"
    detail = f"{who} may not approve {total} {policy.currency}."
    if refused == "over_monthly_limit":
        detail = f"With this one {who} would have given {month_total} {policy.currency} this month."
    cure = f"Ask {approver}, and send `employee`." if approver else "Send another `employee` than offered it."
    raise ConflictError(refused, detail, pointer="/employee", cure=cure)
