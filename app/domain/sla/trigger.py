"""What an event must be to count for a timer: its type, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.sla.clock_event import ClockEvent


@dataclass(frozen=True, slots=True)
class OneOf:
    """The values that a condition allows: exact scalars, and branches of a tree (`staff.*`)."""

    exact: frozenset[Any]
    branches: tuple[str, ...] = ()

    def holds(self, value: Any) -> bool:
        """True for a listed value, and for a word on a listed branch (`staff`, `staff.rudeness`)."""
        known = _scalar(value)
        if known in self.exact:
            return True
        return isinstance(known, str) and any(
            known == branch or known.startswith(branch + ".") for branch in self.branches
        )

    def covers(self, other: OneOf) -> bool:
        """True when it holds for whatever the other one holds for."""
        exact = all(self.holds(value) for value in other.exact)
        return exact and all(self.holds(f"{branch}.") for branch in other.branches)


def _scalar(value: Any) -> Any:
    """Lists and objects are never equal to a listed scalar (and would not hash); True is not 1."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | int | float) else None


Conditions = Mapping[str, OneOf]


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event type, with what its fields must say, and how many distinct values of a field it takes.

    `Trigger("debrief.step_done", distinct="step", count=6)`: the event that brings the sixth step,
    whatever the order of the steps and however often each was told.
    """

    event: str
    when: Conditions = field(default_factory=dict)
    distinct: str = ""
    count: int = 1

    def fits(self, event: ClockEvent) -> bool:
        """Whether an event is of this type and says this; how many there were is the walk's to count."""
        return self.event == event.type and all(
            values.holds(event.data.get(name)) for name, values in self.when.items()
        )


Triggers = tuple[Trigger, ...]


def find_trigger(triggers: Iterable[Trigger], event: ClockEvent) -> Trigger | None:
    """The first that the event fits."""
    for trigger in triggers:
        if trigger.event == event.type and trigger.fits(event):
            return trigger
    return None


def types_of(triggers: Iterable[Trigger]) -> tuple[str, ...]:
    """The event types that they listen to."""
    return tuple(trigger.event for trigger in triggers)
