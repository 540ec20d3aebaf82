"""Compensation policy documents: what is accepted, and what is refused at save with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from app.domain.compensation import AGENT, CompensationPolicy, CompensationRule, CompensationType
from app.domain.complaint import CaseKind, Severity
from app.domain.sla.document import Node

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LARGEST: Final = Decimal(10) ** 12
_MOST: Final = 200
_CLOSED: Final[Mapping[str, list[str]]] = {
    "kind": [kind.value for kind in CaseKind],
    "severity": [severity.value for severity in Severity],
}
_Value = TypeVar("_Value")


def default_policy_document() -> dict[str, Any]:
    """The preset: an agent may give up to 2000 in one case, in any form; whoever owns feedback approves."""
    return {"currency": "USD", "limits": {AGENT: 2000}, "default_role": AGENT}


def parse_policy(document: object) -> CompensationPolicy:
    """Read a compensation policy.

    `{"currency": "UAH", "limits": {"agent": 2000}, "monthly_limits"?: {"agent": 20000}, "default_role":
    "agent", "rates"?: {"USD": 41.5}, "roles"?: {"olena": "manager"}, "approver"?: "olena", "rules"?:
    [{"name",
    "when"?: {"kind", "severity", "cause"}, "allowed"?, "types"?, "limits"?, "approver"?}]}`; the first rule
    that holds decides. Raises
    `InvalidError` with a pointer: `not_a_currency`, `not_an_amount`, `unknown_role`, `unknown_value`,
    `unreachable_rule`, `repeated_key` ...
    """
    keys = ("currency", "rates", "limits", "monthly_limits", "roles", "default_role", "approver", "rules")
    fields = Node(document).fields(keys, required=("currency", "limits"))
    currency = _currency(fields["currency"], str(fields["currency"].value))
    limits = _table(fields["limits"], _amount)
    default_role = fields["default_role"].text() if "default_role" in fields else AGENT
    roles = _table(fields["roles"], Node.text) if "roles" in fields else {}
    if default_role not in limits:
        node = fields.get("default_role", fields["limits"])
        raise node.refusal("unknown_role", f"The role {default_role!r} has no limit.", "Add it to `limits`.")
    for employee, role in roles.items():
        if role not in limits:
            child = Node(role, f"{fields['roles'].pointer}/{employee}")
            raise child.refusal("unknown_role", f"The role {role!r} has no limit.", "Add it to `limits`.")
    monthly_limits = _table(fields["monthly_limits"], _amount) if "monthly_limits" in fields else {}
    for role in monthly_limits:
        if role not in limits:
            child = fields["monthly_limits"].members()[role]
            raise child.refusal("unknown_role", f"The role {role!r} has no limit.", "Add it to `limits`.")
    return CompensationPolicy(
        currency=currency,
        rates=_rates(fields["rates"], currency) if "rates" in fields else {},
        limits=limits,
        monthly_limits=monthly_limits,
        roles=roles,
        default_role=default_role,
        approver=_optional_text(fields, "approver"),
        rules=_rules(fields["rules"]) if "rules" in fields else (),
    )


def _rules(node: Node) -> tuple[CompensationRule, ...]:
    rules: list[CompensationRule] = []
    for element in node.elements():
        rule = _rule(element)
        if any(rule.name == known.name for known in rules):
            raise element.refusal("repeated_key", f"The name {rule.name!r} stands twice.", "Rename one.")
        if any(not known.when for known in rules):
            raise element.refusal("unreachable_rule", "A rule before it holds always.", "Put it first.")
        rules.append(rule)
    if len(rules) > _MOST:
        raise node.refusal("too_many", f"At most {_MOST} rules are kept.")
    return tuple(rules)


def _rule(node: Node) -> CompensationRule:
    keys = ("name", "when", "allowed", "types", "limits", "approver")
    fields = node.fields(keys, required=("name",))
    when = fields["when"].fields(("kind", "severity", "cause")) if "when" in fields else {}
    types = tuple(CompensationType)
    if "types" in fields:
        types = tuple(element.choice(CompensationType) for element in fields["types"].elements())
        if not types:
            cure = "Name a type, or write `allowed: false`."
            raise fields["types"].refusal("empty_list", "At least one is expected here.", cure)
    return CompensationRule(
        name=fields["name"].text(),
        when={name: _values(name, child) for name, child in when.items()},
        allowed=fields["allowed"].flag() if "allowed" in fields else True,
        types=types,
        limits=_table(fields["limits"], _amount) if "limits" in fields else {},
        approver=_optional_text(fields, "approver"),
    )


def _values(name: str, node: Node) -> tuple[str, ...]:
    elements = node.elements() if isinstance(node.value, list | tuple) else [node]
    if not elements:
        raise node.refusal(
            "never_matches", "An empty list matches nothing.", "Name a value, or drop the key."
        )
    for element in elements:
        if name in _CLOSED and element.text() not in _CLOSED[name]:
            listed = ", ".join(_CLOSED[name])
            raise element.refusal("unknown_value", f"{element.value!r} is not one of: {listed}.")
    return tuple(element.text() for element in elements)


def _rates(node: Node, base: str) -> dict[str, Decimal]:
    rates = _table(node, _amount)
    for code, child in node.members().items():
        _currency(child, code)
        if rates[code] == 0 or code == base:
            raise child.refusal(
                "bad_rate", f"A rate for {code} of {child.value!r} means nothing.", "Mend it."
            )
    return rates


def _currency(node: Node, code: str) -> str:
    if _CURRENCY.fullmatch(code) is None:
        cure = "Write its three letters, as in UAH."
        raise node.refusal("not_a_currency", f"{code[:20]!r} is no currency.", cure)
    return code


def _amount(node: Node) -> Decimal:
    """A sum of money: a number, or text where a float would lose digits."""
    if isinstance(node.value, str):
        try:
            amount = Decimal(node.value)
        except InvalidOperation:
            amount = Decimal("NaN")
    else:
        amount = Decimal(str(node.number()))
    if not (amount.is_finite() and 0 <= amount <= _LARGEST):
        raise node.refusal("not_an_amount", f"An amount from 0 to {_LARGEST:.0f} is expected here.")
    return amount


def _table(node: Node, read: Callable[[Node], _Value]) -> dict[str, _Value]:
    return {name: read(child) for name, child in node.members().items()}


def _optional_text(fields: Mapping[str, Node], name: str) -> str | None:
    return fields[name].text() if name in fields else None
