"""The asking policy of a tenant: how long to wait for answers, whom to leave in peace, when to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from typing import Any, Final

from app.domain.asking.quiet import QuietHours

HOUR: Final = 3600
DAY: Final = 86_400

DEFAULT_TIMEOUTS: Final[Mapping[str, int]] = {
    "kiosk": 60,
    "store": 60,
    "call": 600,
    "chat": 600,
    "default": 72 * HOUR,
}
"""Seconds by channel (domain.md 3.3): a device a minute, voice and chat ten, what is sent three days."""


class AskKind(StrEnum):
    """What a moment asks for; each has its own outgoing event."""

    SURVEY = "survey"
    RESURVEY = "resurvey"
    REMINDER = "reminder"


class SecondLine(StrEnum):
    """Which line of business is asked beside the most profitable one (S1.8)."""

    CAPRICIOUS = "capricious"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Moment:
    """A rule: after one of these events, and no earlier and no later than so, a customer is to be asked.

    `when` are facts that must hold (name -> accepted values); `held` moments wait for no open complaint,
    `capped` ones count against how often a customer is asked, `quiet` ones respect quiet hours.
    """

    key: str
    kind: AskKind
    on: frozenset[str]
    not_before_seconds: int
    not_after_seconds: int
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    survey: str | None = None
    question: str | None = None
    channel: str | None = None
    relational: bool = False
    quiet: bool = True
    held: bool = True
    capped: bool = True
    sampled: bool = False

    def matches(self, event_type: str, facts: Mapping[str, Any]) -> bool:
        """True when this event starts the moment."""
        if event_type not in self.on:
            return False
        attributes = facts.get("attributes") or {}
        for name, accepted in self.when.items():
            value = attributes.get(name[11:]) if name.startswith("attributes.") else facts.get(name)
            if value is None or str(value) not in accepted:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Sampling:
    """Who is asked at moments that sample: two lines of business of this dimension."""

    dimension: str = "product"
    second: SecondLine = SecondLine.CAPRICIOUS
    window_days: int = 90


@dataclass(frozen=True, slots=True)
class AskingPolicy:
    """One version of the policy; version 0 is what holds until a tenant writes its own."""

    version: int = 0
    timeouts: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_TIMEOUTS))
    quiet: QuietHours | None = field(default_factory=lambda: QuietHours(time(21), time(9)))
    relational_gap: timedelta = timedelta(days=90)
    transactional_gap: timedelta = timedelta(days=30)
    any_gap: timedelta = timedelta()
    identical_gap: timedelta = timedelta(hours=12)
    hold_open_complaint: bool = True
    uncapped_moments: frozenset[str] = frozenset({"post_resolution"})
    uncapped_channels: frozenset[str] = frozenset({"kiosk", "store"})
    moments: tuple[Moment, ...] = ()
    sampling: Sampling | None = None

    def timeout_seconds(self, channel: str | None, stated: int | None) -> int:
        """How long an invitation waits for its answer: as it says itself, else by its channel."""
        if stated is not None:
            return stated
        return self.timeouts.get(channel or "default", self.timeouts["default"])

    @property
    def longest_gap(self) -> timedelta:
        """How far back an invitation may still stand against another one."""
        return max(self.relational_gap, self.transactional_gap, self.any_gap, self.identical_gap)

    def moment(self, key: str | None) -> Moment | None:
        """The moment of this name."""
        return next((moment for moment in self.moments if moment.key == key), None)

    def is_capped(self, channel: str, moment_key: str | None) -> bool:
        """False for what may be asked however often: device prompts, and after a resolution."""
        moment = self.moment(moment_key)
        if moment is not None and (not moment.capped or moment.kind is AskKind.REMINDER):
            return False
        return moment_key not in self.uncapped_moments and channel not in self.uncapped_channels


DEFAULT_POLICY: Final = AskingPolicy()


def preset_document() -> dict[str, Any]:
    """The defaults of domain.md 6.5 with every moment, as a document that a tenant may adopt or change."""
    return {
        "format": 1,
        "response_timeouts": dict(DEFAULT_TIMEOUTS),
        "eligibility": {
            "quiet_hours": {"from": "21:00", "to": "09:00"},
            "relational_days": 90,
            "transactional_days": 30,
            "any_hours": 0,
            "identical_hours": 12,
            "hold_open_complaint": True,
            "uncapped": {"moments": ["post_resolution"], "channels": ["kiosk", "store"]},
        },
        "moments": [
            _window("immediate", ["interaction.ended"], "PT0S", "PT20M"),
            _window("followup", ["transaction.completed"], "PT12H", "PT72H"),
            _window("project", ["order.delivered"], "PT72H", "PT168H")
            | {"when": {"attributes.size": ["large"]}},
            _window("post_resolution", ["case.remedied"], "PT24H", "PT48H")
            | {"kind": "resurvey", "held": False, "capped": False},
            _reminder("baby_goods", "P7D", "P14D"),
            _reminder("printer_supplies", "P60D", "P90D"),
            _reminder("child_furniture", "P2555D", "P2585D"),
            _reminder("coffee", "P30D", "P37D"),
        ],
    }


def _window(key: str, on: list[str], not_before: str, not_after: str) -> dict[str, Any]:
    return {"key": key, "kind": "survey", "on": on, "not_before": not_before, "not_after": not_after}


def _reminder(category: str, not_before: str, not_after: str) -> dict[str, Any]:
    moment = _window(f"reorder_{category}", ["transaction.completed"], not_before, not_after)
    return moment | {"kind": "reminder", "when": {"attributes.category": [category]}}
