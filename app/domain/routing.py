"""Who handles a case: one feedback owner for each brand, and ordered rules of which the first decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.complaint import CaseKind, Severity, within
from app.domain.sla.document import Node

CONDITIONS: Final = (
    "kind", "severity", "location", "touchpoint", "cause", "segment", "channel", "product", "brand",
)  # fmt: skip
_MOST: Final = 500
_CLOSED: Final[Mapping[str, list[str]]] = {
    "kind": [kind.value for kind in CaseKind],
    "severity": [severity.value for severity in Severity],
}
OWNER_RULE: Final = "feedback_owner"
"""Name of the rule by which a case that no other rule takes falls to its feedback owner."""


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A condition and who gets the cases that meet it; a cause means its whole branch of the tree."""

    name: str
    when: Mapping[str, tuple[str, ...]]
    assignee: str

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """True when each named fact has one of the listed values."""
        return all(_meets(name, facts.get(name), values) for name, values in self.when.items())


def _meets(name: str, value: object, values: tuple[str, ...]) -> bool:
    if value is None:
        return False
    return within(str(value), values) if name == "cause" else str(value) in values


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who gets a case, and by which rule."""

    assignee: str
    rule: str


@dataclass(frozen=True, slots=True)
class Routing:
    """A whole configuration: `owners` by brand (None: of every other brand, and of no brand)."""

    owners: Mapping[str | None, str]
    rules: tuple[RoutingRule, ...] = ()
    brand_attribute: str = "brand"
    default_assignee: str | None = None
    managers: Mapping[str, str] = field(default_factory=dict)

    def owner_of(self, facts: Mapping[str, Any]) -> str:
        """The one feedback owner of a case's brand: default assignee and last rung of every escalation."""
        return self.owners.get(self._brand(facts)) or self.owners[None]

    def assign(self, facts: Mapping[str, Any]) -> Assignment:
        """Who gets a case with these facts (`attributes` hold the brand)."""
        known = {**facts, "brand": self._brand(facts)}
        for rule in self.rules:
            if rule.holds(known):
                return Assignment(rule.assignee, rule.name)
        if self.default_assignee is not None:
            return Assignment(self.default_assignee, "default_assignee")
        return Assignment(self.owner_of(facts), OWNER_RULE)

    def above(self, assignee: str | None, facts: Mapping[str, Any]) -> str:
        """To whom a case goes up: the assignee's manager, else the feedback owner."""
        return self.managers.get(assignee or "") or self.owner_of(facts)

    def _brand(self, facts: Mapping[str, Any]) -> str | None:
        brand = (facts.get("attributes") or {}).get(self.brand_attribute)
        return None if brand is None else str(brand)


def parse_routing(document: object) -> Routing:
    """Read a routing document.

    `{"owners": [{"employee": "olena", "brand"?: "lux", "active"?: true}], "rules"?: [{"name", "when",
    "assignee"}], "brand_attribute"?, "default_assignee"?, "managers"?: {"ivan": "olena"}}`. Exactly one
    active owner for each brand, and one without a brand. Raises `InvalidError` with a pointer:
    `owner_missing`, `owner_ambiguous`, `repeated_key`, `never_matches`, `unknown_value` ...
    """
    keys = ("owners", "rules", "brand_attribute", "default_assignee", "managers")
    fields = Node(document).fields(keys, required=("owners",))
    rules: dict[str, RoutingRule] = {}
    for node in fields["rules"].elements() if "rules" in fields else ():
        rule = _rule(node)
        if rule.name in rules or rule.name in (OWNER_RULE, "default_assignee"):
            raise node.refusal("repeated_key", f"The name {rule.name!r} is taken.", "Rename the rule.")
        rules[rule.name] = rule
    if len(rules) > _MOST:
        raise fields["rules"].refusal("too_many", f"At most {_MOST} rules are kept.")
    return Routing(
        owners=_owners(fields["owners"]),
        rules=tuple(rules.values()),
        brand_attribute=fields["brand_attribute"].text() if "brand_attribute" in fields else "brand",
        default_assignee=_person(fields["default_assignee"]) if "default_assignee" in fields else None,
        managers=_managers(fields["managers"]) if "managers" in fields else {},
    )


def _owners(node: Node) -> dict[str | None, str]:
    owners: dict[str | None, str] = {}
    for element in node.elements():
        fields = element.fields(("employee", "brand", "active"), required=("employee",))
        brand = fields["brand"].text() if "brand" in fields and fields["brand"].value is not None else None
        employee = _person(fields["employee"])
        if "active" in fields and not fields["active"].flag():
            continue
        if brand in owners:
            named = f"the brand {brand!r}" if brand else "this tenant"
            detail = f"Two active feedback owners answer for {named}."
            raise element.refusal("owner_ambiguous", detail, "Set `active` to false for one of them.")
        owners[brand] = employee
    if None not in owners:
        detail = "No active feedback owner answers for what has no brand of its own."
        raise node.refusal("owner_missing", detail, "Add an active owner without `brand`.")
    return owners


def _rule(node: Node) -> RoutingRule:
    fields = node.fields(("name", "when", "assignee"), required=("name", "when", "assignee"))
    when = {name: _values(name, child) for name, child in fields["when"].fields(CONDITIONS).items()}
    return RoutingRule(fields["name"].text(), when, _person(fields["assignee"]))


def _values(name: str, node: Node) -> tuple[str, ...]:
    elements = node.elements() if isinstance(node.value, list | tuple) else [node]
    if not elements:
        raise node.refusal(
            "never_matches", "An empty list matches nothing.", "Name a value, or drop the key."
        )
    closed = _CLOSED.get(name)
    for element in elements:
        if closed is not None and element.text() not in closed:
            listed = ", ".join(closed)
            raise element.refusal("unknown_value", f"{element.value!r} is not one of: {listed}.")
    return tuple(element.text() for element in elements)


def _managers(node: Node) -> dict[str, str]:
    managers = {name: _person(child) for name, child in node.members().items()}
    for name, child in node.members().items():
        if managers[name] == name:
            raise child.refusal("manager_of_himself", f"{name!r} would be above himself.", "Name another.")
    return managers


def _person(node: Node) -> str:
    name = node.text()
    if len(name) > 100 or name != name.strip():
        raise node.refusal("not_a_key", "A key of at most 100 characters without blanks around it.")
    return name
