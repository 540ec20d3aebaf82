"""An SLA policy: ordered rules of which the first that matches gives a subject its timers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.events import SubjectKind
from app.domain.sla.timer import Timer

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class When:
    """A condition on the facts of a subject: every name must have one of its values."""

    values: Mapping[str, frozenset[Any]] = field(default_factory=dict)
    attributes: Mapping[str, frozenset[Any]] = field(default_factory=dict)

    def holds(self, facts: Facts) -> bool:
        """True when each named fact, and each named attribute, is one of those listed."""
        attributes = facts.get("attributes") or {}
        return _all_in(self.values, facts) and _all_in(self.attributes, attributes)


def _all_in(wanted: Mapping[str, frozenset[Any]], facts: Facts) -> bool:
    return all(_scalar(facts.get(name)) in values for name, values in wanted.items())


def _scalar(value: Any) -> Any:
    """Lists and objects are never equal to a listed scalar (and would not hash); True is not 1."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | int | float) else None


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and the timers that it gives; with no timers it says that nothing is promised."""

    when: When
    timers: tuple[Timer, ...]
    name: str = ""

    def concerns(self, subject: str) -> bool:
        """Whether it speaks about that kind of subject: it has timers for it, or none at all."""
        return not self.timers or any(timer.subject == subject for timer in self.timers)


@dataclass(frozen=True, slots=True)
class Policy:
    """A versioned, immutable list of rules; `effective_from`: cases opened earlier keep the older version."""

    key: str
    version: int
    calendar: str
    rules: tuple[Rule, ...]
    effective_from: datetime | None = None
    title: str = ""

    def match(self, facts: Facts) -> tuple[Timer, ...]:
        """The timers for a subject: those of its kind in the first rule that concerns it and holds.

        `facts` has `subject` (a SubjectKind) and what the rules may ask for: kind, severity,
        channel, touchpoint, location, segment, source ..., and `attributes`, an object.
        """
        subject = str(facts["subject"])
        for rule in self.rules:
            if rule.concerns(subject) and rule.when.holds(facts):
                return tuple(timer for timer in rule.timers if timer.subject == subject)
        return ()

    def watches(self, subject: SubjectKind) -> frozenset[str]:
        """Every event type that can change a reading about that kind of subject."""
        timers = [timer for timer in self.timers() if timer.subject == subject]
        return frozenset().union(*(timer.watched for timer in timers))

    def timers(self) -> tuple[Timer, ...]:
        """All timers of all rules."""
        return tuple(timer for rule in self.rules for timer in rule.timers)

    def calendars(self) -> Collection[str]:
        """Keys of the calendars it counts by."""
        return frozenset({self.calendar, *(timer.calendar for timer in self.timers())})
