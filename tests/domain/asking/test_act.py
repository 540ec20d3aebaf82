"""What one contact comes to: which silence counts, whatever the order in which its facts are read."""

from itertools import permutations

import pytest

from app.domain.asking.act import read_act, silences, silent_events
from tests.domain.asking.builders import act_of, at, fact

HOUR = 3600.0


def counted(told: str) -> list[str]:
    """Types of the silent events that count; the same for every order of the facts."""
    facts = act_of(told)
    found = {silent_events(order) for order in permutations(facts)}
    assert len(found) == 1
    return sorted(event.type.value for event in facts if event.event_id in next(iter(found)))


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ("started 0, timed_out 1", ["survey.timed_out"]),
        ("started 0, timed_out 1, answered 5", []),
        ("started 0, refused 0.5", ["survey.refused"]),
        ("started 0, refused 0.5, timed_out 1", ["survey.refused"]),
        ("started 0, refused 0.5, answered 2", []),
        ("started 0, timed_out 1, not_reached 2", []),
        ("started 0, timed_out 4, not_reached 2, started 3", ["survey.timed_out"]),
        ("refused 1 none", ["survey.refused"]),
        ("refused 1 none, refused 2 none", ["survey.refused"]),
        ("started 0, refused 1 none", []),
        ("started 0, refused 1 none, timed_out 1", ["survey.timed_out"]),
        ("started 0 none, timed_out 1 none, answered 2 office", []),
        ("started 0, started 0 office, answered 1, timed_out 2 office", ["survey.timed_out"]),
    ],
)
def test_one_silence_counts_for_each_question_without_an_answer(told: str, counts: list[str]) -> None:
    assert counted(told) == counts


@pytest.mark.parametrize(
    ("told", "due"),
    [
        ("started 0", [("staff", 1.0, "timed_out")]),
        ("started 0, started 5", [("staff", 6.0, "timed_out")]),
        ("started 0, answered 0.5", []),
        ("started 0, not_reached 0.1", []),
        ("started 0, timed_out 1", []),
        ("started 0, started 0 office, answered 0.5", [("office", 1.0, "timed_out")]),
        ("started 0, refused 0.2 none", [("staff", 0.2, "refused")]),
        ("started 0, refused 0.2", []),
        ("answered 1", []),
    ],
)
def test_what_is_still_open_is_silent_when_its_time_is_over(told: str, due: list[object]) -> None:
    for order in permutations(act_of(told)):
        waiting = silences(read_act(order), lambda _started: HOUR)
        assert [(item.question, item.at, item.reason) for item in waiting] == [
            (question, at(hours), reason) for question, hours, reason in due
        ]


def test_a_late_answer_that_is_taken_back_leaves_the_silence_standing() -> None:
    facts = act_of("started 0, timed_out 1, answered 5")
    back = fact("event.retracted", 6, event=facts[2].external_id)
    assert silent_events(facts) == frozenset()
    assert silent_events([*facts, back]) == {facts[1].event_id}


def test_a_silence_that_somebody_took_back_is_not_stated_again() -> None:
    facts = act_of("started 0, timed_out 1")
    back = fact("event.retracted", 6, event=facts[1].external_id)
    act = read_act([*facts, back])
    assert act.told == {}
    assert silences(act, lambda _started: HOUR) == []


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ("started 0", "pending"),
        ("started 0, timed_out 1", "silent"),
        ("started 0, timed_out 1, answered 2", "answered"),
        ("started 0, not_reached 2", "not_reached"),
        ("started 0, refused 2", "refused"),
    ],
)
def test_the_outcome_of_an_act(told: str, outcome: str) -> None:
    assert read_act(act_of(told)).outcome == outcome
