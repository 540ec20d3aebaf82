"""An SLA policy: ordered rules of which the first that matches gives a subject its timers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.events import SubjectKind
from app.domain.sla.timer import ClockKind, Timer
from app.domain.sla.trigger import Conditions

Facts = Mapping[str, Any]
DEFAULT_ORDER = 100


@dataclass(frozen=True, slots=True)
class When:
    """A condition on the facts of a subject: every name must have one of its values."""

    values: Conditions = field(default_factory=dict)
    attributes: Conditions = field(default_factory=dict)

    def holds(self, facts: Facts) -> bool:
        """True when each named fact, and each named attribute, is one of those listed."""
        attributes = facts.get("attributes") or {}
        return _all_hold(self.values, facts) and _all_hold(self.attributes, attributes)

    def covers(self, other: When) -> bool:
        """True when it holds for every subject for which the other one holds."""
        return _all_covered(self.values, other.values) and _all_covered(self.attributes, other.attributes)


def _all_covered(wanted: Conditions, others: Conditions) -> bool:
    return all(name in others and values.covers(others[name]) for name, values in wanted.items())


def _all_hold(wanted: Conditions, facts: Facts) -> bool:
    return all(values.holds(facts.get(name)) for name, values in wanted.items())


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and the timers that it gives; with no timers it says that nothing is promised.

    `also`: its timers run beside those of the first rule that matches (statutory clocks).
    """

    when: When
    timers: tuple[Timer, ...]
    name: str = ""
    also: bool = False
    by_subject: Mapping[str, tuple[Timer, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        kinds = dict.fromkeys(timer.subject.value for timer in self.timers)
        found = {kind: tuple(timer for timer in self.timers if timer.subject == kind) for kind in kinds}
        object.__setattr__(self, "by_subject", found)

    def concerns(self, subject: str) -> bool:
        """Whether it speaks about that kind of subject: it has timers for it, or none at all."""
        return not self.timers or subject in self.by_subject


@dataclass(frozen=True, slots=True)
class Policy:
    """A versioned, immutable list of rules; `effective_from`: cases opened earlier keep the older version.

    Policies of different keys bind side by side. Of two that give a subject a timer of the same key the
    one with the smaller `order` gives it (then the one whose key comes first).
    """

    key: str
    version: int
    calendar: str
    rules: tuple[Rule, ...]
    effective_from: datetime | None = None
    title: str = ""
    order: int = DEFAULT_ORDER
    subjects: frozenset[str] = field(init=False, compare=False, repr=False)
    """The kinds of subject that it gives timers to."""
    has_statutory: bool = field(init=False, compare=False, repr=False)
    _names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _attributes: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _calendars: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        conditions = [rule.when for rule in self.rules]
        set_once = object.__setattr__
        set_once(self, "subjects", frozenset().union(*(rule.by_subject for rule in self.rules)))
        kinds = {timer.clock_kind for timer in self.timers()}
        set_once(self, "has_statutory", ClockKind.STATUTORY in kinds)
        set_once(self, "_names", tuple({name: None for when in conditions for name in when.values}))
        set_once(self, "_attributes", tuple({name: None for when in conditions for name in when.attributes}))
        set_once(self, "_calendars", frozenset({self.calendar, *(timer.calendar for timer in self.timers())}))

    @property
    def place(self) -> tuple[int, str]:
        """Its place in the matching order."""
        return self.order, self.key

    def asked(self, facts: Facts) -> tuple[Any, ...]:
        """What of the facts its rules ask for: subjects that give the same have the same timers."""
        attributes = facts.get("attributes") or {}
        told = [facts["subject"], *(facts.get(name) for name in self._names)]
        told += [attributes.get(name) for name in self._attributes]
        return tuple(value if isinstance(value, str) else repr(value) for value in told)

    def match(self, facts: Facts) -> tuple[Timer, ...]:
        """The timers for a subject: those of its kind in the first rule that concerns it and holds.

        Beside them those of every rule with `also` that holds. `facts` has `subject` (a SubjectKind)
        and what the rules may ask for: kind, severity, channel, touchpoint, location, segment,
        source ..., and `attributes`, an object.
        """
        subject = str(facts["subject"])
        found: list[Timer] = []
        matched = False
        for rule in self.rules:
            if (rule.also is False and matched) or not rule.concerns(subject) or not rule.when.holds(facts):
                continue
            matched = matched or not rule.also
            found.extend(rule.by_subject.get(subject, ()))
        return tuple(found)

    def watches(self, subject: SubjectKind) -> frozenset[str]:
        """Every event type that can change a reading about that kind of subject."""
        timers = [timer for timer in self.timers() if timer.subject == subject]
        return frozenset().union(*(timer.watched for timer in timers))

    def timers(self) -> tuple[Timer, ...]:
        """All timers of all rules."""
        return tuple(timer for rule in self.rules for timer in rule.timers)

    def calendars(self) -> Collection[str]:
        """Keys of the calendars it counts by."""
        return self._calendars
