"""The clock against a walk over every minute, and what no order of arrival may change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidError
from app.domain.sla import (
    Announced,
    Calendar,
    ClockEvent,
    IntervalKind,
    Timer,
    TimerPlan,
    TimerVersion,
    announcements,
    intervals,
    next_wakeup,
    parse_calendar,
    read,
    read_plan,
)

from .bitmap import DAYS, Story, Wall, utc, walk_minutes
from .builders import a_timer, around_the_clock, at, office

MINUTE = timedelta(minutes=1)
# Fourteen days from these hold a change of the clocks, a leap day or the turn of a year somewhere.
ANCHORS = [
    utc(day) for day in ("2026-03-02", "2026-03-25", "2026-10-20", "2026-09-28", "2024-02-25", "2025-12-27")
]
ZONES = (
    "UTC",
    "Europe/Kyiv",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Havana",
    "Africa/Casablanca",
)
SPAN = 14 * 1440
STEPS = ("case.waiting_customer", "case.resumed", "case.customer_contacted", "case.remedied")


def clock_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def shifts(draw: st.DrawFn) -> list[list[str]]:
    cuts = sorted(draw(st.sets(st.integers(0, 1440), max_size=4)))
    pairs = [[clock_time(a), clock_time(b)] for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    if cuts and cuts[-1] < 1439 and draw(st.booleans()):
        pairs = [*pairs[: len(cuts) // 2], [clock_time(cuts[-1] + 1), clock_time(draw(st.integers(0, 240)))]]
    return pairs


@st.composite
def documents(draw: st.DrawFn, start: datetime) -> dict[str, Any]:
    special = draw(
        st.lists(st.tuples(st.integers(-1, 15), shifts()), max_size=3, unique_by=lambda item: item[0])
    )
    exceptions: list[dict[str, Any]] = []
    for day, spans in special:
        of_day = {"intervals": spans} if spans else {"closed": True}
        exceptions.append({"date": (start + timedelta(days=day)).date().isoformat()} | of_day)
    return {
        "tz": draw(st.sampled_from(ZONES)),
        "weekly": {day: draw(shifts()) for day in DAYS},
        "exceptions": exceptions,
    }


@st.composite
def stories(draw: st.DrawFn) -> tuple[Story, dict[str, Any], Calendar]:
    start = draw(st.sampled_from(ANCHORS)) + draw(st.integers(0, 3 * 1440)) * MINUTE
    document = draw(documents(start))
    try:
        calendar = parse_calendar(document, "9x5", 1)
    except InvalidError:
        assume(False)
        raise
    span = draw(st.sampled_from([300, 2880, SPAN]))
    steps = draw(st.dictionaries(st.integers(1, span), st.sampled_from(STEPS), max_size=8))
    business = draw(st.booleans())
    targets = st.integers(1, span // 3 if business else span)
    change = draw(st.none() | st.tuples(st.integers(1, span), targets))
    assume(change is None or change[0] not in steps)
    as_of = span - draw(st.integers(0, span))
    story = Story(start, sorted(steps.items()), as_of, draw(targets), business, change)
    return story, document, calendar


def told(story: Story) -> list[ClockEvent]:
    events = [ClockEvent(UUID(int=1), "case.opened", story.start)]
    for minute, kind in story.events:
        events.append(ClockEvent(UUID(int=minute + 2), kind, story.start + minute * MINUTE))
    return events


def timer(story: Story, target: int) -> Timer:
    unit = "business_hours" if story.business else "hours"
    return a_timer(stop=["case.remedied"], due={"duration": {unit: target / 60}}, pause=["waiting_customer"])


def check_against_the_walk(story: Story, document: dict[str, Any], calendar: Calendar) -> None:
    versions = [TimerVersion(timer(story, story.target), calendar)]
    if story.change is not None:
        since = story.start + story.change[0] * MINUTE
        versions.append(TimerVersion(timer(story, story.change[1]), calendar, since, "severity_change"))
    as_of = story.start + story.as_of * MINUTE
    (reading,) = read_plan(TimerPlan("reply", tuple(versions)), told(story), as_of)
    expected = walk_minutes(story, Wall(document))
    assert reading.state.value == expected.state
    assert reading.breached_at == expected.breached_at
    assert reading.consumed_seconds == 60 * expected.counted
    assert reading.paused_seconds == 60 * expected.paused
    lengths = dict.fromkeys(IntervalKind, timedelta())
    for interval in intervals(reading):
        lengths[interval.kind] += interval.to_at - interval.from_at
    assert lengths[IntervalKind.COUNTED] == expected.counted * MINUTE
    assert lengths[IntervalKind.OUT_OF_HOURS] + lengths[IntervalKind.HOLIDAY] == expected.closed * MINUTE
    if reading.due_at is not None and reading.is_open and not reading.is_breached:
        assert reading.due_at >= as_of


RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@settings(RELAXED, max_examples=100)
@given(stories())
def test_the_clock_agrees_with_a_walk_over_every_minute(case: tuple[Story, dict[str, Any], Calendar]) -> None:
    check_against_the_walk(*case)


@pytest.mark.full
@settings(RELAXED, max_examples=10_000)
@given(stories())
def test_the_clock_agrees_with_a_walk_over_every_minute_ten_thousand_times(
    case: tuple[Story, dict[str, Any], Calendar],
) -> None:
    check_against_the_walk(*case)


def test_the_walk_itself_can_disagree() -> None:
    story = Story(utc("2026-03-02"), [], 100, 50, business=False)
    right = walk_minutes(story, Wall({"tz": "UTC", "weekly": {}, "exceptions": []}))
    assert right.state == "breached"
    (reading,) = read(timer(story, 200), around_the_clock(), told(story), story.start + 100 * MINUTE)
    assert reading.state.value != right.state


# --- order of arrival -------------------------------------------------------------------------------

KINDS = (
    "case.opened",
    "case.replied",
    "case.remedied",
    "case.closed",
    "case.reopened",
    "case.withdrawn",
    *STEPS[:3],
)
TIMERS = (
    a_timer(due={"duration": "PT5M"}),
    a_timer(stop=["case.remedied"], due={"duration": "PT9M"}, pause=["waiting_customer"]),
    a_timer(start=["case.opened", "case.replied"], stop=["case.replied"], repeat="while_open"),
    a_timer(
        stop=["case.closed"], due={"duration": {"business_hours": 1}}, reopen={"mode": "total_resolution"}
    ),
    a_timer(stop=["case.closed"], alternatives=[{"event": "case.replied", "moves_to": {"duration": "PT2H"}}]),
)
OFFICE = office("Europe/Kyiv")
BEGIN = at("2026-03-06 15:50")


@st.composite
def histories(draw: st.DrawFn) -> list[ClockEvent]:
    steps = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.booleans()), max_size=10))
    return [
        ClockEvent(UUID(int=index), kind, BEGIN + minute * MINUTE, day_precision=by_day)
        for index, (kind, minute, by_day) in enumerate(steps)
    ]


@settings(RELAXED, max_examples=100)
@given(histories(), st.sampled_from(TIMERS), st.integers(0, 40), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_events_changes_a_reading(
    history: list[ClockEvent], timer: Timer, minutes: int, random: Any
) -> None:
    as_of = BEGIN + minutes * MINUTE
    mixed = [*history, *random.sample(history, len(history) // 2)]
    random.shuffle(mixed)
    assert read(timer, OFFICE, mixed, as_of) == read(timer, OFFICE, history, as_of)


@settings(RELAXED, max_examples=100)
@given(histories(), st.sampled_from(TIMERS), st.integers(0, 40))
def test_what_happens_later_never_changes_what_was_read_before(
    history: list[ClockEvent], timer: Timer, minutes: int
) -> None:
    as_of = BEGIN + minutes * MINUTE
    known = [event for event in history if event.occurred_at <= as_of]
    then = [(r.cycle, r.state, r.due_at) for r in read(timer, OFFICE, known, as_of)]
    after = [(r.cycle, r.state, r.due_at) for r in read(timer, OFFICE, history, as_of)]
    assert after[: len(then)] == then


# --- announcements ----------------------------------------------------------------------------------

WARNED = a_timer(
    stop=["case.replied"],
    due={"duration": "PT10M"},
    pause=["waiting_customer"],
    warnings=[50, 90],
    escalation=[{"percent": 100, "to": "assignee"}, {"percent": 200, "to": "manager"}],
)


class Told:
    """A ledger that checks its own laws as it grows."""

    def __init__(self) -> None:
        self.rows: list[Announced] = []

    def add(self, kind: str, level: int, revision: int, provisional: bool) -> None:
        key = (kind, level, revision)
        assert key not in [row[:3] for row in self.rows], "each key is said at most once"
        told = {(row.kind, row.revision) for row in self.rows}
        if kind in ("breach_confirmed", "breach_revoked"):
            assert ("breached", revision) in told
            assert (("breach_revoked"), revision) not in told
        self.rows.append(Announced(kind, level, revision, provisional))

    def standing(self) -> bool:
        """Whether a receiver now believes that the timer was breached."""
        breached = sum(row.kind == "breached" for row in self.rows)
        return breached > sum(row.kind == "breach_revoked" for row in self.rows)


@settings(RELAXED, max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from((*STEPS[:2], "case.replied")), st.integers(1, 30), st.integers(0, 20)),
        max_size=6,
    )
)
def test_however_late_facts_come_the_receiver_ends_with_the_truth(steps: list[tuple[str, int, int]]) -> None:
    facts = [(0, ClockEvent(UUID(int=99), "case.opened", BEGIN))]
    for index, (kind, minute, delay) in enumerate(steps):
        facts.append((minute + delay, ClockEvent(UUID(int=index), kind, BEGIN + minute * MINUTE)))
    told = Told()
    for minute in range(60):
        now = BEGIN + minute * MINUTE
        known = [event for arrives, event in facts if arrives <= minute]
        (reading,) = read(WARNED, OFFICE, known, now)
        for said in announcements(reading, told.rows, now, final=minute >= 50):
            told.add(said.kind, said.level, said.revision, said.provisional)
    assert told.standing() == reading.is_breached
    provisional = {row.revision for row in told.rows if row.kind == "breached" and row.provisional}
    settled = [row.revision for row in told.rows if row.kind in ("breach_confirmed", "breach_revoked")]
    assert provisional <= set(settled)
    assert len(settled) == len(set(settled))


@settings(RELAXED, max_examples=100)
@given(histories(), st.sampled_from((*TIMERS, WARNED)))
def test_sleeping_from_wakeup_to_wakeup_misses_nothing(history: list[ClockEvent], timer: Timer) -> None:
    opened = [event for event in history if event.type == "case.opened"]
    assume(opened)
    horizon = BEGIN + timedelta(days=4)
    woken: dict[UUID, list[Announced]] = {}
    now: datetime | None = BEGIN
    looks = 0
    while now is not None and now <= horizon:
        looks += 1
        ahead = [event.occurred_at for event in history if event.occurred_at > now]
        for reading in read(timer, OFFICE, history, now):
            rows = woken.setdefault(reading.cycle, [])
            rows += [
                Announced(a.kind, a.level, a.revision, a.provisional)
                for a in announcements(reading, rows, now)
            ]
            following = next_wakeup(reading, rows, now)
            ahead += [following] if following else []
        now = min(ahead, default=None)
    assert looks < 200
    for reading in read(timer, OFFICE, history, horizon):
        said = {row.kind for row in woken.get(reading.cycle, [])}
        assert ("breached" in said) >= reading.is_breached
        assert announcements(reading, woken.get(reading.cycle, []), horizon) == ()
