"""What came after the handling: failing the customer again, winning him back; what is owed and expires."""

from __future__ import annotations

import pytest

from app.domain.case import fold
from app.domain.case.attention import next_attention
from app.domain.playbook_preset import DEFAULT_PLAYBOOKS
from app.domain.sla import calendar_preset, parse_calendar

from .builders import at, fact

WEEK = parse_calendar(calendar_preset("9x5", tz="UTC"), "9x5", 1)


def answer(hours: float, found: str, *, measure="csat", value="5", name="survey.answered"):
    said = {"answers": [{"class": found, "measure": measure, "value": value}]}
    return fact(name, hours, said, id=f"a{hours}")


def told(text: str, *others):
    events = [fact(name, float(hours)) for name, hours in (item.split() for item in text.split(", "))]
    return fold([*events, *others])


def triggers(case) -> list[str]:
    return [item.trigger.value for item in case.aftermath.deviations]


@pytest.mark.parametrize(
    ("handling", "answers", "expected"),
    [
        ("opened 0, remedied 5", [(6, "negative")], ["post_resolution_negative"]),
        ("opened 0, declined 5", [(6, "negative")], ["post_resolution_negative"]),
        ("opened 0, remedied 5", [(5, "negative")], []),
        ("opened 0, remedied 5", [(6, "neutral")], []),
        ("opened 0, remedied 5", [(0, "negative")], []),
        ("opened 0, replied 2", [(3, "negative")], ["repeat_negative"]),
        ("opened 0, acknowledged 2", [(3, "negative")], []),
        ("opened 0, remedied 5, reopened 8", [], ["reopened"]),
        ("opened 0, declined 5, reopened 8", [], []),
        ("opened 0, remedied 5, reopened 8", [(8, "negative")], ["post_resolution_negative", "reopened"]),
        (
            "opened 0, remedied 5, reopened 8, remedied 9",
            [(10, "negative")],
            ["reopened", "post_resolution_negative"],
        ),
    ],
)
def test_each_way_of_failing_a_customer_again_has_its_name(handling, answers, expected):
    assert triggers(told(handling, *(answer(hours, found) for hours, found in answers))) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"about_handling": True}, ["second_complaint"]),
        ({"same_cause": True}, ["second_complaint"]),
        ({}, []),
    ],
)
def test_a_second_complaint_counts_when_it_is_about_the_handling_or_the_same_thing(said, expected):
    assert triggers(told("opened 0, remedied 5", fact("repeated", 30, said))) == expected


def test_a_remedy_after_the_promised_time_is_a_missed_promise_and_one_in_time_is_not():
    def case(due: str):
        return fold([fact("opened", 0), fact("promised", 1, {"due_at": due}), fact("remedied", 5)])

    assert triggers(case("2026-11-02T13:00:00Z")) == ["promise_missed"]
    assert triggers(case("2026-11-02T14:00:00Z")) == []


@pytest.mark.parametrize(
    ("answers", "recovered", "ambassador", "last"),
    [
        ([(6, "positive", "csat", "5")], 6, False, "positive"),
        ([(6, "positive", "nps", "9")], 6, True, "positive"),
        ([(6, "positive", "csat", "9")], 6, False, "positive"),
        ([(7, "positive", "nps", "10"), (6, "positive", "csat", "4")], 6, True, "positive"),
        ([(6, "positive", "nps", "10"), (9, "negative", "nps", "0")], None, False, "negative"),
        ([(6, "neutral", "csat", "3")], None, False, "neutral"),
        ([(4, "positive", "csat", "5")], None, False, None),
        ([(6, "silent", "csat", None)], None, False, None),
    ],
)
def test_a_customer_is_recovered_by_a_contented_answer_that_nothing_contradicts(
    answers, recovered, ambassador, last
):
    case = told("opened 0, remedied 5", *(answer(h, c, measure=m, value=v) for h, c, m, v in answers))
    after = case.aftermath
    assert after.recovered_at == (None if recovered is None else at(recovered))
    assert (after.is_ambassador, after.resurvey_class) == (ambassador, last)


def test_an_answer_between_two_cycles_recovers_nobody():
    case = told("opened 0, remedied 5, reopened 8", answer(6, "positive"))
    assert case.aftermath.recovered_at is None


def test_a_retracted_answer_never_was():
    case = told("opened 0, remedied 5", answer(6, "negative"), fact("event.retracted", 7, {"event": "a6"}))
    assert triggers(case) == []


def test_the_author_is_verified_by_the_last_word_and_may_be_asked_again():
    assert told("opened 0").dialogue is None
    for text, state in (
        ("opened 0, verification_requested 1", "requested"),
        ("opened 0, verification_requested 1, verified 2", "verified"),
        ("opened 0, verification_requested 1, unverified 2, verification_requested 3", "requested"),
        ("opened 0, verification_requested 1, verification_expired 2, verified 3", "verified"),
    ):
        assert told(text).dialogue.state == state


def test_time_expires_a_verification_and_closes_a_case_that_waits_in_vain():
    def pending(text: str):
        found = next_attention(told(text), DEFAULT_PLAYBOOKS, WEEK)
        return None if found is None else (found.event.value, found.at)

    # T0 is Monday 9:00 UTC: eight working days on is Wednesday 18:00, ten are Friday 18:00
    assert pending("opened 0") is None
    assert pending("opened 0, verification_requested 1") == ("case.verification_expired", at(1 + 7 * 24))
    assert pending("opened 0, verification_requested 1, unverified 2") is None
    assert pending("opened 0, waiting_customer 0") == ("case.closing_notified", at(9 * 24 + 9))
    told_then = "opened 0, waiting_customer 0, closing_notified 225"
    assert pending(told_then) == ("case.closed", at(11 * 24 + 9))
    late = "opened 0, waiting_customer 0, closing_notified 288"
    assert pending(late) == ("case.closed", at(15 * 24 + 9))
    assert pending("opened 0, waiting_customer 0, resumed 5") is None


def test_the_word_owed_to_a_customer_begins_with_the_deployment_and_ends_when_it_is_said():
    def owed(*names: str) -> list[bool]:
        events = [fact(name, n, {"action": "A"}) for n, name in enumerate(names, start=1)]
        return [link.is_owed for link in fold([fact("opened", 0), *events]).links]

    assert owed("action_linked") == [False]
    assert owed("action_linked", "improvement_deployed") == [True]
    assert owed("action_linked", "improvement_deployed", "improvement_informed") == [False]
    assert owed("improvement_informed", "improvement_deployed") == [False]
