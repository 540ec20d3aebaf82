"""Two bindings side by side: verdicts, attainment and what a change does to each cycle."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.domain.events import SubjectKind
from app.domain.sla import ClockEvent, Timer, read
from app.domain.sla.compare import Comparison, Effect, Side, Verdict, verdict

from .builders import DAY, OPENED, a_timer, an_event, at, one

SUBJECT = UUID(int=7)
HOUR, TWO_HOURS = a_timer(), a_timer(due={"duration": "PT2H"})
AFTER_90_MINUTES = an_event("case.replied", "2026-03-04 11:30")


def compared(*events: ClockEvent, before: Timer | None = HOUR, after: Timer | None = TWO_HOURS) -> Comparison:
    """A case that opened at ten, read at noon under two timers (None: none)."""
    found, told, noon = Comparison(), [OPENED, *events], at("2026-03-04 12:00")
    old, new = (read(timer, DAY, told, noon) if timer else () for timer in (before, after))
    found.put(SUBJECT, SubjectKind.CASE, Side(tuple(old)), Side(tuple(new)))
    return found


@pytest.mark.parametrize(
    ("events", "as_of", "counts_as"),
    [
        ([], "2026-03-04 11:00", Verdict.PENDING),
        ([], "2026-03-04 11:01", Verdict.BREACHED),
        ([AFTER_90_MINUTES], "2026-03-04 12:00", Verdict.BREACHED),
        ([an_event("case.replied", "2026-03-04 11:00")], "2026-03-04 12:00", Verdict.MET),
        ([an_event("case.withdrawn", "2026-03-04 10:30")], "2026-03-04 12:00", Verdict.CANCELLED),
    ],
)
def test_a_reading_counts_as_the_metric_counts_it(
    events: list[ClockEvent], as_of: str, counts_as: Verdict
) -> None:
    assert verdict(one(HOUR, DAY, [OPENED, *events], at(as_of))) is counts_as


def test_a_longer_target_saves_and_a_shorter_one_breaches() -> None:
    saved = compared(AFTER_90_MINUTES)
    assert [item.effect for item in saved.differences] == [Effect.SAVED]
    assert (saved.before["reply"].attainment, saved.after["reply"].attainment) == (0.0, 1.0)
    (worse,) = compared(AFTER_90_MINUTES, before=TWO_HOURS, after=HOUR).differences
    assert worse.effect is Effect.WOULD_BREACH
    assert worse.due_at == (at("2026-03-04 12:00"), at("2026-03-04 11:00"))


def test_another_due_time_with_the_same_verdict_is_moved_and_the_same_is_no_difference() -> None:
    in_time = an_event("case.replied", "2026-03-04 10:30")
    assert [item.effect for item in compared(in_time).differences] == [Effect.MOVED]
    assert compared(in_time, after=HOUR).differences == []


def test_what_is_on_one_side_only_is_added_or_removed_and_nothing_decided_has_no_attainment() -> None:
    added, removed = compared(before=None), compared(after=None)
    assert [item.effect for item in added.differences] == [Effect.ADDED]
    assert [item.effect for item in removed.differences] == [Effect.REMOVED]
    assert added.after["reply"].attainment is None
    assert added.timers() == ["reply"]
