"""Facts of merged cases: each goes to the case that its time says, in whatever order all of it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.case import fold, merges_of, spans_of, split, survivor_of
from app.domain.events import Bearing, EventType, StoredEvent

from .builders import at, fact, reasons

A, B, C, D = (UUID(int=number) for number in range(10, 14))


def told(name: str, hours: float, case: UUID, said=None, **more) -> StoredEvent:
    """A fact about one of the cases."""
    return replace(
        fact(name, hours, said, id=more.pop("id", f"{name}@{hours}/{case.int}"), **more), subject_id=case
    )


def merged(case: UUID, into: UUID, hours: float, **more) -> StoredEvent:
    return told("merged", hours, case, {"into_id": str(into)}, **more)


def taken_back(event: StoredEvent, hours: float = 99) -> StoredEvent:
    said = {"event": event.external_id, "event_id": str(event.event_id)}
    return replace(
        fact("event.retracted", hours, said, id=f"back {event.external_id}"), subject_id=event.subject_id
    )


def names(events: Sequence[StoredEvent]) -> list[str]:
    return [event.external_id for event in events if event.bearing is not Bearing.INHERITED]


def test_what_is_later_than_a_merge_belongs_to_the_survivor_and_what_is_not_stays():
    before, at_once, after = (told("acknowledged", hours, A) for hours in (9, 10, 11))
    found = split([before, at_once, after, merged(A, B, 10)])
    assert names(found[A]) == [before.external_id, at_once.external_id, "merged@10/10"]
    assert names(found[B]) == [after.external_id]


@pytest.mark.parametrize(
    ("first", "second", "places"),
    [
        (merged(A, B, 1), merged(B, C, 2), {0.5: A, 1.5: B, 2.5: C}),
        (merged(A, B, 2), merged(B, C, 1), {0.5: A, 1.5: A, 2.5: C}),
        (merged(A, B, 1), merged(A, C, 2), {0.5: A, 1.5: B, 2.5: B}),
        (merged(A, B, 1), merged(B, A, 2), {0.5: A, 1.5: B, 2.5: B}),
        (merged(A, B, 1), merged(A, B, 2), {0.5: A, 1.5: B, 2.5: B}),
    ],
    ids=["chain", "a chain whose end was merged first", "another survivor", "circle", "told twice"],
)
def test_chains_circles_and_repetitions_lead_to_one_survivor(first, second, places):
    for events in ([first, second], [second, first]):
        merges = merges_of(events)
        assert {hours: survivor_of(A, merges, at(hours)) for hours in places} == places


def test_a_merge_that_closes_a_circle_ends_no_case_and_is_listed():
    found = split([told("opened", 0, A), told("opened", 0, B), merged(A, B, 1), merged(B, A, 2)])
    assert (fold(found[A]).state.value, fold(found[B]).state.value) == ("merged", "open")
    assert reasons(fold(found[B])) == ["merged_in_a_circle"]


def test_a_case_merged_into_itself_goes_on():
    found = split([told("opened", 0, A), merged(A, A, 1), told("acknowledged", 2, A)])
    assert fold(found[A]).ended_as is None
    assert reasons(fold(found[A])) == ["merged_in_a_circle"]


def test_a_second_merge_is_listed_and_changes_nothing():
    found = split([told("opened", 0, A), merged(A, B, 1), merged(A, C, 2)])
    assert fold(found[A]).ended_at == at(1)
    assert reasons(fold(found[A])) == ["merged_already"]
    assert C not in found


def test_a_retracted_merge_gives_everything_back():
    merge, later = merged(A, B, 1), told("acknowledged", 2, A)
    found = split([told("opened", 0, A), merge, later, taken_back(merge)])
    assert B not in found
    assert fold(found[A]).steps.keys() == fold([told("opened", 0, A), later]).steps.keys()


def test_a_retraction_goes_with_what_it_takes_back():
    later = told("acknowledged", 2, A)
    found = split([told("opened", 0, A), told("opened", 0, B), merged(A, B, 1), later, taken_back(later)])
    assert names(found[B])[1:] == [later.external_id, f"back {later.external_id}"]


def test_what_was_announced_stays_where_it_was_said():
    found = split([merged(A, B, 1), told("sla.breached", 2, A), told("compensation.over_limit", 2, A)])
    assert names(found[A]) == ["merged@1/10", "sla.breached@2/10"]
    assert names(found[B]) == ["compensation.over_limit@2/10"]


def test_the_survivor_keeps_the_verification_of_the_absorbed_author():
    verified = [told("verification_requested", 1, A), told("verified", 2, A)]
    found = split([told("opened", 0, A), told("opened", 0, B), *verified, merged(A, B, 3)])
    dialogue = fold(found[B]).dialogue
    assert dialogue is not None and dialogue.state.value == "verified"
    assert fold(found[B]).anomalies == ()
    back = split(
        [told("opened", 0, A), told("opened", 0, B), *verified, merged(A, B, 3), taken_back(verified[1])]
    )
    dialogue = fold(back[B]).dialogue
    assert dialogue is not None and dialogue.state.value == "requested"


def test_a_survivor_of_whom_nothing_else_is_known_awaits_its_opening():
    found = split([told("opened", 0, A), merged(A, B, 1)])
    assert fold(found[B]).state.value == "awaiting_opening"
    assert fold(found[B]).opened_at == at(1)


@st.composite
def families(draw) -> list[StoredEvent]:
    """Facts and merges of four cases, few enough hours for ties, some taken back."""
    cases, events = (A, B, C, D), []
    for number in range(draw(st.integers(2, 14))):
        case, hours = draw(st.sampled_from(cases)), draw(st.integers(0, 6))
        if draw(st.booleans()):
            events.append(merged(case, draw(st.sampled_from(cases)), hours, id=f"e{number}"))
        else:
            kind = draw(st.sampled_from(["opened", "acknowledged", "remedied", "verified", "assigned"]))
            events.append(told(kind, hours, case, id=f"e{number}"))
    gone = draw(st.lists(st.sampled_from(events), max_size=3, unique_by=lambda event: event.external_id))
    return [*events, *(taken_back(event) for event in gone)]


def _oracle(events: list[StoredEvent]) -> dict[str, UUID]:
    """By hand: time goes on, and each merge hands over whatever its case had taken over by then."""
    gone = {event.fact["event"] for event in events if event.type is EventType.EVENT_RETRACTED}
    holder = {case: case for case in (A, B, C, D)}
    places: dict[str, UUID] = {}
    times: list[datetime] = sorted({event.occurred_at for event in events})
    merged_before: set[UUID] = set()
    for now in times:
        here = [event for event in events if event.occurred_at == now]
        for event in here:
            if event.type is not EventType.CASE_MERGED and event.subject_id is not None:
                places[event.external_id] = holder[event.subject_id]
        for event in sorted(here, key=lambda event: event.external_id):
            if event.type is EventType.CASE_MERGED and event.subject_id is not None:
                case, into = event.subject_id, UUID(event.fact["into_id"])
                places[event.external_id] = case
                counts = event.external_id not in gone and case not in merged_before and holder[into] != case
                if counts:
                    merged_before.add(case)
                    holder = {name: holder[into] if held == case else held for name, held in holder.items()}
    return places


@given(events=families(), data=st.data())
def test_every_fact_is_where_the_straight_story_puts_it(events, data):
    found = split(data.draw(st.permutations(events)))
    places = {
        event.external_id: case
        for case, history in found.items()
        for event in history
        if event.bearing is not Bearing.INHERITED
    }
    expected = _oracle(events)
    kept = {event.external_id for event in events if event.type is not EventType.EVENT_RETRACTED}
    assert {name: places[name] for name in kept} == {name: expected[name] for name in kept}


@given(events=families(), data=st.data())
def test_cases_do_not_depend_on_the_order_of_arrival(events, data):
    shuffled = data.draw(st.permutations(events + events[:2]))
    arrived = [
        replace(event, position=number, recorded_at=at(100 + number)) for number, event in enumerate(shuffled)
    ]
    straight = {case: fold(history) for case, history in split(events).items()}
    assert {case: fold(history) for case, history in split(arrived).items()} == straight


@given(events=families())
def test_spans_say_the_same_as_the_merges(events):
    merges = merges_of(events)
    for case in (A, B, C, D):
        for hours in (-1, 0, 0.5, 1, 2.5, 4, 6, 7):
            inside = [
                span.case_id
                for span in spans_of(case, merges)
                if span.after_at < at(hours) and (span.until_at is None or at(hours) <= span.until_at)
            ]
            assert (inside or [case]) == [survivor_of(case, merges, at(hours))]


def linked(case: UUID, other: UUID, hours: float) -> StoredEvent:
    """That the other one is but another name of this case."""
    return told("linked", hours, case, {"linked_id": str(other)})


@pytest.mark.parametrize("told_at", [0, 50])
def test_what_is_told_of_a_linked_name_is_of_the_case_from_the_beginning(told_at):
    of_the_name = [told("opened", 1, B), told("replied", 2, B), told("closed", 60, B)]
    found = split([*of_the_name, told("opened", 3, A), linked(A, B, told_at)])
    assert set(found) == {A}
    case = fold(found[A])
    assert (case.opened_at, case.state.value, case.first_response_at) == (at(1), "closed", at(2))
    assert spans_of(B, merges_of([linked(A, B, told_at)]))[0].case_id == A


def test_a_merge_told_of_a_linked_name_merges_the_case_that_it_names():
    merges = merges_of([merged(B, C, 10), linked(A, B, 50)])
    assert [survivor_of(case, merges, at(hours)) for case, hours in ((A, 9), (B, 9), (A, 11), (B, 11))] == [
        A,
        A,
        C,
        C,
    ]
    into = merges_of([merged(C, B, 10), linked(A, B, 50)])
    assert survivor_of(C, into) == A


def test_links_in_a_circle_and_a_second_link_count_for_nothing():
    assert merges_of([linked(A, B, 1), linked(B, A, 2)]).keys() == {B}
    assert merges_of([linked(A, B, 1), linked(C, B, 2)])[B].into == A
    assert merges_of([linked(A, A, 1)]) == {}
