"""Which policies bind a subject over time, and which of them gives each of its timers when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.events import EventType, StoredEvent
from app.domain.sla import Calendar, Pin, Policy, TimerPlan, TimerVersion
from app.journal.config import Repin, TenantConfig, in_order

Bound = tuple[Sequence[Policy], Mapping[str, Calendar]]
Bind = Callable[[datetime], Bound]
"""The policies (in matching order) and the calendars of what opened, or was reopened, at an instant."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A policy that binds a subject: as it did first, and its versions since each reopening."""

    policy: Policy
    pins: tuple[Pin, ...] = ()

    def policy_at(self, moment: datetime | None) -> Policy:
        """The version that bound at an instant; None: at the opening."""
        pinned = [] if moment is None else [pin.policy for pin in self.pins if pin.at <= moment]
        return pinned[-1] if pinned else self.policy


def binding(config: TenantConfig, repin: Repin | None) -> Bind:
    """What binds by this configuration, with a recomputation if there was one."""

    def bind(known_at: datetime) -> Bound:
        policies = config.policies_at(known_at)
        if repin is None:
            return policies, config.calendars_at(known_at)
        named = {policy.key: policy for policy in policies} | dict(repin.policies)
        return in_order(named.values()), config.calendars_at(max(known_at, repin.calendars_at))

    return bind


def bindings(
    kept: Sequence[StoredEvent], bind: Bind, opened_at: datetime
) -> Iterator[tuple[Policy, Binding, Mapping[str, Calendar]]]:
    """Every policy that binds the subject with what it said at the opening: nothing, if it came later."""
    policies, calendars = bind(opened_at)
    first = {policy.key: policy for policy in policies}
    pins: dict[str, list[Pin]] = {key: [] for key in first}
    for event in kept:
        if event.type is EventType.CASE_REOPENED:
            since, pinned = bind(min(event.occurred_at, event.recorded_at))
            for policy in since:
                pins.setdefault(policy.key, []).append(Pin(event.occurred_at, policy, pinned))
    for key, found in pins.items():
        known = first.get(key)
        nothing = known or Policy(key, 0, found[0].policy.calendar, ())
        yield nothing, Binding(known or found[0].policy, tuple(found)), calendars


def one_of_each(found: Iterable[tuple[TimerPlan, Binding]]) -> list[tuple[TimerPlan, Binding]]:
    """One plan for each timer: of several policies that give it, at any time that of the first in order."""
    by_key: dict[str, list[tuple[TimerPlan, Binding]]] = {}
    for plan, item in found:
        by_key.setdefault(plan.key, []).append((plan, item))
    return [given[0] if len(given) == 1 else _composed(key, given) for key, given in by_key.items()]


def _composed(key: str, given: Sequence[tuple[TimerPlan, Binding]]) -> tuple[TimerPlan, Binding]:
    """A policy may begin or cease to give a timer: at a reopening, or as the severity changes."""
    times = {pin.at: "policy_change" for _, item in given for pin in item.pins}
    times |= {
        version.since: version.reason for plan, _ in given for version in plan.versions if version.since
    }
    giver, first = _giving(given, None)
    versions, pins = [first], []
    for moment, reason in sorted(times.items()):
        policy, version = _giving(given, moment)
        pins.append(Pin(moment, policy, {}))
        if (version.timer, version.calendar) != (versions[-1].timer, versions[-1].calendar):
            versions.append(TimerVersion(version.timer, version.calendar, moment, reason))
    return TimerPlan(key, tuple(versions)), Binding(giver, tuple(pins))


def _giving(
    given: Sequence[tuple[TimerPlan, Binding]], moment: datetime | None
) -> tuple[Policy, TimerVersion]:
    """The first policy in order that gives the timer at that time; where none does, nothing is promised."""
    standing = [(item.policy_at(moment), _in_force(plan, moment)) for plan, item in given]
    promising = [pair for pair in standing if pair[1].timer is not None]
    return min(promising, key=lambda pair: pair[0].place) if promising else standing[0]


def _in_force(plan: TimerPlan, moment: datetime | None) -> TimerVersion:
    if moment is None:
        return plan.versions[0]
    return [version for version in plan.versions if version.since is None or version.since <= moment][-1]
