"""What feedback does to the cases that it names: by what is known by now, in whatever order it was told."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from app.domain.case import Complaint, Consequence, LateReopening, Opens, Reopens, follow
from app.domain.case_opening import reopened_case_ref
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind

from .builders import fact
from .test_merging import A, B, merged, taken_back, told

DAY = 24
HOMES = {Subject(SubjectKind.CASE, "A"): A, Subject(SubjectKind.CASE, "B"): B}
OWN = "vidhuk"


def says(hours: float, ref: str = "A", *, signed: bool = True) -> Complaint:
    """A bad word about the case of this reference."""
    event = fact("feedback.received", hours, id=f"word@{hours:g}:{ref}")
    own = Subject(SubjectKind.CASE, f"own@{hours:g}") if signed else None
    return Complaint(event, Subject(SubjectKind.CASE, ref), own)


def consequences(facts: list[StoredEvent], *complaints: Complaint) -> list[str]:
    """What follows, in words: `opens A@1`, `reopens A@3`, `opens own@400 after A`, `continues A@400`."""
    found: list[str] = []

    def state(consequence: Consequence) -> StoredEvent:
        is_late = isinstance(consequence, LateReopening)
        cause = consequence.event if is_late else consequence.cause
        kind = EventType.CASE_REOPENED if isinstance(consequence, Reopens) else EventType.CASE_OPENED
        ref = reopened_case_ref("crm", cause.external_id) if is_late else consequence.subject.ref
        home = HOMES.get(Subject(SubjectKind.CASE, ref)) or uuid5(NAMESPACE_URL, ref)
        found.append(_in_words(consequence, ref))
        return replace(
            cause,
            type=kind,
            event_id=uuid5(home, f"{cause.event_id}"),
            source=OWN,
            subject_id=home,
            external_id=f"{kind}:{cause.event_id}",
            caused_by=cause.event_id,
            fact={"continues_id": str(consequence.case_id)} if is_late else {},
        )

    reopenings = [event for event in facts if event.type is EventType.CASE_REOPENED]
    follow(facts, complaints, reopenings, HOMES, state)
    return found


def _in_words(consequence: Consequence, ref: str) -> str:
    match consequence:
        case Opens(cause, subject, None):
            return f"opens {subject.ref}@{_hours(cause)}"
        case Opens(_, subject, UUID() as settled):
            return f"opens {subject.ref} after {_name(settled)}"
        case Reopens(cause, subject):
            return f"reopens {subject.ref}@{_hours(cause)}"
        case LateReopening():
            return f"{ref} continues {_name(consequence.case_id)}"
    raise AssertionError(consequence)


def _hours(cause: StoredEvent) -> str:
    return cause.external_id.partition("@")[2].partition(":")[0]


def _name(case_id: UUID) -> str:
    return {A: "A", B: "B"}.get(case_id, "another")


OPENED = told("opened", 0, A)
CLOSED = told("closed", 2, A)


@pytest.mark.parametrize(
    ("facts", "complaints", "expected"),
    [
        ([], [says(1)], ["opens A@1"]),
        ([], [says(1), says(3)], ["opens A@1"]),
        ([OPENED], [says(1)], []),
        ([told("opened", 1, A)], [says(1)], []),
        ([told("opened", 2, A)], [says(1)], ["opens A@1"]),
        ([OPENED, CLOSED], [says(1)], []),
        ([OPENED, CLOSED], [says(2)], []),
        ([OPENED, CLOSED], [says(3), says(4)], ["reopens A@3"]),
        ([OPENED, CLOSED, told("reopened", 3, A)], [says(3)], []),
        ([OPENED, CLOSED, told("reopened", 4, A)], [says(3)], ["reopens A@3"]),
        ([OPENED, told("remedied", 1, A)], [says(3)], ["reopens A@3"]),
        ([OPENED, told("declined", 1, A)], [says(3)], ["reopens A@3"]),
        ([OPENED, told("withdrawn", 1, A)], [says(3)], ["reopens A@3"]),
        ([OPENED, told("marked_invalid", 1, A)], [says(3)], ["opens own@3 after A"]),
        ([OPENED, CLOSED], [says(2 + 14 * DAY)], ["reopens A@338"]),
        ([OPENED, CLOSED], [says(3 + 14 * DAY)], ["opens own@339 after A"]),
        ([OPENED, CLOSED, taken_back(CLOSED)], [says(3)], []),
        ([CLOSED], [says(1), says(3)], ["opens A@1", "reopens A@3"]),
        ([CLOSED], [says(3)], ["opens A@3"]),
    ],
)  # fmt: skip
def test_feedback_opens_joins_reopens_or_goes_its_own_way(facts, complaints, expected):
    assert consequences(facts, *complaints) == expected


def test_a_press_that_nobody_signed_goes_to_the_next_internal_case_of_its_day():
    presses = [says(hours, "A", signed=False) for hours in (1, 3, 4)]
    assert consequences([CLOSED], *presses) == ["opens A@1", "opens A#2@3"]


@pytest.mark.parametrize(("at", "expected"), [(2.5, []), (4, ["reopens A@3"])])
def test_feedback_is_about_the_case_that_its_own_was_merged_into(at, expected):
    facts = [OPENED, CLOSED, told("opened", 0, B), merged(A, B, at)]
    assert consequences(facts, says(3)) == expected


def test_what_a_source_reopens_too_late_goes_on_as_a_new_case_that_later_words_join():
    late = told("reopened", 20 * DAY, A)
    name = f"reopened:crm:{late.external_id}"
    assert consequences([OPENED, CLOSED, late], says(20 * DAY), says(21 * DAY)) == [f"{name} continues A"]
    again = says(19 * DAY)
    assert consequences([OPENED, CLOSED, late], again) == ["opens own@456 after A", f"{name} continues A"]


def test_the_order_in_which_things_are_told_changes_nothing():
    dice = Random(7)
    kinds = ("opened", "remedied", "closed", "declined", "withdrawn", "reopened", "acknowledged")
    for _ in range(200):
        facts = [told(dice.choice(kinds), dice.randint(0, 60) * 12, dice.choice((A, B))) for _ in range(8)]
        facts = list({event.event_id: event for event in facts}.values())
        facts.append(merged(*dice.sample((A, B), 2), dice.randint(0, 700)))
        hours = dice.sample(range(1, 720), 6)
        words = [says(hour, dice.choice("AB"), signed=dice.random() < 0.8) for hour in hours]
        expected = consequences(facts, *words)
        for _ in range(4):
            dice.shuffle(facts)
            dice.shuffle(words)
            assert consequences(facts, *words) == expected
