"""Policies and timers that could never be right: each refused with its reason and its place."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app.domain.errors import InvalidError
from app.domain.sla import default_policy_document, parse_policy, refuse_unreachable

from .builders import KNOWN, TIMER, a_policy

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
    ({"stop": ["case.opened"]}, "never_stops", "/stop"),
    ({"stop": ["order.delivered"]}, "never_stops", "/stop"),
    ({"start": ["debrief.opened"]}, "never_starts", "/start"),
    ({"late_by": {"business_hours": 2}}, "mixed_clocks", "/late_by"),
    ({"late_by": {"hours": 0}}, "zero_target", "/late_by/hours"),
    ({"due": {}}, "missing_due", "/due"),
    ({"due": {"from_event": "due_att"}}, "unknown_field", "/due/from_event"),
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
    ({"start": [{"event": "case.opened", "when": {"kind": []}}]}, "never_matches", "/start/0/when/kind"),
    ({"start": [{"event": "case.opened", "when": {"kind": {}}}]}, "not_a_scalar", "/start/0/when/kind"),
    ({"start": [{"event": "case.opened", "count": 2}]}, "unknown_key", "/start/0/count"),
    ({"start": [{"when": {"kind": "complaint"}}]}, "missing_key", "/start/0"),
    ({"stop": [{"event": "case.replied", "distinct": "step"}]}, "missing_key", "/stop/0"),
    ({"stop": [{"event": "case.replied", "distinct": "step", "count": 1}]}, "out_of_range", "/stop/0/count"),
    ({"stop": [{"event": "sla.met"}]}, "derived_event", "/stop/0/event"),
    ({"due": {"duration": "PT1H", "of": "case.promised"}}, "unknown_key", "/due/of"),
    ({"due": {"from_event": "due_at", "of": "case.promise"}}, "unknown_event", "/due/of"),
    ({"basis": ""}, "not_text", "/basis"),
    ({"human_only": "yes"}, "not_a_boolean", "/human_only"),
    ({"alternatives": [{"event": "case.replied", "when": {1: 2}, "moves_to": {}}]}, "missing_due",
     "/alternatives/0/moves_to"),
    ({"alternatives": [{"event": "case.replied", "when": {"a": []}}]}, "not_a_scalar",
     "/alternatives/0/when/a"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason", "place"), BAD_TIMERS)
def test_a_timer_that_cannot_be_right_is_refused_with_its_place(
    change: dict[str, Any], reason: str, place: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        a_policy({"timers": [TIMER | change]})
    assert (refused.value.reason, refused.value.pointer) == (reason, f"/rules/0/timers/0{place}")
    assert refused.value.cure


def test_a_cycle_through_another_timer_is_refused() -> None:
    renamed = {"events": {"breached": "feedback_offer.missed"}}
    with pytest.raises(InvalidError) as refused:
        a_policy(
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
            {"format": 1, "calendar": "9x5", "rules": [{"when": {"kind": "complant"}, "timers": []}]},
            "unknown_value",
            "/rules/0/when/kind",
        ),
        (
            {
                "format": 1,
                "calendar": "9x5",
                "rules": [{"when": {"channel": ["fone"]}, "timers": []}],
            },
            "unknown_value",
            "/rules/0/when/channel/0",
        ),
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
        (
            [{"timers": [TIMER]}, {"when": {"kind": "praise"}, "timers": [TIMER]}],
            "unreachable_rule",
            "/rules/1",
        ),
    ],
)
def test_a_rule_that_cannot_be_right_is_refused_with_its_place(
    rules: list[dict[str, Any]], reason: str, pointer: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        a_policy(*rules)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


def test_a_misspelt_key_names_the_nearest() -> None:
    with pytest.raises(InvalidError) as refused:
        a_policy({"timers": [TIMER | {"warning": [75]}]})
    assert refused.value.cure == "Did you mean 'warnings'?"


HIDDEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"severity": "sev1"}),
    ({"subject": "case"}, {"subject": "case", "cause": "staff.rudeness"}),
    ({"cause": "staff.*"}, {"cause": ["staff.manner", "staff.rudeness"]}),
    ({"severity": ["sev1", "sev2"]}, {"severity": "sev2", "attributes": {"vip": True}}),
]


@pytest.mark.parametrize(("before", "behind"), HIDDEN)
def test_a_rule_that_an_earlier_one_always_hides_is_refused_at_save(
    before: dict[str, Any], behind: dict[str, Any]
) -> None:
    rules = [
        {"name": "a", "when": before, "timers": [TIMER]},
        {"name": "b", "when": behind, "timers": [TIMER]},
    ]
    with pytest.raises(InvalidError) as refused:
        refuse_unreachable(a_policy(*rules))
    assert (refused.value.reason, refused.value.pointer) == ("unreachable_rule", "/rules/1")
    refuse_unreachable(a_policy(*reversed(rules)))
    beside = {**rules[1], "timers": [{**TIMER, "key": "beside"}], "also": True}
    refuse_unreachable(a_policy(rules[0], beside))


def test_a_rule_of_another_kind_of_subject_hides_nothing_and_the_preset_has_no_hidden_rule() -> None:
    offer = {**TIMER, "key": "offer", "subject": "interaction", "start": ["interaction.ended"],
             "stop": ["feedback.offered"]}  # fmt: skip
    refuse_unreachable(a_policy({"timers": [offer]}, {"when": {"severity": "sev1"}, "timers": [TIMER]}))
    refuse_unreachable(parse_policy(default_policy_document(), "default", 1, KNOWN))
