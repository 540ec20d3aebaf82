"""Cases that their source reopens too late: which facts go to the new one, and what it opens with."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from app.domain.case import (
    CONTINUES,
    LateReopening,
    absorber_of,
    find_late_reopening,
    fold,
    follow,
    merges_of,
    opening_after,
    spans_of,
    split,
    survivor_of,
)
from app.domain.events import StoredEvent

from .builders import at, fact, reasons
from .test_merging import A, B, C, merged, names, taken_back, told

LATE = 15 * 24
N = UUID(int=20)


def settled(**said) -> list[StoredEvent]:
    """A case closed after an hour and reopened by its source after the fortnight."""
    return [told("opened", 0, A, said), told("closed", 1, A), told("reopened", LATE, A)]


def continued(reopening: StoredEvent, into: UUID = N, of: UUID = A) -> StoredEvent:
    """Our opening that takes the reopening up."""
    opening = replace(reopening, type=fact("opened", 0).type, fact={CONTINUES: str(of)}, source="vidhuk")
    name = f"case.opened:{reopening.event_id}"
    return replace(opening, event_id=UUID(int=into.int + 1000), external_id=name, subject_id=into,
                   caused_by=reopening.event_id)  # fmt: skip


def test_what_is_told_from_the_late_reopening_on_is_of_the_new_case_and_the_reopening_stays():
    events = settled()
    before, at_once, after = (told("replied", hours, A) for hours in (LATE - 1, LATE, LATE + 1))
    opening = continued(events[2])
    found = split([at_once, opening, before, after, *events])
    assert set(names(found[N])) == {opening.external_id, at_once.external_id, after.external_id}
    assert reasons(fold(found[A])) == ["after_closing", "reopened_too_late"]
    assert (fold(found[A]).state.value, fold(found[N]).state.value) == ("closed", "open")
    assert (fold(found[N]).anomalies, fold(found[N]).reopened_count) == ((), 0)


def test_a_retracted_opening_gives_the_facts_back():
    events, after = settled(), told("replied", LATE + 1, A)
    opening = continued(events[2])
    back = replace(taken_back(opening), source="vidhuk")
    assert after.external_id in names(split([*events, opening, after, back])[A])


def test_an_opening_of_a_source_continues_nothing():
    events = settled()
    forged = replace(continued(events[2]), caused_by=None)
    assert merges_of([*events, forged]) == {}


@pytest.mark.parametrize(
    ("merge", "places"),
    [
        (merged(A, B, LATE + 2), {2.0: A, LATE + 1: N, LATE + 3: B}),
        (merged(A, B, LATE - 2), {2.0: A, LATE - 1: B, LATE + 1: B}),
        (merged(B, A, LATE + 2), {2.0: A, LATE + 1: N, LATE + 3: N}),
    ],
    ids=["of the old case, later", "of the old case, before", "into the old case"],
)
def test_a_merge_told_of_the_old_case_is_about_the_one_that_goes_on(merge, places):
    events = settled()
    for told_so in ([*events, continued(events[2]), merge], [merge, continued(events[2]), *events]):
        merges = merges_of(told_so)
        assert {hours: survivor_of(A, merges, at(hours)) for hours in places} == places
        spans = {
            hours: next(
                (
                    span.case_id
                    for span in spans_of(A, merges)
                    if span.after_at < at(hours) and (span.until_at is None or at(hours) <= span.until_at)
                ),
                A,
            )
            for hours in places
        }
        assert spans == places


def test_only_merges_absorb_and_what_absorbed_before_the_reopening_hands_no_receipt_on():
    events = settled()
    early = merges_of([*events, continued(events[2]), merged(B, A, 1)])
    late = merges_of([*events, continued(events[2]), merged(B, A, LATE + 1), merged(A, C, LATE + 2)])
    assert (absorber_of(A, early), absorber_of(B, early)) == (None, A)
    assert (absorber_of(A, late), absorber_of(B, late), absorber_of(N, late)) == (None, C, C)


def found_late(events: list[StoredEvent]) -> list[LateReopening]:
    """The consequences of late reopenings among these events."""
    found: list[LateReopening] = []

    def state(consequence):
        found.append(consequence)
        return continued(consequence.event, UUID(int=20 + len(found) - 1), consequence.case_id)

    follow(events, [], [event for event in events if event.type is fact("reopened", 0).type], {}, state)
    return found


def test_late_reopenings_are_found_in_the_order_of_time_each_where_its_facts_led():
    events = settled()
    again = [told("closed", LATE + 1, A), told("reopened", 2 * LATE + 2, A)]
    late = found_late([*again, *events, told("reopened", LATE + 0.5, A)])
    assert [(item.event, item.case_id) for item in late] == [(events[2], A), (again[1], N)]


@pytest.mark.parametrize("hours", [1.5, 14 * 24])
def test_a_reopening_in_time_is_not_late(hours):
    assert found_late([*settled()[:2], told("reopened", hours, A)]) == []


def test_a_reopening_that_was_not_told_of_the_case_is_not_late():
    events = settled()
    assert find_late_reopening(events[2], A, events[:2]) is None


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ({}, "sev2"),
        ({"severity": "sev3"}, "sev3"),
        ({"severity": "sev1"}, "sev1"),
        ({"severity": "sev2", "detection": {"severity_by": "rudeness"}}, "sev1"),
        ({"kind": "question", "severity": "sev4"}, "sev4"),
    ],
)
def test_the_new_case_is_as_grave_as_a_repeat_unless_somebody_stated_it(said, severity):
    (late,) = found_late(settled(channel="email", **said))
    data = opening_after(late, "case_x")
    assert (data["severity"], data["channel"], data["repeat_of"]) == (severity, "email", "case_x")
