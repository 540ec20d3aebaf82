"""Events that count only when they say something: branches of a tree, shared starts, added timers."""

from __future__ import annotations

import pytest

from app.domain.errors import InvalidError
from app.domain.sla import ClockState, read

from .builders import DAY, OPENED, a_policy, a_timer, an_event, at, one, timed


@pytest.mark.parametrize(
    ("cause", "starts"),
    [
        ("staff", True),
        ("staff.rudeness", True),
        ("staffing", False),
        ("external.carrier", False),
        (None, False),
    ],
)
def test_a_branch_of_a_tree_holds_what_grows_on_it(cause: str | None, starts: bool) -> None:
    timer = a_timer(start=[{"event": "case.assessed", "when": {"cause": "staff.*"}}])
    assessed = an_event("case.assessed", "2026-03-04 10:00", cause=cause)
    assert bool(read(timer, DAY, [assessed], at("2026-03-04 10:10"))) is starts


def test_a_stop_that_says_something_else_is_no_stop() -> None:
    timer = a_timer(stop=[{"event": "case.replied", "when": {"outcome": ["final", "holding"]}}])
    chat = an_event("case.replied", "2026-03-04 10:20", outcome="chat")
    final = an_event("case.replied", "2026-03-04 10:40", outcome="final")
    assert one(timer, DAY, [OPENED, chat], at("2026-03-04 10:50")).state is ClockState.RUNNING
    assert one(timer, DAY, [OPENED, chat, final], at("2026-03-04 10:50")).state is ClockState.MET


def test_one_start_for_many_customers_makes_a_cycle_for_each_with_an_id_of_its_own() -> None:
    timer = a_timer(
        subject="action",
        start=["corrective_action.deployed"],
        stop=["customer.notified"],
        correlate_by="case",
    )
    deployed = an_event("corrective_action.deployed", "2026-03-04 10:00")
    linked = [an_event("corrective_action.opened", "2026-03-04 09:00", case=name) for name in ("a", "b")]
    timer_b = an_event("customer.notified", "2026-03-04 10:30", case="b")
    readings = read(timer, DAY, [deployed, *linked, timer_b], at("2026-03-04 12:00"))
    alone = read(timer, DAY, [deployed], at("2026-03-04 12:00"))
    assert len({reading.cycle for reading in readings}) == len(readings)
    assert [reading.cycle for reading in alone] == [deployed.event_id]
    assert [reading.state for reading in readings].count(ClockState.MET) == 1
    assert [reading.concerns for reading in readings if reading.state is ClockState.MET] == ["b"]


def test_a_due_time_may_be_that_of_an_earlier_promise_and_the_latest_one_counts() -> None:
    timer = a_timer(
        subject="order",
        start=["order.delay_predicted"],
        stop=["customer.notified"],
        due={"from_event": "promised_at", "of": "order.promised"},
    )
    promises = [
        an_event("order.promised", "2026-03-01 10:00", promised_at="2026-03-05T10:00:00Z"),
        an_event("order.promised", "2026-03-02 10:00", promised_at="2026-03-06T10:00:00Z"),
    ]
    late = an_event("order.delay_predicted", "2026-03-04 10:00")
    own = an_event("order.delay_predicted", "2026-03-04 10:00", promised_at="2026-03-04T12:00:00Z")
    assert one(timer, DAY, [late, *promises], at("2026-03-04 11:00")).due_at == at("2026-03-06 10:00")
    assert one(timer, DAY, [own, *promises], at("2026-03-04 11:00")).due_at == at("2026-03-04 12:00")
    assert read(timer, DAY, [late], at("2026-03-04 11:00")) == ()


def test_a_reopening_ends_a_cycle_that_waits_for_the_next_start() -> None:
    timer = a_timer(start=["case.remedied"], stop=["case.resurveyed"], reopen={"mode": "next_start"})
    events = [
        an_event("case.remedied", "2026-03-04 10:00"),
        an_event("case.reopened", "2026-03-04 10:10"),
        an_event("case.remedied", "2026-03-04 10:30"),
    ]
    first, second = read(timer, DAY, events, at("2026-03-04 10:40"))
    assert (first.state, second.state, second.number) == (ClockState.CANCELLED, ClockState.RUNNING, 2)
    again = read(timer, DAY, [*events, an_event("case.remedied", "2026-03-04 10:35")], at("2026-03-04 10:40"))
    assert len(again) == 2, "a start while it runs is no further cycle"


def test_rules_that_add_run_beside_the_first_that_matches() -> None:
    policy = a_policy(
        {"also": True, "when": {"kind": "complaint"}, "timers": [timed("law", clock_kind="statutory")]},
        {"when": {"severity": "sev1"}, "timers": [timed("fast")]},
        {"timers": [timed("usual")]},
    )
    facts = {"subject": "case", "severity": "sev1"}
    assert [timer.key for timer in policy.match({**facts, "kind": "complaint"})] == ["law", "fast"]
    assert [timer.key for timer in policy.match({**facts, "kind": "question"})] == ["fast"]
    assert policy.has_statutory


def test_a_rule_that_adds_a_timer_of_the_same_name_or_none_is_refused() -> None:
    for timers, reason in (([timed("usual")], "duplicate_timer"), ([], "adds_nothing")):
        with pytest.raises(InvalidError) as refused:
            a_policy({"timers": [timed("usual")]}, {"also": True, "timers": timers})
        assert refused.value.reason == reason
