"""Policy documents: the preset, the matching of rules, the plan over time, and every refusal."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from app.domain.errors import InvalidError
from app.domain.events import SubjectKind
from app.domain.sla import (
    ClockState,
    Pin,
    Policy,
    TimerPlan,
    default_policy_document,
    parse_policy,
    plan_timers,
    read_plan,
)

from .builders import an_event, around_the_clock, at, office

TIMER = {
    "key": "reply",
    "subject": "case",
    "start": ["case.opened"],
    "stop": ["case.replied"],
    "due": {"duration": "PT1H"},
}
KNOWN = {"9x5"}
PRESET = parse_policy(default_policy_document(), "default", 1, KNOWN)
OFFICE = {"9x5": office()}


def policy(*rules: dict[str, Any], **keys: Any) -> Policy:
    return parse_policy({"format": 1, "calendar": "9x5", "rules": list(rules)} | keys, "test", 1, KNOWN)


def keys(plans: tuple[TimerPlan, ...]) -> list[str]:
    return [plan.key for plan in plans]


# --- the preset -------------------------------------------------------------------------------------


def test_the_preset_survives_json_and_is_accepted() -> None:
    document = json.loads(json.dumps(default_policy_document("9x5")))
    assert parse_policy(document, "default", 1, KNOWN) == PRESET


@pytest.mark.parametrize(
    ("severity", "acknowledge", "first_response", "remedy"),
    [
        ("sev1", "2026-03-04 10:15", "2026-03-04 11:00", "2026-03-05 10:00"),
        ("sev2", "2026-03-04 11:00", "2026-03-04 14:00", "2026-03-09 10:00"),
        ("sev3", "2026-03-04 14:00", "2026-03-05 10:00", "2026-03-11 10:00"),
        ("sev4", "2026-03-05 10:00", "2026-03-06 10:00", "2026-03-18 10:00"),
    ],
)
def test_the_preset_has_the_targets_of_the_domain_table(
    severity: str, acknowledge: str, first_response: str, remedy: str
) -> None:
    opened = an_event("case.opened", "2026-03-04 10:00", severity=severity, kind="complaint")
    plans = plan_timers(PRESET, {"subject": "case"}, [opened], OFFICE)
    dues = {plan.key: read_plan(plan, [opened], opened.occurred_at) for plan in plans}
    assert {key: readings[0].due_at for key, readings in dues.items() if readings} == {
        "acknowledge": at(acknowledge),
        "first_response": at(first_response),
        "remedy": at(remedy),
    }
    assert dues["given_due"] == ()


def test_the_preset_takes_the_due_time_that_a_case_brings() -> None:
    opened = an_event("case.opened", "2026-03-04 10:00", due_at="2026-03-20T00:00:00Z")
    plans = {plan.key: plan for plan in plan_timers(PRESET, {"subject": "case"}, [opened], OFFICE)}
    (reading,) = read_plan(plans["given_due"], [opened], opened.occurred_at)
    assert reading.due_at == at("2026-03-20 00:00")


def test_the_preset_misses_a_feedback_offer_after_twenty_minutes() -> None:
    ended = an_event("interaction.ended", "2026-03-07 10:00")
    (plan,) = plan_timers(PRESET, {"subject": "interaction"}, [ended], OFFICE)
    (running,) = read_plan(plan, [ended], at("2026-03-07 10:20"))
    (missed,) = read_plan(plan, [ended], at("2026-03-07 10:20:01"))
    assert (running.state, missed.state) == (ClockState.RUNNING, ClockState.BREACHED)
    received = an_event("feedback.received", "2026-03-07 10:05")
    (met,) = read_plan(plan, [ended, received], at("2026-03-07 10:30"))
    assert met.state is ClockState.MET


def test_an_internal_case_promises_no_reply() -> None:
    facing = PRESET.match({"subject": "case", "severity": "sev3", "customer_facing": True})
    internal = PRESET.match({"subject": "case", "severity": "sev3", "customer_facing": False})
    assert [timer.key for timer in internal] == ["remedy", "given_due"]
    assert len(facing) == 4


def test_the_preset_halves_the_remedy_after_a_reopening_and_pauses_only_that() -> None:
    events = [
        an_event("case.opened", "2026-03-04 10:00", severity="sev1"),
        an_event("case.waiting_customer", "2026-03-04 10:01"),
    ]
    plans = plan_timers(PRESET, {"subject": "case"}, events, OFFICE)
    states = {plan.key: read_plan(plan, events, at("2026-03-04 10:10")) for plan in plans}
    assert [states[key][0].state for key in ("remedy", "acknowledge", "first_response")] == [
        ClockState.PAUSED,
        ClockState.RUNNING,
        ClockState.RUNNING,
    ]
    remedied = [
        *events,
        an_event("case.remedied", "2026-03-04 11:00"),
        an_event("case.reopened", "2026-03-05 10:00"),
    ]
    (plan,) = (plan for plan in plans if plan.key == "remedy")
    assert read_plan(plan, remedied, at("2026-03-05 11:00"))[1].target_seconds == 12 * 3600


# --- matching ---------------------------------------------------------------------------------------


def timed(key: str, **more: Any) -> dict[str, Any]:
    return TIMER | {"key": key} | more


def test_the_first_rule_that_holds_gives_the_timers() -> None:
    found = policy(
        {"when": {"channel": ["chat", "app"], "attributes": {"vip": True}}, "timers": [timed("vip")]},
        {"when": {"channel": "chat"}, "timers": [timed("chat")]},
        {"timers": [timed("rest")]},
    )

    def match(**facts: Any) -> list[str]:
        return [timer.key for timer in found.match({"subject": "case", **facts})]

    assert match(channel="chat", attributes={"vip": True}) == ["vip"]
    assert match(channel="chat", attributes={"vip": 1}) == ["chat"]
    assert match(channel="chat", attributes=None) == ["chat"]
    assert match(channel=["chat"]) == ["rest"]
    assert match() == ["rest"]


def test_a_rule_for_cases_does_not_hide_the_one_for_interactions() -> None:
    offer = timed("offer", subject="interaction", start=["interaction.ended"], stop=["feedback.offered"])
    found = policy({"timers": [timed("reply")]}, {"timers": [offer]})
    assert [timer.key for timer in found.match({"subject": "interaction"})] == ["offer"]
    assert found.match({"subject": "order"}) == ()


def test_a_rule_without_timers_promises_nothing() -> None:
    found = policy({"when": {"channel": "letter"}, "timers": []}, {"timers": [timed("reply")]})
    assert found.match({"subject": "case", "channel": "letter"}) == ()
    assert len(found.match({"subject": "case", "channel": "call"})) == 1


def test_a_policy_tells_which_events_can_move_its_timers() -> None:
    watched = PRESET.watches(SubjectKind.CASE)
    assert {"case.opened", "case.customer_contacted", "case.reopened", "case.merged"} <= watched
    assert "case.assigned" not in watched
    assert PRESET.watches(SubjectKind.ORDER) == frozenset()


# --- the plan over time -----------------------------------------------------------------------------

OPENED = an_event("case.opened", "2026-03-04 10:00", severity="sev3", kind="complaint")
RAISED = an_event("case.assessed", "2026-03-04 12:00", severity="sev1")


def remedy(events: list[Any], as_of: str, **more: Any) -> Any:
    plans = plan_timers(PRESET, {"subject": "case"}, events, OFFICE, **more)
    (plan,) = (plan for plan in plans if plan.key == "acknowledge")
    (reading,) = read_plan(plan, events, at(as_of))
    return reading


def test_a_severity_acts_from_when_it_was_assessed() -> None:
    assert remedy([RAISED, OPENED], "2026-03-04 11:59").due_at == at("2026-03-04 14:00")
    raised = remedy([RAISED, OPENED], "2026-03-04 12:00")
    assert (raised.due_at, raised.breach_reason) == (at("2026-03-04 10:15"), "severity_change")
    assert raised.fell_due_at == RAISED.occurred_at


def test_an_assessment_that_says_the_same_or_nonsense_changes_nothing() -> None:
    same = an_event("case.assessed", "2026-03-04 12:00", severity="sev3", kind="complaint")
    nonsense = an_event("case.assessed", "2026-03-04 12:00", severity="high")
    for event in (same, nonsense):
        plans = plan_timers(PRESET, {"subject": "case"}, [OPENED, event], OFFICE)
        assert all(len(plan.versions) == 1 for plan in plans)


def test_a_case_without_a_severity_is_ordinary_until_it_is_assessed() -> None:
    bare = an_event("case.opened", "2026-03-04 10:00")
    assert remedy([bare], "2026-03-04 10:00").target_seconds == 4 * 3600


def test_a_policy_pinned_on_reopening_binds_the_new_cycle_only() -> None:
    strict = policy({"timers": [timed("acknowledge", stop=["case.acknowledged"], due={"duration": "PT5M"})]})
    reopened = an_event("case.reopened", "2026-03-06 10:00")
    events = [OPENED, an_event("case.acknowledged", "2026-03-04 11:00"), reopened]
    pins = (Pin(reopened.occurred_at, strict, OFFICE),)
    plans = plan_timers(PRESET, {"subject": "case"}, events, OFFICE, pins)
    (plan,) = (plan for plan in plans if plan.key == "acknowledge")
    first, second = read_plan(plan, events, at("2026-03-06 10:01"))
    assert (first.target_seconds, second.target_seconds) == (4 * 3600, 300)
    assert (first.state, second.state) == (ClockState.MET, ClockState.RUNNING)


def test_a_calendar_that_is_not_at_hand_is_an_error_and_not_a_wrong_deadline() -> None:
    with pytest.raises(InvalidError) as refused:
        plan_timers(PRESET, {"subject": "case"}, [OPENED], {"24x7": around_the_clock()})
    assert refused.value.reason == "unknown_calendar"


# --- refusals ---------------------------------------------------------------------------------------

HUGE = 10**400
BAD_TIMERS: list[tuple[dict[str, Any], str, str]] = [
    ({"colour": 1}, "unknown_key", "/colour"),
    ({"key": "Reply!"}, "not_a_key", "/key"),
    ({"subject": "ticket"}, "unknown_choice", "/subject"),
    ({"start": []}, "no_events", "/start"),
    ({"stop": []}, "no_events", "/stop"),
    ({"stop": ["case.answered"]}, "unknown_event", "/stop/0"),
    ({"stop": ["sla.met"]}, "derived_event", "/stop/0"),
    ({"start": ["sla.breached"]}, "timer_cycle", "/start"),
    ({"start": ["sla.met"]}, "derived_event", "/start/0"),
    ({"subject": "interaction", "start": ["interaction.ended"]}, "never_stops", "/stop"),
    ({"subject": "order", "stop": ["customer.notified"]}, "never_starts", "/start"),
    ({"due": {}}, "missing_due", "/due"),
    ({"due": {"duration": "PT0S"}}, "zero_target", "/due/duration"),
    ({"due": {"duration": {"hours": 0}}}, "zero_target", "/due/duration/hours"),
    ({"due": {"duration": {"minutes": -5}}}, "zero_target", "/due/duration/minutes"),
    ({"due": {"duration": {}}}, "zero_target", "/due/duration"),
    ({"due": {"duration": {"seconds": 0.2}}}, "zero_target", "/due/duration"),
    ({"due": {"duration": {"hours": HUGE}}}, "target_too_long", "/due/duration/hours"),
    ({"due": {"duration": {"hours": math.inf}}}, "not_a_number", "/due/duration/hours"),
    ({"due": {"duration": {"hours": math.nan}}}, "not_a_number", "/due/duration/hours"),
    ({"due": {"duration": {"hours": True}}}, "not_a_number", "/due/duration/hours"),
    ({"due": {"duration": {"days": 4000}}}, "target_too_long", "/due/duration"),
    ({"due": {"duration": {"business_days": 4000}}}, "target_too_long", "/due/duration"),
    ({"due": {"duration": "P1M"}}, "bad_duration", "/due/duration"),
    ({"due": {"duration": "PT"}}, "bad_duration", "/due/duration"),
    ({"due": {"duration": "PT1H", "clock": "lunar"}}, "unknown_choice", "/due/clock"),
    ({"due": {"duration": "P2D", "clock": "business"}}, "ambiguous_days", "/due/duration"),
    ({"due": {"duration": {"days": 2}, "clock": "business"}}, "ambiguous_days", "/due/duration/days"),
    ({"due": {"duration": {"business_days": 2}, "clock": "elapsed"}}, "mixed_clocks", "/due/duration"),
    ({"due": {"duration": {"business_days": 2, "days": 1}}}, "mixed_clocks", "/due/duration"),
    ({"due": {"duration": "PT1H", "from_event": "due_at"}}, "ambiguous_due", "/due"),
    ({"due": {"calendar_rule": {"close_of_business_day": 0}}}, "target_out_of_range",
     "/due/calendar_rule/close_of_business_day"),
    ({"due": {"min_of": [{"duration": "PT1H"}]}}, "too_few_parts", "/due/min_of"),
    ({"due": {"min_of": [{"duration": "PT1H"}, {"min_of": []}]}}, "nested_min_of", "/due/min_of/1/min_of"),
    ({"window": {"not_after": "PT1H"}}, "ambiguous_due", ""),
    ({"window": {"not_before": "PT1H"}}, "empty_window", "/window"),
    ({"clock_kind": "statutory", "pause": ["waiting_customer"]}, "statutory_pause", "/pause"),
    ({"due": {"from_event": "due_at"}, "pause": ["waiting_customer"]}, "pause_moves_nothing", "/pause"),
    ({"pause": ["sleeping"]}, "unknown_state", "/pause/0"),
    ({"pause": [{"start": ["case.assigned"], "stop": ["case.assigned"]}]}, "pause_ends_itself", "/pause/0"),
    ({"warnings": [101]}, "percent_out_of_range", "/warnings/0"),
    ({"warnings": [0]}, "percent_out_of_range", "/warnings/0"),
    ({"warnings": [75, {"percent": 75}]}, "duplicate_warning", "/warnings/1"),
    ({"warnings": [{"before": "PT1H", "percent": 3}]}, "ambiguous_warning", "/warnings/0"),
    ({"escalation": [{"percent": 100, "to": "boss"}]}, "unknown_role", "/escalation/0/to"),
    ({"escalation": [{"percent": 5000, "to": "manager"}]}, "percent_out_of_range", "/escalation/0/percent"),
    ({"escalation": [{"percent": 150, "to": "manager"}, {"percent": 100, "to": "assignee"}]},
     "unordered_escalation", "/escalation"),
    ({"reopen": {"mode": "sometimes"}}, "unknown_choice", "/reopen/mode"),
    ({"reopen": {"target_factor": 0}}, "out_of_range", "/reopen/target_factor"),
    ({"reopen": {"mode": "first_resolution", "target_factor": 0.5}}, "factor_without_cycle",
     "/reopen/target_factor"),
    ({"repeat": "forever"}, "unknown_choice", "/repeat"),
    ({"announce": "later"}, "unknown_choice", "/announce"),
    ({"notice_hours": "lunch"}, "unknown_choice", "/notice_hours"),
    ({"events": {"breached": "case.assigned"}}, "unknown_event", "/events/breached"),
    ({"events": {"broken": "sla.breached"}}, "unknown_key", "/events/broken"),
    ({"calendar": "8x4"}, "unknown_calendar", "/calendar"),
    ({"human_only": "yes"}, "not_a_boolean", "/human_only"),
    ({"alternatives": [{"event": "case.replied", "when": {"a": []}}]}, "not_a_scalar",
     "/alternatives/0/when/a"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason", "place"), BAD_TIMERS)
def test_a_timer_that_cannot_be_right_is_refused_with_its_place(
    change: dict[str, Any], reason: str, place: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        policy({"timers": [TIMER | change]})
    assert (refused.value.reason, refused.value.pointer) == (reason, f"/rules/0/timers/0{place}")


def test_a_cycle_through_another_timer_is_refused() -> None:
    renamed = {"events": {"breached": "feedback_offer.missed"}}
    with pytest.raises(InvalidError) as refused:
        policy(
            {
                "timers": [
                    TIMER | renamed | {"start": ["sla.breached"]},
                    TIMER | {"key": "other", "start": ["feedback_offer.missed"]},
                ]
            }
        )
    assert refused.value.reason == "timer_cycle"


@pytest.mark.parametrize(
    ("document", "reason", "pointer"),
    [
        ({}, "missing_key", ""),
        ({"format": 2, "calendar": "9x5", "rules": []}, "unknown_format", "/format"),
        ({"format": True, "calendar": "9x5", "rules": []}, "unknown_format", "/format"),
        ({"format": 1, "calendar": "8x5", "rules": []}, "unknown_calendar", "/calendar"),
        ({"format": 1, "calendar": "9x5", "rules": []}, "no_rules", "/rules"),
        ({"format": 1, "calendar": "9x5", "rules": {}}, "not_an_array", "/rules"),
        ({"format": 1, "calendar": "9x5", "rules": [[]]}, "not_an_object", "/rules/0"),
        (
            {"format": 1, "calendar": "9x5", "rules": [{"timers": []}], "effective_from": "2026-10-01"},
            "bad_time",
            "/effective_from",
        ),
    ],
)
def test_a_policy_that_cannot_be_right_is_refused_with_its_place(
    document: dict[str, Any], reason: str, pointer: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_policy(document, "test", 1, KNOWN)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


@pytest.mark.parametrize(
    ("rules", "reason", "pointer"),
    [
        ([{"timers": [TIMER, TIMER]}], "duplicate_timer", "/rules/0/timers/1"),
        ([{"when": {"subject": "order"}, "timers": [TIMER]}], "wrong_subject", "/rules/0/timers/0"),
        ([{"when": {"severity": "high"}, "timers": []}], "unknown_value", "/rules/0/when/severity"),
        ([{"when": {"weather": "wet"}, "timers": []}], "unknown_key", "/rules/0/when/weather"),
        ([{"when": {"kind": []}, "timers": []}], "never_matches", "/rules/0/when/kind"),
        ([{"when": {"kind": {}}, "timers": []}], "not_a_scalar", "/rules/0/when/kind"),
        ([{"timers": [TIMER]}, {"when": {"kind": "x"}, "timers": [TIMER]}], "unreachable_rule", "/rules/1"),
    ],
)
def test_a_rule_that_cannot_be_right_is_refused_with_its_place(
    rules: list[dict[str, Any]], reason: str, pointer: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        policy(*rules)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


def test_a_misspelt_key_names_the_nearest() -> None:
    with pytest.raises(InvalidError) as refused:
        policy({"timers": [TIMER | {"warning": [75]}]})
    assert refused.value.cure == "Did you mean 'warnings'?"
