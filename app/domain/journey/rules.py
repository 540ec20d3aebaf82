"""Rules from the raw values of a source to a touchpoint of the map: ordered, the first match counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.domain.sla.document import Node, nearest

MOST_RULES: Final = 500
_FACTS: Final = ("source", "channel", "channel_raw", "touchpoint", "location", "product", "segment", "type")


class Stage(StrEnum):
    """Where on the journey a touchpoint lies (S4.2, S4.8)."""

    BEFORE = "before"
    PURCHASE = "purchase"
    WAITING = "waiting"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class JourneyRule:
    """When all these facts have one of these values the event belongs to the touchpoint."""

    when: Mapping[str, frozenset[str]]
    touchpoint: str
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class JourneyRules:
    """One version of the rules; version 0: there are none."""

    version: int = 0
    rules: tuple[JourneyRule, ...] = ()

    def find(self, source: str, event_type: str, fact: Mapping[str, Any]) -> JourneyRule | None:
        """The first rule that an event meets."""
        if not self.rules:
            return None
        facts = {**fact, "source": source, "type": event_type}
        attributes = fact.get("attributes") or {}
        return next((rule for rule in self.rules if _meets(rule, facts, attributes)), None)


NO_RULES: Final = JourneyRules()


def parse_journey_rules(document: Mapping[str, Any], version: int) -> JourneyRules:
    """The rules that a document states. Raises InvalidError with the place and the cure.

    `{"format": 1, "rules": [{"when": {"channel_raw": ["chat-2"]}, "touchpoint": "chat", "stage": "after"}]}`
    """
    fields = Node(document).fields(("format", "rules"), ("format", "rules"))
    fields["format"].integer(1, 1, "unknown_format")
    elements = fields["rules"].elements()
    if len(elements) > MOST_RULES:
        raise fields["rules"].refusal("too_many_rules", f"At most {MOST_RULES} rules.")
    return JourneyRules(version, tuple(_rule(item) for item in elements))


def _rule(node: Node) -> JourneyRule:
    fields = node.fields(("when", "touchpoint", "stage"), ("when", "touchpoint"))
    when: dict[str, frozenset[str]] = {}
    for name, item in fields["when"].members().items():
        if name not in _FACTS and not re.fullmatch(r"attributes\.[A-Za-z]\w{0,62}", name, re.ASCII):
            raise item.refusal("unknown_fact", f"Events have no fact {name!r}.", nearest(name, _FACTS))
        when[name] = frozenset(value.text() for value in item.elements())
        if not when[name]:
            raise item.refusal("no_values", "No value is accepted here.", "Name one, or leave the fact out.")
    if not when:
        raise fields["when"].refusal("matches_all", "This rule would take every event.", "State a condition.")
    stage = fields["stage"].choice(Stage) if "stage" in fields else None
    return JourneyRule(when, fields["touchpoint"].text(), stage)


def _meets(rule: JourneyRule, facts: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    for name, accepted in rule.when.items():
        value = attributes.get(name[11:]) if name.startswith("attributes.") else facts.get(name)
        if value is None or str(value) not in accepted:
            return False
    return True
