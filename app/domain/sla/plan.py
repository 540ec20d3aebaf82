"""Which definition of each timer holds for a subject over time: severity, kind and policy as they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.errors import InvalidError
from app.domain.events import EventType, SubjectKind
from app.domain.sla.calendar import Calendar
from app.domain.sla.clock import TimerPlan, TimerVersion
from app.domain.sla.clock_event import ClockEvent
from app.domain.sla.policy import Facts, Policy
from app.domain.sla.policy_document import SEVERITIES

DEFAULT_SEVERITY = "sev3"
Calendars = Mapping[str, Calendar]
_MOST_PLANS = 4096
# Derived and idempotent, like the laid out years of a calendar.
_PLANS: dict[tuple[Any, ...], tuple[tuple[TimerPlan, ...], Policy, Calendars]] = {}


@dataclass(frozen=True, slots=True)
class Pin:
    """A policy version with its calendars that binds the subject from an instant on."""

    at: datetime
    policy: Policy
    calendars: Calendars


@dataclass(frozen=True, slots=True)
class _Standing:
    """What decides about the timers between two changes."""

    since: datetime | None
    policy: Policy
    calendars: Calendars
    facts: Facts
    reason: str = ""


def plan_timers(
    policy: Policy,
    facts: Facts,
    events: Iterable[ClockEvent],
    calendars: Calendars,
    repinned: Sequence[Pin] = (),
) -> tuple[TimerPlan, ...]:
    """The timers that a subject has, or had at some time, each with its definitions over time.

    `facts` as they stood at the opening (see `Policy.match`). `severity`, `kind` and `cause` that the first
    case.opened states override them; those of later openings and of case.assessed act from their
    `occurred_at`. A case without a severity has sev3 until it is assessed; a severity that is none
    changes nothing. Raises InvalidError `unknown_calendar` when one is missing from `calendars`.
    """
    standings = _standings(policy, facts, events, calendars, repinned)
    if len(standings) == 1:
        return _known_plans(standings[0])
    return _lay_plans(standings)


def _known_plans(standing: _Standing) -> tuple[TimerPlan, ...]:
    """The plans of a subject whose definitions never changed: those of every other like it."""
    policy, calendars = standing.policy, standing.calendars
    used = sorted(policy.calendars() & calendars.keys())
    # the calendars themselves are kept in the entry, so that no other can take over an id
    key = (id(policy), policy.asked(standing.facts), *(id(calendars[name]) for name in used))
    known = _PLANS.get(key)
    if known is None:
        if len(_PLANS) >= _MOST_PLANS:
            _PLANS.clear()
        known = _PLANS[key] = (_lay_plans([standing]), policy, calendars)
    return known[0]


def _lay_plans(standings: Sequence[_Standing]) -> tuple[TimerPlan, ...]:
    plans: dict[str, list[TimerVersion]] = {}
    for standing in standings:
        timers = {timer.key: timer for timer in standing.policy.match(standing.facts)}
        for key in {**plans, **timers}:
            timer = timers.get(key)
            calendar = _calendar(timer.calendar if timer else standing.policy.calendar, standing.calendars)
            version = TimerVersion(timer, calendar, standing.since, standing.reason)
            first = [] if standing.since is None else [TimerVersion(None, calendar)]
            _append(plans.setdefault(key, first), version)
    return tuple(TimerPlan(key, tuple(versions)) for key, versions in sorted(plans.items()))


def _append(versions: list[TimerVersion], version: TimerVersion) -> None:
    """A definition that says the same as the one before it is no change."""
    before = versions[-1] if versions else None
    if (
        before is None
        or before.timer != version.timer
        or (version.timer is not None and before.calendar is not version.calendar)
    ):
        versions.append(version)


def _standings(
    policy: Policy, facts: Facts, events: Iterable[ClockEvent], calendars: Calendars, repinned: Sequence[Pin]
) -> list[_Standing]:
    opening, later = _statements(events)
    current = dict(facts)
    if facts["subject"] == SubjectKind.CASE and _severity(current.get("severity")) is None:
        current["severity"] = DEFAULT_SEVERITY
    if opening is not None:
        current |= _stated(opening)
    found = [_Standing(None, policy, calendars, current)]
    changes: list[tuple[datetime, ClockEvent | Pin]] = [(event.occurred_at, event) for event in later]
    changes += [(pin.at, pin) for pin in repinned]
    for at, change in sorted(changes, key=lambda pair: pair[0]):
        last = found[-1]
        if isinstance(change, Pin):
            found.append(_Standing(at, change.policy, change.calendars, last.facts, "policy_change"))
            continue
        stated = _stated(change)
        changed = {name: value for name, value in stated.items() if value != last.facts.get(name)}
        if changed:
            reason = next(f"{name}_change" for name in ("severity", "kind", "cause") if name in changed)
            found.append(_Standing(at, last.policy, last.calendars, {**last.facts, **changed}, reason))
    return found


def _statements(events: Iterable[ClockEvent]) -> tuple[ClockEvent | None, list[ClockEvent]]:
    """The first opening, and whatever later states a severity, a kind or a cause."""
    types = (EventType.CASE_OPENED, EventType.CASE_ASSESSED)
    telling = {event.event_id: event for event in events if event.type in types}.values()
    ordered = sorted(telling, key=lambda event: (event.occurred_at, event.event_id.bytes))
    opening = next((event for event in ordered if event.type == EventType.CASE_OPENED), None)
    return opening, [event for event in ordered if event is not opening]


def _stated(event: ClockEvent) -> dict[str, str]:
    found = {"severity": _severity(event.data.get("severity"))}
    found |= {name: event.data.get(name) for name in ("kind", "cause")}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _severity(value: object) -> str | None:
    return value if isinstance(value, str) and value in SEVERITIES else None


def _calendar(key: str, calendars: Calendars) -> Calendar:
    if key not in calendars:
        raise InvalidError(
            "unknown_calendar", f"There is no calendar {key!r}.", cure="Give its pinned version."
        )
    return calendars[key]
