"""Whatever is told of a case, in whatever order: the same case, and parts that agree."""

import itertools
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.case import CaseState, fold
from app.domain.events import EventType, StoredEvent
from app.domain.playbook import Step

from .builders import CASE_EVENTS, at, fact, reasons

_BESIDE = [
    EventType.EVENT_RETRACTED,
    EventType.SURVEY_ANSWERED,
    *(kind for kind in EventType if kind.startswith("compensation.")),
]
_said = st.fixed_dictionaries(
    {},
    optional={
        "severity": st.sampled_from(["sev1", "sev4", "bad"]),
        "location": st.sampled_from(["kyiv", "lviv"]),
        "channel": st.sampled_from(["call", "chat"]),
        "cause": st.sampled_from(["staff", "external"]),
        "human": st.booleans(),
        "due_at": st.sampled_from(["2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z", "soon"]),
        "attributes": st.dictionaries(st.sampled_from("ab"), st.integers(0, 3)),
    },
)

_CARE = [
    {},
    {"ticked": ["thank", "nonsense"], "action": "A"},
    {"ticked": ["gift"], "action": "B", "same_cause": True},
    {"compensation": "1", "amount": "5", "base_amount": "5.00", "base_currency": "UAH"},
    {"compensation": "2", "amount": "much"},
    {"answers": [{"class": "negative", "measure": "csat", "value": "1"}]},
    {"answers": [{"class": "positive", "measure": "nps", "value": "9"}]},
]


@st.composite
def histories(draw) -> list[StoredEvent]:
    """Up to twelve facts, some at one moment, some by day, some revised, some retracted."""
    events = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from([*CASE_EVENTS, *_BESIDE, EventType.CASE_OPENED]))
        said = {**draw(_said), **draw(st.sampled_from(_CARE))}
        if kind is EventType.EVENT_RETRACTED:
            said = {"event": f"e{draw(st.integers(0, 12))}"}
        thing = draw(st.sampled_from([None, None, None, "x", "y"]))
        envelope = {"object": thing, "version": Decimal(draw(st.integers(1, 3))) if thing else None}
        hours = draw(st.sampled_from([0, 1, 2, 24, 15 * 24, 16 * 24]))
        day = draw(st.sampled_from([False, False, True]))
        events.append(fact(kind.value, hours, said, id=f"e{number}", day_precision=day, **envelope))
    return events


@given(events=histories(), data=st.data())
def test_any_order_any_repetition_and_any_time_of_arrival_give_the_same_case(events, data):
    shuffled = data.draw(st.permutations(events + events[:3]))
    arrived = [replace(e, position=n, recorded_at=at(1000 + n)) for n, e in enumerate(shuffled)]
    assert fold(arrived) == fold(events)


def test_every_order_of_one_journey_gives_the_same_case():
    journey = "opened 0, acknowledged 1, promised 2, remedied 3, closed 4, reopened 5"
    events = [fact(*item.split()[:1], float(item.split()[1])) for item in journey.split(", ")]
    assert {repr(fold(order)) for order in itertools.permutations(events)} == {repr(fold(events))}


@given(events=histories())
def test_whatever_is_told_the_parts_of_a_case_agree(events):
    case = fold(events)
    assert (case.ended_as is None) is (case.ended_at is None)
    assert case.is_opened is not ("awaiting_opening" in reasons(case) or "retracted" in reasons(case))
    assert (case.state is CaseState.AWAITING_OPENING) <= (not case.is_opened)
    for before, after in itertools.pairwise(case.cycles):
        assert after.steps[Step.RECEIVED] == after.started_at
        assert {Step.CLOSED, Step.REMEDIED, Step.DECLINED} & set(
            before.steps
        ) or EventType.CASE_WITHDRAWN in {event.type for event in events}


@given(
    hours=st.lists(st.tuples(st.sampled_from(["acknowledged", "replied", "remedied"]), st.integers(-5, 5)))
)
def test_each_step_has_its_earliest_time(hours):
    case = fold([fact("opened", 0), *(fact(name, hour) for name, hour in hours)])
    steps = {"acknowledged": Step.THANKED, "replied": Step.REPLIED, "remedied": Step.REMEDIED}
    for name, step in steps.items():
        times = [at(hour) for told, hour in hours if told == name]
        assert case.steps.get(step) == min(times, default=None)
    early = {(name, hour) for name, hour in hours if hour < 0}
    assert reasons(case) == ["before_opening"] * len(early)
