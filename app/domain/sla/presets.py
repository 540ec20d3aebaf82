"""The default policy: acknowledge, first response, remedy, given due times and the 20-minute offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_WARNINGS = [75]
_ESCALATION = [
    {"percent": 100, "to": "assignee"},
    {"percent": 150, "to": "manager"},
    {"percent": 200, "to": "feedback_owner"},
]
# Targets of domain 6.2. bh and bd are hours and days of the assigned calendar.
_TARGETS: Mapping[str, Mapping[str, Json]] = {
    "sev1": {
        "acknowledge": {"minutes": 15},
        "first_response": {"hours": 1},
        "remedy": {"hours": 24},
    },
    "sev2": {
        "acknowledge": {"hours": 1},
        "first_response": {"business_hours": 4},
        "remedy": {"business_days": 3},
    },
    "sev3": {
        "acknowledge": {"business_hours": 4},
        "first_response": {"business_days": 1},
        "remedy": {"business_days": 5},
    },
    "sev4": {
        "acknowledge": {"business_days": 1},
        "first_response": {"business_days": 2},
        "remedy": {"business_days": 10},
    },
}


def default_policy_document(calendar: str = "9x5") -> Json:
    """The preset policy as a document for `parse_policy`, counting business time by that calendar.

    Cases that face no customer (`customer_facing` false) are promised a remedy and no reply.
    """
    offer = {"name": "20-minute feedback offer", "when": {"subject": "interaction"}, "timers": [_offer()]}
    internal = [_case_rule(severity, customer_facing=False) for severity in _TARGETS]
    facing = [_case_rule(severity, customer_facing=True) for severity in _TARGETS]
    return {
        "format": 1,
        "title": "Default complaint policy",
        "calendar": calendar,
        "rules": [offer, *internal, *facing],
    }


def _case_rule(severity: str, *, customer_facing: bool) -> Json:
    targets = _TARGETS[severity]
    when: Json = {"subject": "case", "severity": severity}
    timers = [_remedy(targets["remedy"]), _given_due()]
    if not customer_facing:
        name, when["customer_facing"] = f"{severity}, internal", False
    else:
        name = severity
        timers = [_acknowledge(targets["acknowledge"]), _first_response(targets["first_response"]), *timers]
    return {"name": name, "when": when, "timers": timers}


def _offer() -> Json:
    return {
        "key": "feedback_offer",
        "subject": "interaction",
        "start": ["interaction.ended"],
        "stop": ["feedback.offered", "feedback.received"],
        "due": {"duration": "PT20M", "clock": "elapsed"},
        "events": {"breached": "feedback_offer.missed"},
    }


def _acknowledge(target: Json) -> Json:
    return {
        "key": "acknowledge",
        "subject": "case",
        "start": ["case.opened"],
        "stop": ["case.acknowledged"],
        "due": {"duration": dict(target)},
        "warnings": list(_WARNINGS),
        "escalation": [dict(rung) for rung in _ESCALATION],
    }


def _first_response(target: Json) -> Json:
    return {
        **_acknowledge(target),
        "key": "first_response",
        "stop": ["case.replied"],
        "human_only": True,
    }


def _remedy(target: Json) -> Json:
    return {
        **_acknowledge(target),
        "key": "remedy",
        "stop": ["case.remedied", "case.declined", "case.closed"],
        "pause": ["waiting_customer"],
        "reopen": {"mode": "new_cycle", "target_factor": 0.5},
    }


def _given_due() -> Json:
    return {
        **_acknowledge({}),
        "key": "given_due",
        "stop": ["case.closed", "case.remedied", "case.declined"],
        "due": {"from_event": "due_at"},
    }
