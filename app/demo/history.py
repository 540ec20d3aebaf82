"""Synthetic history: the same seed gives the same ninety days; nobody in it exists."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = 90
CHANNELS = ("call", "chat", "store", "review")
LOCATIONS = ("kyiv-center", "lviv-opera", "odesa-port")
EMPLOYEES = tuple(f"agent-{number:02d}" for number in range(1, 13))
PRODUCTS = ("phone", "laptop", "delivery", "warranty")
SEGMENTS = ("new", "regular", "business")

_SOURCES = {"call": "call-centre", "chat": "site-chat", "store": "store-kiosk", "review": "review-site"}
_TOUCHPOINTS = {"call": "support_line", "chat": "site_chat", "store": "checkout", "review": "review_page"}
_CAUSES = ("office_process.queue", "office_process.delivery_delay", "staff.competence", "staff.rudeness")
_TEXTS = {
    "negative": (
        "Чекали сорок хвилин, і ніхто не підійшов.",
        "Delivered late and nobody called.",
        "Хамство на касі.",
    ),
    "neutral": ("Нормально.", "It was fine.", "Обычное обслуживание."),
    "positive": (
        "Дуже швидко допомогли, дякую!",
        "Great help, solved in one call.",
        "Спасибо, всё понятно объяснили.",
    ),
}
Envelope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Histories:
    """What the generator is asked for."""

    until: datetime
    zone: ZoneInfo
    seed: int = 20261122
    answers_a_day: int = 36


def synthetic_events(ask: Histories) -> Iterator[Envelope]:
    """Envelopes of `DAYS` days up to `until`, in order of days; each source as its real twin would post."""
    dice = random.Random(ask.seed)  # noqa: S311 - made-up history, not a secret
    today = ask.until.astimezone(ask.zone).date()
    for back in range(DAYS, 0, -1):
        day = today - timedelta(days=back)
        yield from _counts(dice, day, ask.zone)
        for number in range(_busy(dice, day, ask.answers_a_day)):
            yield from _contact(dice, day, number, ask)


def _busy(dice: random.Random, day: date, usual: int) -> int:
    return max(5, round(usual * (0.6 if day.weekday() >= 5 else 1.1) * dice.uniform(0.8, 1.2)))


def _counts(dice: random.Random, day: date, zone: ZoneInfo) -> Iterator[Envelope]:
    noon = datetime.combine(day, time(12), zone).isoformat()
    for location in LOCATIONS:
        visitors = dice.randint(180, 420)
        for kind, count in (
            ("visitors", visitors),
            ("transactions", round(visitors * dice.uniform(0.15, 0.3))),
        ):
            yield {
                "type": f"{kind}.counted",
                "id": f"{kind}-{location}-{day}",
                "source": "door-counter",
                "occurred_at": noon,
                "data": {"count": count, "location": location, "channel": "store", "touchpoint": "checkout"},
            }


def _contact(dice: random.Random, day: date, number: int, ask: Histories) -> Iterator[Envelope]:
    """One contact: an interaction that ended, and what the customer said of it (or not)."""
    channel = dice.choice(CHANNELS)
    employee = dice.choice(EMPLOYEES)
    at = datetime.combine(day, time(9), ask.zone) + timedelta(seconds=dice.randrange(11 * 3600))
    name = f"{channel}-{day}-{number}"
    where: dict[str, Any] = {
        "channel": channel,
        "touchpoint": _TOUCHPOINTS[channel],
        "location": LOCATIONS[EMPLOYEES.index(employee) % len(LOCATIONS)],
    }
    if channel != "review":
        where["employee"] = employee
    if channel in ("call", "chat"):
        yield _event("interaction.ended", f"{name}-end", channel, at, dict(where), ("interaction", name))
        if dice.random() < 0.9:
            offered = at + timedelta(minutes=dice.uniform(1, 18))
            yield _event("feedback.offered", f"{name}-offer", channel, offered, {}, ("interaction", name))
    yield from _answer(dice, name, channel, at, where)


def _answer(
    dice: random.Random, name: str, channel: str, at: datetime, where: dict[str, Any]
) -> Iterator[Envelope]:
    mood = dice.choices(("positive", "neutral", "negative"), _weights(where))[0]
    data = {**where, "segment": dice.choice(SEGMENTS), "product": dice.choice(PRODUCTS)}
    data["customer"] = {"type": "id", "value": f"synthetic-{dice.randrange(2500)}"}
    data["collection_mode"] = {"store": "staff_prompted", "review": "scraped"}.get(channel, "invited")
    data["answers"] = _scores(dice, channel, mood)
    if channel == "review":
        data["kind"] = "review"
    if dice.random() < 0.35 or channel == "review":
        data["text"] = dice.choice(_TEXTS[mood])
    said = at + timedelta(minutes=dice.uniform(2, 240))
    if mood == "negative":
        data["cause"] = dice.choice(_CAUSES)
        yield _event("feedback.received", name, channel, said, data, ("case", f"demo-{name}"))
        yield from _handling(dice, f"demo-{name}", said)
    else:
        yield _event("feedback.received", name, channel, said, data, None)


def _weights(where: dict[str, Any]) -> tuple[float, float, float]:
    unlucky = where["location"] == "odesa-port"
    return (0.62, 0.2, 0.18) if unlucky else (0.74, 0.17, 0.09)


def _scores(dice: random.Random, channel: str, mood: str) -> list[dict[str, Any]]:
    nps = {"positive": (9, 10), "neutral": (7, 8), "negative": (0, 6)}[mood]
    five = {"positive": (4, 5), "neutral": (3, 3), "negative": (1, 2)}[mood]
    seven = {"positive": (5, 7), "neutral": (4, 4), "negative": (1, 3)}[mood]
    answers = {
        "call": [("nps_after_call", "nps_0_10", nps), ("ces_after_call", "ces2_1_7", seven)],
        "chat": [("csat_chat", "csat_1_5", five)],
        "store": [("csat_checkout", "csat_1_5", five), ("nps_store", "nps_0_10", nps)],
        "review": [("review_stars", "stars_1_5", five)],
    }[channel]
    return [
        {"question": key, "scale": scale, "value": dice.randint(*bounds)} for key, scale, bounds in answers
    ]


def _handling(dice: random.Random, ref: str, opened: datetime) -> Iterator[Envelope]:
    """What the care team did: mostly in time, sometimes late, now and then nothing at all."""
    if dice.random() < 0.06:
        return
    at = opened
    steps = (
        "acknowledged",
        "replied",
        "apologised",
        "promised",
        "remedied",
        "decision_communicated",
        "closed",
    )
    for number, step in enumerate(steps):
        at += timedelta(hours=dice.lognormvariate(0.6 if number < 2 else 1.8, 0.9))
        data: dict[str, Any] = {}
        if step == "promised":
            data["due_at"] = (at + timedelta(days=3)).isoformat()
        if step == "replied":
            data["human"] = True
        yield _event(f"case.{step}", f"{ref}-{step}", "crm", at, data, ("case", ref))


def _event(
    kind: str, name: str, channel: str, at: datetime, data: dict[str, Any], subject: tuple[str, str] | None
) -> Envelope:
    envelope: Envelope = {
        "type": kind,
        "id": name,
        "source": _SOURCES.get(channel, channel),
        "occurred_at": at.isoformat(),
        "data": data,
    }
    if subject is not None:
        envelope["subject"] = {"kind": subject[0], "ref": subject[1]}
    return envelope
