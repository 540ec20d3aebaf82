"""What is told of cases, compensations, actions, failures and debriefs."""

from __future__ import annotations

from typing import Any

CASE: dict[str, Any] = {
    "case": {
        "id": "case_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "kind": "complaint",
        "severity": "sev2",
        "state": "open",
        "opened_at": "2026-11-22T08:15:00Z",
        "channel": "call",
        "reply_channel": "call",
        "touchpoint": "support_line",
        "location": "kyiv-1",
        "employee": "olena",
        "product": None,
        "segment": "retail",
        "cause": "office_process.delivery_delay",
        "assignee": "taras",
        "due_given_at": None,
        "promised_due_at": None,
        "customer_facing": True,
        "steps": {"received": "2026-11-22T08:15:00Z"},
        "reopened_count": 0,
        "initiative": "reactive",
        "outcome": None,
        "repeat_of": None,
        "verification": None,
        "compensation": {"currency": None, "net": None, "items": []},
        "improvements_owed": [],
        "refs": ["crm-4711"],
    },
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "ref": "crm-4711",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "call-centre",
    "sequence": 4402341478401,
    "details": {"kind": "complaint", "severity": "sev2", "cause": "office_process.delivery_delay"},
}

COMPENSATION: dict[str, Any] = {
    **CASE,
    "case": {
        **CASE["case"],
        "compensation": {
            "currency": None,
            "net": None,
            "items": [
                {
                    "compensation": "1",
                    "type": "money",
                    "amount": "2500.00",
                    "currency": "UAH",
                    "state": "pending_approval",
                    "employee": "taras",
                    "approver": None,
                    "due_at": None,
                }
            ],
        },
    },
    "details": {
        "compensation": "1",
        "base_amount": "2500.00",
        "base_currency": "UAH",
        "reason": "over_limit",
        "limit": "2000",
        "total": "2500.00",
        "role": "agent",
        "rule": "default",
        "approver": "olena",
        "policy_version": 1,
    },
}

MODERATION: dict[str, Any] = {
    **CASE,
    "details": {"platform": "review-site", "review": "R-17", "hides": False},
}

IMPROVEMENT: dict[str, Any] = {
    "action": {
        "id": "action_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "ref": "FIX-12",
        "name": "Second till at lunch",
        "cause": "office_process.queue",
        "owner": "taras",
        "state": "deployed",
    },
    "owed": 7,
    "details": {},
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "vidhuk",
    "sequence": 4402341478407,
}

FAILURE: dict[str, Any] = {
    "failure": {
        "id": "failure_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "cause": "office_process.queue",
        "owner": None,
        "action": None,
        "state": "open",
    },
    "details": {"rule": "many_cases", "cases": 5, "cases_before": 1},
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "vidhuk",
    "sequence": 4402341478408,
}

DEBRIEF: dict[str, Any] = {
    "debrief": {
        "id": "debrief_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "employee": "ivan",
        "cause": "staff.rudeness",
        "checklist": "debrief_negative",
        "case": "case_01kb3v6n8qe5vr2a4d1f7m9xyz",
        "state": "open",
    },
    "details": {},
    "event_id": "evt_01kb3v6n8rh2c9t0w4g6p8s1qa",
    "occurred_at": "2026-11-22T08:15:00Z",
    "source": "vidhuk",
    "sequence": 4402341478409,
}
