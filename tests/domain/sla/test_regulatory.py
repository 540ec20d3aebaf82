"""Presets of law beside internal timers: what each is due, what moves it, and that nothing pauses it."""

from __future__ import annotations

import json

import pytest

from app.domain.errors import NotFoundError
from app.domain.sla import (
    ClockReading,
    ClockState,
    default_policy_document,
    parse_policy,
    plan_timers,
    read_plan,
)
from app.domain.sla.clock_event import ClockEvent
from app.domain.sla.regulatory import REGULATORY_PRESETS, adopt, get_regulatory_preset

from .builders import KNOWN, OFFICE, an_event, at

BEGIN = "2026-03-04 10:00"
OPENED = an_event("case.opened", BEGIN, kind="complaint", severity="sev3")


def readings(key: str, events: list[ClockEvent], as_of: str) -> dict[str, ClockReading]:
    """The readings of a complaint under the default policy with a preset adopted."""
    preset = get_regulatory_preset(key)
    document = json.loads(json.dumps(adopt(default_policy_document(), preset, preset.rule())))
    policy = parse_policy(document, "default", 2, KNOWN)
    facts = {"subject": "case", "kind": "complaint", "customer_facing": True}
    plans = plan_timers(policy, facts, events, OFFICE)
    return {plan.key: found[-1] for plan in plans if (found := read_plan(plan, events, at(as_of)))}


@pytest.mark.parametrize(
    ("key", "timer", "due"),
    [
        ("fca_disp_1_6", "fca_final_response", "2026-04-30 00:00"),
        ("fca_payments", "fca_payments_response", "2026-03-25 18:00"),
        ("fca_disp_1_5", "fca_third_business_day", "2026-03-09 18:00"),
        ("asic_rg271", "asic_acknowledge", "2026-03-05 10:00"),
        ("asic_rg271", "asic_idr_response", "2026-04-04 00:00"),
        ("asic_rg271_superannuation", "asic_idr_superannuation", "2026-04-19 00:00"),
        ("asic_rg271_hardship", "asic_idr_hardship", "2026-03-26 00:00"),
        ("cfpb_portal", "cfpb_response", "2026-03-20 00:00"),
        ("cfpb_portal", "cfpb_final", "2026-05-04 00:00"),
        ("iso_10002", "iso_assess", "2026-03-05 10:00"),
        ("uae_cbuae", "cbuae_confirm", "2026-03-06 18:00"),
        ("uae_cbuae", "cbuae_final", "2026-03-18 18:00"),
        ("ua_appeals_art20", "ua_appeal", "2026-04-04 00:00"),
        ("ua_appeals_art20_simple", "ua_appeal_simple", "2026-03-20 00:00"),
    ],
)
def test_each_stage_of_a_rule_is_due_when_it_says(key: str, timer: str, due: str) -> None:
    assert readings(key, [OPENED], BEGIN)[timer].due_at == at(due)


@pytest.mark.parametrize("preset", REGULATORY_PRESETS, ids=lambda preset: str(preset.key))
def test_every_preset_names_its_source_and_is_accepted_beside_the_default(preset: object) -> None:
    known = get_regulatory_preset(preset.key)  # type: ignore[attr-defined]
    assert known.source and known.note and "Verify" in known.warning
    internal = readings(known.key, [OPENED], BEGIN)
    assert {"acknowledge", "remedy"} < set(internal)


def test_a_holding_response_moves_the_payments_deadline_to_the_35th_business_day() -> None:
    holding = an_event("case.replied", "2026-03-25 17:00", outcome="holding_response")
    moved = readings("fca_payments", [OPENED, holding], "2026-03-30 10:00")["fca_payments_response"]
    assert moved.due_at == at("2026-04-22 18:00")
    other = an_event("case.replied", "2026-03-25 17:00", outcome="chat")
    kept = readings("fca_payments", [OPENED, other], "2026-03-30 10:00")["fca_payments_response"]
    assert kept.breached_at == at("2026-03-25 18:00")


def test_a_statutory_clock_runs_on_while_the_internal_one_waits_for_the_customer() -> None:
    waits = an_event("case.waiting_customer", "2026-03-04 12:00")
    known = readings("cfpb_portal", [OPENED, waits], "2026-05-05 10:00")
    assert (known["remedy"].state, known["cfpb_final"].state) == (ClockState.PAUSED, ClockState.BREACHED)


def test_adopting_a_preset_again_replaces_it() -> None:
    preset = get_regulatory_preset("cfpb_portal")
    once = adopt(default_policy_document(), preset, preset.rule())
    assert adopt(once, preset, preset.rule()) == once


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="cfpb"):
        get_regulatory_preset("cfpb")
