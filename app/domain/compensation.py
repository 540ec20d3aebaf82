"""What may be given to a customer and by whom: limits by role, approval above them, one currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum, auto
from typing import Any, Final

from app.domain.complaint import within
from app.domain.errors import ConflictError, InvalidError
from app.domain.sla.document import nearest

CENT: Final = Decimal("0.01")
AGENT: Final = "agent"
DEFAULT_LIMIT: Final = Decimal(2000)
"""Per incident and guest (domain.md S2.6); the seed gives the sum and dollars, the tenant his currency."""


class CompensationType(StrEnum):
    """In what form (domain.md S2.7)."""

    SERVICE = auto()
    PRODUCT = auto()
    MONEY = auto()
    DISCOUNT = auto()
    BONUS = auto()
    GIFT = auto()


class Outcome(StrEnum):
    """What a policy says to an offer."""

    WITHIN = auto()
    OVER_LIMIT = auto()
    OVER_MONTHLY_LIMIT = auto()


@dataclass(frozen=True, slots=True)
class CompensationRule:
    """What holds for some cases: whether anything is given, in what form, up to what, who approves more."""

    name: str = "default"
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allowed: bool = True
    types: tuple[CompensationType, ...] = tuple(CompensationType)
    limits: Mapping[str, Decimal] = field(default_factory=dict)
    approver: str | None = None

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """True when each named fact has one of the listed values; a cause means its whole branch."""
        return all(
            within(str(facts.get(name) or ""), values) if name == "cause" else facts.get(name) in values
            for name, values in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class CompensationPolicy:
    """A whole configuration. `rates`: what one unit of a currency is worth in `currency`.

    `limits`: by role, in `currency`, for one case; `monthly_limits`: by role, for all that one employee
    offers in a calendar month (a role without one has no such limit); `roles`: the role of an employee,
    else `default_role`.
    """

    currency: str = "USD"
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    limits: Mapping[str, Decimal] = field(default_factory=lambda: {AGENT: DEFAULT_LIMIT})
    monthly_limits: Mapping[str, Decimal] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    default_role: str = AGENT
    approver: str | None = None
    rules: tuple[CompensationRule, ...] = ()

    def rule_for(self, facts: Mapping[str, Any]) -> CompensationRule:
        """The first rule that holds, else one that allows every form."""
        return next((rule for rule in self.rules if rule.holds(facts)), CompensationRule())

    def in_base(self, amount: Decimal, currency: str) -> Decimal:
        """The amount in the tenant's currency, to a hundredth, half to even.

        Raises `InvalidError` `unknown_rate` for a currency that has no rate.
        """
        rate = Decimal(1) if currency == self.currency else self.rates.get(currency)
        if rate is None:
            known = [self.currency, *self.rates]
            detail = f"The compensation policy has no rate for {currency}."
            raise InvalidError("unknown_rate", detail, pointer="/currency", cure=nearest(currency, known))
        return (amount * rate).quantize(CENT, rounding=ROUND_HALF_EVEN)

    def role_of(self, employee: str | None) -> str:
        """The role that decides about an employee's limit."""
        return self.roles.get(employee or "", self.default_role)

    def limit_of(self, role: str, rule: CompensationRule) -> Decimal:
        """What a role may give in one case under a rule; a role that nobody names may give nothing."""
        return rule.limits.get(role, self.limits.get(role, Decimal(0)))

    def covers_month(self, role: str, total: Decimal) -> bool:
        """Whether a role may give this much in one calendar month."""
        return role not in self.monthly_limits or total <= self.monthly_limits[role]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says to an offer: amounts in the tenant's currency, totals with those before.

    `total`: of the case; `month_total`: of the employee in the month.
    """

    outcome: Outcome
    rule: str
    role: str
    limit: Decimal
    base_amount: Decimal
    total: Decimal
    approver: str | None
    monthly_limit: Decimal | None
    month_total: Decimal


def judge(
    policy: CompensationPolicy,
    facts: Mapping[str, Any],
    *,
    kind: str | None,
    amount: Decimal,
    currency: str,
    employee: str | None,
    given: Decimal,
    month_given: Decimal = Decimal(0),
) -> Verdict:
    """Judge an offer on a case (`facts`: kind, severity, cause) that got `given` before, in base currency.

    The limit is per case, so that many small offers are as much as one large one; beside it stands what
    the employee offered in the same month (`month_given`). Raises `ConflictError`
    `compensation_not_allowed` or `compensation_type_not_allowed`, `InvalidError` for an unknown type
    (`unknown_type`) or currency (`unknown_rate`).
    """
    rule = policy.rule_for(facts)
    if not rule.allowed:
        detail = f"The compensation policy allows none here (rule {rule.name!r})."
        raise ConflictError("compensation_not_allowed", detail, cure="Ask for another rule, or decline.")
    if kind not in list(CompensationType):
        raise InvalidError(
            "unknown_type", f"There is no type {kind!r}.", pointer="/type",
            cure=nearest(kind, list(CompensationType)),
        )  # fmt: skip
    if kind not in rule.types:
        listed = ", ".join(rule.types)
        detail = f"The rule {rule.name!r} allows no {kind} here."
        raise ConflictError(
            "compensation_type_not_allowed", detail, pointer="/type", cure=f"Use one of: {listed}."
        )
    role, base = policy.role_of(employee), policy.in_base(amount, currency)
    limit, total, month_total = policy.limit_of(role, rule), given + base, month_given + base
    outcome = Outcome.WITHIN
    if total > limit:
        outcome = Outcome.OVER_LIMIT
    elif base and not policy.covers_month(role, month_total):
        outcome = Outcome.OVER_MONTHLY_LIMIT
    return Verdict(
        outcome, rule.name, role, limit, base, total, rule.approver or policy.approver,
        policy.monthly_limits.get(role), month_total,
    )  # fmt: skip


def month_of(at: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The calendar month of the zone in which an instant lies, as [from, before) in UTC."""
    first = at.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    year, month = (first.year + 1, 1) if first.month == 12 else (first.year, first.month + 1)
    return first.astimezone(UTC), first.replace(year=year, month=month).astimezone(UTC)


def approver_of(policy: CompensationPolicy, facts: Mapping[str, Any], owner: str | None) -> str | None:
    """Who approves what goes over a limit: named by the rule, by the policy, else the feedback owner."""
    return policy.rule_for(facts).approver or policy.approver or owner


def refuse_approval(
    policy: CompensationPolicy,
    facts: Mapping[str, Any],
    *,
    employee: str | None,
    total: Decimal,
    month_total: Decimal,
    approver: str | None,
    offered_by: str | None,
) -> str | None:
    """Why somebody may not approve a total (a reason slug); None when he may.

    The approver may, and whose own limits cover it: that of a case, and what he himself offered in the
    month with this one (`month_total`). Where no approver was ever named, anybody else than the one who
    offered it.
    """
    if employee is None:
        return "not_the_approver"
    if approver is None:
        return "not_the_approver" if employee == offered_by else None
    role = policy.role_of(employee)
    if employee == approver:
        return None
    if total > policy.limit_of(role, policy.rule_for(facts)):
        return "not_the_approver"
    return None if policy.covers_month(role, month_total) else "over_monthly_limit"
